// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "fusefs/files_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::Result;

/// The draft that takes changes, begun over what the file shows now.
Draft& Files::Body::draft_of(File& file) {
    if (!file.draft) {
        file.draft = std::make_shared<Draft>();
        file.draft->size = file.below_size();
        file.draft->below_visible = file.below_size();
    }
    return *file.draft;
}

/// New content has a time of its own: what `touch -d` set belonged to the old one.
void Files::Body::changed(File& file) {
    file.mtime_ns = now_ns();
    if (file.node != nullptr) {
        file.node->set_mtime_ns.reset();
    }
}

void Files::Body::set_size(File& file, std::uint64_t size) {
    auto& draft = draft_of(file);
    if (size < draft.size) {
        draft.local.remove(size, UINT64_MAX);
        draft.below_visible = std::min(draft.below_visible, size);
        const auto before = draft.reserved.total();
        draft.reserved.remove(size, UINT64_MAX);
        core.spool->release(before - draft.reserved.total());
        // What is written beyond `size` later must not uncover old bytes.
        core.storage->run([slot = file.draft, size, log = core.log] {
            if (slot->file) {
                if (auto cut = slot->file->truncate(size); !cut) {
                    log(3, "the spool file cannot be truncated: " + cut.error().what);
                }
            }
        });
    }
    draft.size = size;
    changed(file);
}

void Files::write(const HandlePtr& handle, std::uint64_t offset, std::span<const char> bytes,
                  Done<std::size_t> done) {
    handle->wrote = true;
    body_->write(handle->file, offset, std::vector<char>(bytes.begin(), bytes.end()),
                 std::move(done));
}

void Files::Body::write(const FilePtr& file, std::uint64_t offset, std::vector<char> bytes,
                        Done<std::size_t> done) {
    if (file->freezing) {
        file->after_freezing.push_back(
            [this, file, offset, bytes = std::move(bytes), done = std::move(done)]() mutable {
                write(file, offset, std::move(bytes), std::move(done));
            });
        return;
    }
    const auto end = offset + bytes.size();
    if (end > core.capabilities().max_size) {
        done(modem::fail(Errc::too_large, "larger than the module can send"));
        return;
    }
    auto& draft = draft_of(*file);
    auto reserved = draft.reserved;
    reserved.add(offset, end);
    const auto growth = reserved.total() - draft.reserved.total();
    if (!core.spool->reserve(growth)) {
        done(modem::fail(Errc::local_no_space, "the spool is full (upload.spool-size)"));
        return;
    }
    draft.reserved = std::move(reserved);
    ++draft.in_flight;
    const auto count = bytes.size();
    core.storage->call(
        [slot = file->draft, spool = core.spool, offset,
         bytes = std::move(bytes)]() -> Result<void> {
            if (!slot->file) {
                TRY(slot->file, spool->create());
            }
            return slot->file->write(offset, bytes);
        },
        [this, alive = std::weak_ptr<bool>(core.alive), file, slot = file->draft, offset, end,
         count, done = std::move(done)](Result<void> result) mutable {
            if (alive.expired()) {
                return;
            }
            if (result) {
                slot->local.add(offset, end);
                slot->size = std::max(slot->size, end);
                changed(*file);
                done(count);
            } else {
                done(modem::fail(std::move(result).error()));
            }
            written(file, slot);
        });
}

void Files::Body::written(const FilePtr&, const std::shared_ptr<Draft>& draft) {
    if (--draft->in_flight > 0) {
        return;
    }
    auto waiting = std::move(draft->when_quiet);
    draft->when_quiet.clear();
    for (auto& go_on : waiting) {
        go_on();
    }
}

void Files::truncate(Node& node, const HandlePtr& handle, std::uint64_t size, WaiterPtr waiter,
                     Done<void> done) {
    auto file = body_->file_of(node);
    if (file->freezing) {
        file->after_freezing.push_back([this, file, handle, size, waiter = std::move(waiter),
                                        done = std::move(done)]() mutable {
            if (file->node == nullptr) {
                done({});
            } else {
                truncate(*file->node, handle, size, std::move(waiter), std::move(done));
            }
        });
        return;
    }
    if (size > body_->core.capabilities().max_size) {
        done(modem::fail(Errc::too_large, "larger than the module can send"));
        return;
    }
    if (size != file->size()) {
        body_->set_size(*file, size);
    }
    if (handle) {
        handle->wrote = handle->wrote || file->draft != nullptr;
        done({});
    } else if (file->draft && file->writers == 0) {
        // truncate(2) has no close that could tell the truth: this call has to.
        body_->save(file, std::move(waiter),
                    [this, file, done = std::move(done)](Result<void> saved) mutable {
                        done(std::move(saved));
                        body_->settle(file);
                    });
    } else {
        done({});
        body_->settle(file);
    }
}

}  // namespace fusefs
