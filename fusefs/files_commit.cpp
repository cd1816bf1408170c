// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "fusefs/files_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::Priority;
using modem::Result;

/// One draft on its way to becoming an upload.
struct Files::Body::Commit {
    FilePtr file;
    Priority priority{};
    Done<std::int64_t> done;
    UploadKind kind = UploadKind::replace;
    std::uint64_t base_size = 0;
    std::uint64_t fill_from = 0;  ///< bytes below the draft are copied into it from here …
    std::uint64_t fill_to = 0;    ///< … to here, so that the spool file stands for itself
};

namespace {

/// Only new bytes behind what the server has: they alone need to be sent.
bool only_appends(const File& file, const modem::Capabilities& can, std::uint64_t on_server) {
    const auto& draft = *file.draft;
    const bool able = can.append || can.store_offset;
    const bool untouched = draft.below_visible >= on_server &&
                           draft.local.next_present(0).value_or(draft.size) >= on_server;
    return able && on_server > 0 && draft.size > on_server && untouched;
}

/// Size of the remote file that an append would start from; nothing: the server does not have it.
std::optional<std::uint64_t> size_on_server(const File& file) {
    if (file.frozen) {
        if (file.frozen->kind == UploadKind::append) {
            return file.frozen->base_size;
        }
        return {};
    }
    const bool as_listed = file.node != nullptr && file.node->listed_size == file.base.size;
    if (file.on_server && as_listed) {
        return file.base.size;
    }
    return {};
}

}  // namespace

void Files::Body::commit(const FilePtr& file, Priority priority, Done<std::int64_t> done) {
    if (file->committing) {
        file->after_commit.push_back([this, file, priority, done = std::move(done)]() mutable {
            commit(file, priority, std::move(done));
        });
        return;
    }
    if (!file->draft || file->node == nullptr) {
        done(file->frozen && file->node != nullptr ? file->frozen->id : 0);
        return;
    }
    file->committing = true;
    auto work = std::make_shared<Commit>();
    work->file = file;
    work->priority = priority;
    work->done = std::move(done);
    // What is on its way is finished first; a waiting upload is taken over.
    uploads.settled(file->path.text(), nullptr, [this, work](const Result<void>&) {
        auto& target = *work->file;
        if (!target.draft || target.node == nullptr) {
            finish(work, 0);
            return;
        }
        const auto on_server = size_on_server(target);
        if (on_server && only_appends(target, core.capabilities(), *on_server)) {
            work->kind = UploadKind::append;
            work->base_size = *on_server;
            work->fill_from = *on_server;
        }
        work->fill_to = std::min(target.draft->size, target.draft->below_visible);
        fill(work);
    });
}

/// Copies what shows through from below into the draft, fetching it first where it is not here.
void Files::Body::fill(const std::shared_ptr<Commit>& work) {
    auto& file = *work->file;
    if (file.node == nullptr || !file.draft) {
        finish(work, 0);
        return;
    }
    if (auto attached = attach_content(file); !attached) {
        finish(work, modem::fail(attached.error()));
        return;
    }
    if (file.draft->in_flight > 0) {  // what is being written must not be overwritten by a copy
        file.draft->when_quiet.push_back([this, work] { fill(work); });
        return;
    }
    auto& draft = *file.draft;
    const auto gap = draft.local.first_gap(work->fill_from, work->fill_to);
    if (!gap) {
        freeze(work);
        return;
    }
    const auto end = std::min(work->fill_to, draft.local.next_present(*gap).value_or(UINT64_MAX));
    const auto piece = piece_below(file, *gap, end);
    if (piece.kind == Piece::Kind::missing) {
        file.download->need(*gap, *gap + piece.length, 0, true, Priority::read, nullptr,
                            [this, work](const Result<void>& got) {
                                if (!got) {
                                    finish(work, modem::fail(got.error()));
                                } else {
                                    fill(work);
                                }
                            });
        return;
    }
    if (piece.kind == Piece::Kind::zeros) {
        draft.local.add(*gap, *gap + piece.length);
        fill(work);
        return;
    }
    auto reserved = draft.reserved;
    reserved.add(*gap, *gap + piece.length);
    if (!core.spool->reserve(reserved.total() - draft.reserved.total())) {
        finish(work, modem::fail(Errc::local_no_space, "the spool is full (upload.spool-size)"));
        return;
    }
    draft.reserved = std::move(reserved);
    ++draft.in_flight;
    core.storage->call(
        [slot = file.draft, spool = core.spool, source = piece.source, begin = *gap,
         stop = *gap + piece.length]() -> Result<void> {
            if (!slot->file) {
                TRY(slot->file, spool->create());
            }
            return slot->file->copy_from(*source, begin, stop);
        },
        [this, work, slot = file.draft, begin = *gap,
         stop = *gap + piece.length](const Result<void>& copied) {
            if (!copied) {
                written(work->file, slot);
                finish(work, modem::fail(copied.error()));
                return;
            }
            // A write that came meanwhile wins: it went to the storage thread after the copy.
            slot->local.add(begin, stop);
            written(work->file, slot);
            fill(work);
        });
}

/// The draft becomes immutable; writes wait for the few milliseconds until its row is durable.
void Files::Body::freeze(const std::shared_ptr<Commit>& work) {
    auto& file = *work->file;
    file.freezing = true;
    auto draft = file.draft;
    core.storage->call(
        [slot = draft, spool = core.spool]() -> Result<void> {
            if (!slot->file) {
                TRY(slot->file, spool->create());
            }
            return slot->file->truncate(slot->size);
        },
        [this, work, draft](Result<void> ready) {
            auto& target = *work->file;
            if (!ready || target.node == nullptr) {
                enqueued(work, draft,
                         ready ? Result<std::int64_t>(0) : modem::fail(std::move(ready).error()));
                return;
            }
            UploadRow row;
            row.path = target.path.text();
            row.kind = work->kind;
            row.base_size = work->base_size;
            row.size = draft->size;
            row.mtime = static_cast<std::time_t>(target.mtime_ns / 1'000'000'000);
            uploads.enqueue(
                std::move(row), draft->file, work->priority,
                [this, work, draft](const Result<std::int64_t>& id) { enqueued(work, draft, id); });
        });
}

void Files::Body::enqueued(const std::shared_ptr<Commit>& work, const std::shared_ptr<Draft>& draft,
                           const Result<std::int64_t>& id) {
    auto& file = *work->file;
    if (id && *id != 0) {
        if (file.frozen) {
            core.spool->release(file.frozen->reserved);
        }
        file.frozen = Frozen{
            *id, draft->file, work->kind, work->base_size, draft->size, draft->reserved.total()};
        file.draft.reset();
        by_upload[*id] = work->file;
        if (file.node == nullptr) {  // unlinked while its row was being written
            uploads.discard(*id, [](const Result<void>&) {});
        }
    }
    file.freezing = false;
    auto waiting = std::move(file.after_freezing);
    file.after_freezing.clear();
    for (auto& go_on : waiting) {
        go_on();
    }
    finish(work, id);
}

void Files::Body::finish(const std::shared_ptr<Commit>& work, Result<std::int64_t> id) {
    auto file = work->file;
    file->committing = false;
    auto waiting = std::exchange(file->after_commit, {});
    work->done(std::move(id));
    for (auto& next : waiting) {
        next();  // one that commits makes those behind it wait again
    }
}

void Files::Body::save(const FilePtr& file, WaiterPtr waiter, Done<void> done) {
    // The caller may be interrupted; the commit goes on all the same.
    struct Caller {
        Done<void> done;
        bool answered = false;
    };
    auto caller = std::make_shared<Caller>();
    caller->done = std::move(done);
    if (waiter) {
        waiter->on_interrupt([caller] {
            if (!std::exchange(caller->answered, true)) {
                caller->done(modem::fail(Errc::cancelled, "interrupted; the upload goes on"));
            }
        });
    }
    commit(file, Priority::upload, [this, file, caller, waiter](Result<std::int64_t> id) {
        if (!id && file->draft && file->writers == 0) {
            unsaved.insert(file);
        }
        if (std::exchange(caller->answered, true)) {
            return;
        }
        if (!id) {
            caller->done(modem::fail(std::move(id).error()));
        } else if (*id == 0 || core.config->upload.mode == config::UploadMode::background) {
            caller->done({});
        } else {
            uploads.wait(*id, waiter, std::move(caller->done));
        }
    });
}

void Files::Body::save_later(const FilePtr& file) {
    unsaved.erase(file);
    commit(file, Priority::background, [this, file](const Result<std::int64_t>& id) {
        if (!id && file->draft && file->node != nullptr) {
            core.log(
                3, "changes to " + file->path.text() + " are not durable yet: " + id.error().what);
            unsaved.insert(file);
        }
        settle(file);
    });
}

void Files::flush(const HandlePtr& handle, std::uint64_t lock_owner, int pid, WaiterPtr waiter,
                  Done<void> done) {
    if (pid == handle->opener && handle->opener_owner == 0) {
        handle->opener_owner = lock_owner;
    }
    const bool inherited = handle->opener_owner != 0 && lock_owner != handle->opener_owner;
    if (!handle->wrote || inherited) {
        done({});
        return;
    }
    handle->wrote = false;
    body_->save(handle->file, std::move(waiter), std::move(done));
}

void Files::fsync(const HandlePtr& handle, WaiterPtr waiter, Done<void> done) {
    handle->wrote = false;
    body_->save(handle->file, std::move(waiter), std::move(done));
}

void Files::release(const HandlePtr& handle) {
    auto file = handle->file;
    --file->handles;
    --body_->handles;
    file->writers -= handle->writable ? 1 : 0;
    if (file->draft && file->writers == 0 && file->node != nullptr) {
        body_->save_later(file);
        return;
    }
    if (file->handles == 0 && file->node == nullptr && file->draft) {
        body_->core.spool->release(file->draft->reserved.total());
        body_->core.storage->run([spool = body_->core.spool, slot = file->draft] {
            if (slot->file) {
                spool->remove(slot->file->path().filename().string());
            }
        });
        file->draft.reset();
    }
    body_->settle(file);
}

std::uint64_t Files::open_handles() const {
    return body_->handles;
}

void Files::tick() {
    const auto again = std::set<FilePtr>(body_->unsaved);
    for (const auto& file : again) {
        if (!file->committing) {
            body_->save_later(file);
        }
    }
}

}  // namespace fusefs
