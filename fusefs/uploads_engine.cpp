// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fusefs/uploads_body.hpp"
#include "modem/at/parse.hpp"

namespace fusefs {

using modem::Errc;
using modem::Error;
using modem::Priority;
using modem::Result;

namespace {

/// Background uploads at work at once: while one is being verified or renamed the next one's bytes
/// can already flow.
constexpr std::size_t most_background_runs = 2;

constexpr std::chrono::seconds first_pause{5};
constexpr std::chrono::seconds longest_pause{300};

bool can_heal(Errc code) {
    return modem::is_transient(code) || code == Errc::size_mismatch || code == Errc::cancelled ||
           code == Errc::gave_way || code == Errc::shutting_down;
}

std::string header_text(const UploadRow& row) {
    return fmt::format("modemftp-upload 1\npath={}\nkind={}\nbase_size={}\nsize={}\nmtime={}\n",
                       row.path, row.kind == UploadKind::append ? "append" : "replace",
                       row.base_size, row.size, row.mtime);
}

}  // namespace

Uploads::Body::ItemPtr Uploads::Body::at(const std::string& path) const {
    const auto found = paths.find(path);
    return found == paths.end() ? nullptr : with(found->second);
}

Uploads::Body::ItemPtr Uploads::Body::with(std::int64_t id) const {
    const auto found = items.find(id);
    return found == items.end() ? nullptr : found->second;
}

/// Content first, then the header, then the row: whatever a crash leaves is either the old truth or
/// the new one.
void Uploads::Body::put(UploadRow row, std::shared_ptr<LocalFile> file, Priority priority,
                        Done<std::int64_t> durable) {
    if (auto old = at(row.path)) {
        old->held = true;
    }
    row.spool_name = file->path().filename().string();
    row.created = core.now();
    row.state = UploadState::queued;
    core.storage->call(
        [ledger = core.ledger, spool = core.spool, row, file]() -> Result<Ledger::Put> {
            CHECK(file->sync());
            CHECK(spool->put_header(row.spool_name, header_text(row)));
            return ledger->put_upload(row);
        },
        [this, alive = std::weak_ptr<bool>(core.alive), row, file, priority,
         durable = std::move(durable)](Result<Ledger::Put> put) mutable {
            if (alive.expired()) {
                return;
            }
            if (!put) {
                if (auto old = at(row.path)) {
                    old->held = false;
                }
                durable(modem::fail(std::move(put).error()));
                return;
            }
            auto item = std::make_shared<Item>();
            item->row = std::move(row);
            item->row.id = put->id;
            item->file = std::move(file);
            item->priority = priority;
            item->next = modem::Clock::now();
            adopt(item, put->superseded_spool);
            durable(put->id);
            if (item->priority < Priority::background) {
                start(item);
            } else {
                start_due();
            }
        });
}

/// The new upload takes the older one's place, and those who wait for the path wait for it now.
void Uploads::Body::adopt(const ItemPtr& item, const std::string& superseded_spool) {
    if (auto old = at(item->row.path)) {
        item->waiting = std::move(old->waiting);
        remove_leftover(old->row);
        items.erase(old->row.id);
    }
    if (!superseded_spool.empty()) {
        core.storage->run(
            [spool = core.spool, superseded_spool] { spool->remove(superseded_spool); });
    }
    items[item->row.id] = item;
    paths[item->row.path] = item->row.id;
}

/// What an abandoned attempt may have left under its temporary name is of no use to anybody.
void Uploads::Body::remove_leftover(const UploadRow& row) {
    if (row.step == UploadStep::none && row.attempts == 0) {
        return;
    }
    auto below = modem::RemotePath::parse(row.path);
    if (!below) {
        return;
    }
    auto path = core.remote(*below);
    for (const auto& name : {row.remote_name, row.aside_name}) {
        if (path && !name.empty()) {
            if (auto leftover = path->parent().child(name)) {
                core.queue->submit(modem::RemoveRequest{*leftover}, Priority::background,
                                   [](const Result<modem::Answer>&) {});
            }
        }
    }
}

void Uploads::Body::start(const ItemPtr& item) {
    if (item->run || item->held || item->discarded || item->row.state == UploadState::failed) {
        return;
    }
    item->run = std::make_shared<UploadRun>(
        core, item->row, item->file, item->priority,
        [this, alive = std::weak_ptr<bool>(core.alive), item](Result<UploadRun::Verdict> verdict) {
            if (!alive.expired()) {
                ended(item, std::move(verdict));
            }
        });
    item->row.state = UploadState::uploading;
    item->run->begin();
}

/// Starts what is due, oldest first, as many as may run at once.
void Uploads::Body::start_due() {
    std::size_t running = 0;
    for (const auto& [id, item] : items) {
        running += item->run ? 1 : 0;
    }
    const auto now = modem::Clock::now();
    for (const auto& [id, item] : std::map<std::int64_t, ItemPtr>(items)) {
        if (running >= most_background_runs) {
            return;
        }
        if (!item->run && item->row.state == UploadState::queued && item->next <= now) {
            start(item);
            running += item->run ? 1 : 0;
        }
    }
}

void Uploads::Body::ended(const ItemPtr& item, Result<UploadRun::Verdict> verdict) {
    const auto path = item->row.path;  // a rename may have moved it while it ran
    item->row = item->run->row();
    item->row.path = path;
    item->run.reset();
    if (item->discarded) {
        finish_discard(item);
    } else if (verdict) {
        deliver(item, *verdict);
    } else {
        broke(item, verdict.error());
    }
}

/// The remembered attributes of a delivered file: what programs see now stays what they see.
AttributeRow Uploads::Body::attributes(const UploadRow& row,
                                       const UploadRun::Verdict& verdict) const {
    AttributeRow attributes{row.path, verdict.size, verdict.mtime, {}, {}};
    attributes.mtime_ns = static_cast<std::int64_t>(row.mtime) * 1'000'000'000;
    if (auto path = modem::RemotePath::parse(row.path)) {
        if (const auto* node = const_cast<Tree&>(core.tree).at(*path)) {
            attributes.mode = node->set_mode;
            if (node->set_mtime_ns) {
                attributes.mtime_ns = node->set_mtime_ns;
            }
        }
    }
    return attributes;
}

void Uploads::Body::deliver(const ItemPtr& item, const UploadRun::Verdict& verdict) {
    const auto& row = item->row;
    ReceiptRow receipt{row.id,       row.path,       row.size,   row.first_attempt, core.now(),
                       row.attempts, row.line_bytes, row.resent, verdict.verified};
    core.storage->call(
        [ledger = core.ledger, id = row.id, receipt, attributes = attributes(row, verdict)] {
            return ledger->deliver(id, receipt, attributes);
        },
        [this, alive = std::weak_ptr<bool>(core.alive), item,
         verdict](const Result<void>& delivered) {
            if (alive.expired()) {
                return;
            }
            if (!delivered) {
                // It is on the server; a crash now would only send it once more.
                core.log(3, fmt::format("the receipt of {} could not be written: {}",
                                        modem::printable(item->row.path), delivered.error().what));
            }
            core.log(6, fmt::format("delivered {} ({} bytes, attempt {})",
                                    modem::printable(item->row.path), item->row.size,
                                    item->row.attempts));
            forget(item);
            tell(item->row, {true, {}, false, verdict.size, verdict.mtime.value_or(0)});
            core.storage->run(
                [spool = core.spool, name = item->row.spool_name] { spool->remove(name); });
            answer(item, {});
            tell_settled(item->row.path);
            start_due();
        });
}

std::chrono::milliseconds Uploads::Body::pause_before_next(const UploadRow& row, Errc code) {
    auto pause =
        std::chrono::milliseconds(first_pause) * (1LL << std::clamp(row.attempts - 1, 0, 6));
    if (code == Errc::no_space || code == Errc::server_busy) {
        pause *= 4;  // a full or busy server does not change within seconds
    }
    pause = std::min<std::chrono::milliseconds>(pause, longest_pause);
    std::uniform_int_distribution<int> jitter(80, 120);
    return pause * jitter(random) / 100;
}

void Uploads::Body::broke(const ItemPtr& item, const Error& error) {
    const bool heals = can_heal(error.code);
    item->row.state = heals ? UploadState::queued : UploadState::failed;
    item->row.error_code = static_cast<int>(error.code);
    item->row.error_text = error.what;
    item->priority = Priority::background;
    item->next = modem::Clock::now() + pause_before_next(item->row, error.code);
    core.log(heals ? 5 : 3,
             fmt::format("upload of {} {}: {}", modem::printable(item->row.path),
                         heals ? "did not succeed yet and stays queued" : "failed and is kept",
                         error.what));
    core.storage->call(
        [ledger = core.ledger, row = item->row] { return ledger->put_upload(row); },
        [alive = std::weak_ptr<bool>(core.alive), this](const Result<Ledger::Put>& put) {
            if (!alive.expired() && !put) {
                core.log(3, "the ledger cannot be written: " + put.error().what);
            }
        });
    tell(item->row, {false, error, !heals, 0, 0});
    answer(item, error);
    tell_settled(item->row.path);
    start_due();
}

void Uploads::Body::finish_discard(const ItemPtr& item) {
    remove_leftover(item->row);
    forget(item);
    core.storage->call(
        [ledger = core.ledger, spool = core.spool, row = item->row] {
            auto removed = ledger->remove_upload(row.id);
            spool->remove(row.spool_name);
            return removed;
        },
        [alive = std::weak_ptr<bool>(core.alive), this, item](Result<void> removed) {
            if (alive.expired()) {
                return;
            }
            auto waiting = std::move(item->discard_done);
            for (auto& done : waiting) {
                done(removed);
            }
        });
    answer(item, Error{Errc::cancelled, 0, "the upload was discarded"});
    tell_settled(item->row.path);
    start_due();
}

void Uploads::Body::forget(const ItemPtr& item) {
    items.erase(item->row.id);
    const auto found = paths.find(item->row.path);
    if (found != paths.end() && found->second == item->row.id) {
        paths.erase(found);
    }
}

void Uploads::Body::tell(const UploadRow& row, const Outcome& outcome) const {
    for (const auto& listener : listeners) {
        listener(row, outcome);
    }
}

void Uploads::Body::answer(const ItemPtr& item, const std::optional<Error>& error) {
    auto waiting = std::move(item->waiting);
    item->waiting.clear();
    for (auto& waiter : waiting) {
        if (error) {
            waiter.done(modem::fail(*error));
        } else {
            waiter.done({});
        }
    }
}

void Uploads::Body::tell_settled(const std::string& path) {
    const auto [begin, end] = settling.equal_range(path);
    std::vector<Done<void>> ready;
    for (auto entry = begin; entry != end; ++entry) {
        ready.push_back(std::move(entry->second.done));
    }
    settling.erase(begin, end);
    for (auto& done : ready) {
        done({});
    }
}

}  // namespace fusefs
