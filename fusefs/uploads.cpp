// SPDX-License-Identifier: MIT
#include "fusefs/uploads.hpp"

#include <algorithm>
#include <utility>

#include "fusefs/uploads_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::Priority;
using modem::Result;

Uploads::Uploads(Core& core) : body_(std::make_unique<Body>(core)) {}

Uploads::~Uploads() = default;

void Uploads::add_listener(Listener listener) {
    body_->listeners.push_back(std::move(listener));
}

void Uploads::restore(std::vector<UploadRow> rows) {
    for (auto& row : rows) {
        auto item = std::make_shared<Body::Item>();
        auto file = body_->core.spool->open_file(row.spool_name);
        if (row.state == UploadState::uploading) {
            row.state = UploadState::queued;
        }
        if (file) {
            item->file = *std::move(file);
        } else {
            row.state = UploadState::failed;
            row.error_code = static_cast<int>(Errc::local_io);
            row.error_text = file.error().what;
        }
        item->row = std::move(row);
        item->next = modem::Clock::now();
        body_->paths[item->row.path] = item->row.id;
        body_->items[item->row.id] = std::move(item);
    }
}

void Uploads::enqueue(UploadRow row, std::shared_ptr<LocalFile> file, Priority priority,
                      Done<std::int64_t> durable) {
    const auto path = row.path;
    settled(path, nullptr,
            [this, row = std::move(row), file = std::move(file), priority,
             durable = std::move(durable)](const Result<void>&) mutable {
                body_->put(std::move(row), std::move(file), priority, std::move(durable));
            });
}

void Uploads::wait(std::int64_t id, WaiterPtr waiter, Done<void> done) {
    auto item = body_->with(id);
    if (!item) {
        done({});
        return;
    }
    if (item->row.state == UploadState::failed) {
        done(modem::fail(static_cast<Errc>(item->row.error_code), item->row.error_text));
        return;
    }
    const auto waiter_id = body_->next_waiter++;
    item->waiting.push_back({waiter_id, std::move(done)});
    if (waiter) {
        waiter->on_interrupt([body = body_.get(), alive = std::weak_ptr<bool>(body_->core.alive),
                              waiter_id] {
            if (alive.expired()) {
                return;
            }
            for (const auto& [key, candidate] : body->items) {
                auto& waiting = candidate->waiting;
                const auto found =
                    std::find_if(waiting.begin(), waiting.end(),
                                 [&](const auto& entry) { return entry.id == waiter_id; });
                if (found != waiting.end()) {
                    auto interrupted = std::move(found->done);
                    waiting.erase(found);
                    interrupted(modem::fail(Errc::cancelled, "interrupted; the upload goes on"));
                    return;
                }
            }
        });
    }
}

bool Uploads::running(const std::string& path) const {
    const auto item = body_->at(path);
    return item && item->run;
}

void Uploads::settled(const std::string& path, WaiterPtr waiter, Done<void> done) {
    if (!running(path)) {
        done({});
        return;
    }
    const auto id = body_->next_waiter++;
    body_->settling.emplace(path, Body::Waiting{id, std::move(done)});
    if (waiter) {
        waiter->on_interrupt(
            [body = body_.get(), alive = std::weak_ptr<bool>(body_->core.alive), id] {
                if (alive.expired()) {
                    return;
                }
                auto& settling = body->settling;
                const auto found =
                    std::find_if(settling.begin(), settling.end(),
                                 [id](const auto& entry) { return entry.second.id == id; });
                if (found != settling.end()) {
                    auto interrupted = std::move(found->second.done);
                    settling.erase(found);
                    interrupted(modem::fail(Errc::cancelled, "interrupted"));
                }
            });
    }
}

const UploadRow* Uploads::find(const std::string& path) const {
    const auto item = body_->at(path);
    return item ? &item->row : nullptr;
}

void Uploads::discard(std::int64_t id, Done<void> done) {
    auto item = body_->with(id);
    if (!item) {
        done({});
        return;
    }
    item->discard_done.push_back(std::move(done));
    if (item->discarded) {
        return;
    }
    item->discarded = true;
    if (item->run) {
        item->run->cancel();
    } else {
        body_->finish_discard(item);
    }
}

void Uploads::retry(std::int64_t id) {
    if (auto item = body_->with(id); item && !item->run) {
        item->row.state = UploadState::queued;
        item->next = modem::Clock::now();
        body_->start_due();
    }
}

void Uploads::hold(const modem::RemotePath& path, bool held) {
    for (const auto& [id, item] : body_->items) {
        const auto where = modem::RemotePath::parse(item->row.path);
        if (where && where->is_within(path)) {
            item->held = held;
        }
    }
}

void Uploads::renamed(const std::string& from, const std::string& to) {
    std::unordered_map<std::string, std::int64_t> moved;
    for (auto entry = body_->paths.begin(); entry != body_->paths.end();) {
        const auto& path = entry->first;
        if (path == from || path.starts_with(from + "/")) {
            const auto id = entry->second;
            auto target = to + path.substr(from.size());
            body_->items[id]->row.path = target;
            moved.emplace(std::move(target), id);
            entry = body_->paths.erase(entry);
        } else {
            ++entry;
        }
    }
    body_->paths.merge(moved);
}

/// What waits may be tried at once when the link stands again.
void Uploads::link_changed() {
    using modem::LinkState;
    if (body_->core.link.state != LinkState::ready &&
        body_->core.link.state != LinkState::session) {
        return;
    }
    for (const auto& [id, item] : body_->items) {
        const auto code = static_cast<Errc>(item->row.error_code);
        if (code != Errc::no_space && code != Errc::server_busy && code != Errc::size_mismatch) {
            item->next = std::min(item->next, modem::Clock::now());
        }
    }
    body_->start_due();
}

void Uploads::tick() {
    body_->start_due();
}

std::vector<UploadView> Uploads::list() const {
    std::vector<UploadView> views;
    for (const auto& [id, item] : body_->items) {
        UploadView view{
            item->run ? item->run->row() : item->row, item->run ? item->run->sent() : 0, {}};
        view.row.path = item->row.path;
        if (!item->run && item->row.state == UploadState::queued) {
            const auto left =
                std::chrono::duration_cast<std::chrono::seconds>(item->next - modem::Clock::now());
            view.next_attempt = body_->core.now() + std::max<std::time_t>(left.count(), 0);
        }
        views.push_back(std::move(view));
    }
    return views;
}

std::size_t Uploads::failed() const {
    return static_cast<std::size_t>(std::count_if(
        body_->items.begin(), body_->items.end(),
        [](const auto& entry) { return entry.second->row.state == UploadState::failed; }));
}

std::size_t Uploads::pending() const {
    return body_->items.size() - failed();
}

}  // namespace fusefs
