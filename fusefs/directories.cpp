// SPDX-License-Identifier: MIT
#include "fusefs/directories.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "fusefs/ask.hpp"
#include "fusefs/ledger_write.hpp"
#include "modem/at/parse.hpp"

namespace fusefs {

using modem::Clock;
using modem::Errc;
using modem::Error;
using modem::Result;

namespace {

/// A listing is saved this long after it began to change.
constexpr std::chrono::seconds save_after{5};
/// After a LIST that the link broke, the expired listing does for so long: an `ls -l` would
/// otherwise wait once for each name.
constexpr std::chrono::seconds stale_for{5};

/// True when the failure says something about the directory rather than about the way to it.
bool is_verdict(Errc code) {
    switch (code) {
        case Errc::not_found:
        case Errc::permission:
        case Errc::rejected:
        case Errc::not_directory:
        case Errc::not_supported:
        case Errc::too_large:
        case Errc::cancelled:
        case Errc::shutting_down:
            return true;
        default:
            return false;
    }
}

}  // namespace

Directories::Directories(Core& core, Files& files, Remembered& remembered)
    : core_(core), files_(files), remembered_(remembered) {}

void Directories::ensure(Node& directory, const WaiterPtr& waiter, Done<void> done) {
    const auto& state = *directory.directory;
    const bool no_list = core_.link.capabilities && !core_.link.capabilities->list;
    const bool expired_does =
        state.listed && (!core_.link_up() || Clock::now() < state.stale_until);
    if (fresh(directory) || no_list || expired_does) {
        done({});
        return;
    }
    const auto id = next_id_++;
    fetch(directory, {id, std::move(done)});
    if (waiter) {
        waiter->on_interrupt(
            while_alive(core_, [this, ino = directory.ino, id] { give_up(ino, id); }));
    }
}

void Directories::fetch(Node& directory, Asker asker) {
    if (const auto running = fetches_.find(directory.ino); running != fetches_.end()) {
        running->second.askers.push_back(std::move(asker));
        return;
    }
    const auto path = core_.tree.path(directory);
    const auto remote =
        path ? core_.remote(*path)
             : Result<modem::RemotePath>(modem::fail(Errc::not_found, "the directory was removed"));
    if (!remote) {
        asker.done(modem::fail(remote.error()));
        return;
    }
    Fetch& fetch = fetches_[directory.ino];
    fetch.id = next_id_++;
    fetch.askers.push_back(std::move(asker));
    fetch.ticket = core_.queue->submit(
        modem::ListRequest{*remote}, modem::Priority::metadata,
        while_alive(core_,
                    [this, ino = directory.ino, id = fetch.id](Result<modem::Answer> answer) {
                        fetched(ino, id, std::move(answer));
                    }));
}

void Directories::give_up(Ino directory, std::uint64_t asker) {
    const auto running = fetches_.find(directory);
    if (running == fetches_.end()) {
        return;
    }
    auto& askers = running->second.askers;
    const auto found = std::find_if(askers.begin(), askers.end(),
                                    [asker](const Asker& one) { return one.id == asker; });
    if (found == askers.end()) {
        return;
    }
    auto done = std::move(found->done);
    askers.erase(found);
    if (askers.empty()) {
        core_.queue->cancel(running->second.ticket);
        fetches_.erase(running);
    }
    done(modem::fail(Errc::cancelled, "interrupted"));
}

void Directories::fetched(Ino directory, std::uint64_t fetch, Result<modem::Answer> answer) {
    const auto running = fetches_.find(directory);
    if (running == fetches_.end() || running->second.id != fetch) {
        return;  // everybody gave up, and somebody else may have begun anew
    }
    auto askers = std::move(running->second.askers);
    fetches_.erase(running);
    Node* const node = core_.tree.find(directory);
    Result<void> outcome;
    if (node == nullptr) {
        outcome = modem::fail(Errc::not_found, "the directory was removed");
    } else if (!answer) {
        outcome = failed(*node, std::move(answer).error());
    } else if (auto* const listing = std::get_if<modem::Listing>(&*answer)) {
        take(*node, std::move(*listing));
    }
    for (auto& asker : askers) {
        asker.done(outcome);
    }
}

Result<void> Directories::failed(Node& directory, Error error) {
    auto& state = *directory.directory;
    if (state.listed && !is_verdict(error.code)) {
        state.stale_until = Clock::now() + stale_for;
        return {};
    }
    if (error.code == Errc::not_found && directory.parent != nullptr) {
        doubt(*directory.parent);
    }
    return modem::fail(std::move(error));
}

void Directories::report(const std::string& path, const modem::Listing& listing) {
    if (listing.harmful > 0) {
        core_.log(4, fmt::format("{} entries of {} dropped: names that could do harm",
                                 listing.harmful, modem::printable(path)));
    }
    if (listing.skipped > 0) {
        core_.log(5, fmt::format("{} lines of the listing of {} were not understood",
                                 listing.skipped, modem::printable(path)));
    }
}

void Directories::take(Node& directory, modem::Listing listing) {
    const auto path = core_.tree.path(directory);
    if (!path) {
        return;
    }
    report(path->text(), listing);
    auto& entries = listing.entries;
    std::erase_if(entries, [this](const modem::Entry& entry) { return core_.is_ours(entry.name); });
    const bool dots_shown = listing.shows_dot_entries || !core_.hides_dots();
    if (!dots_shown) {
        // Listed ones win: sorting is stable and the first of two equal names counts.
        auto hidden = remembered_.names_in(path->text());
        std::move(hidden.begin(), hidden.end(), std::back_inserter(entries));
    }
    const auto applied = core_.tree.apply(directory, entries, Clock::now());
    directory.directory->dots_shown = dots_shown;
    for (Node* const node : applied.changed) {
        files_.listed_changed(*node);
    }
    const auto prefix = path->is_root() ? "/" : path->text() + "/";
    for (const auto& name : applied.forgotten) {
        remembered_.forget_attributes(prefix + name);
    }
    remembered_.adopt(directory);
    touched(directory);
}

void Directories::edited(Node& directory) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    directory.set_mtime_ns = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    directory.listed_mtime = 0;  // the server's has changed as well; the next listing tells it
    touched(directory);
}

void Directories::touched(const Node& directory) {
    if (directory.directory->listed) {
        unsaved_.emplace(directory.ino, Clock::now());
    }
}

Clock::time_point Directories::long_ago() const {
    return Clock::now() - core_.config->cache.directory_ttl - std::chrono::hours(24);
}

void Directories::doubt(Node& directory) {
    directory.directory->fetched = long_ago();
    directory.directory->stale_until = {};
    directory.directory->absent.clear();
}

void Directories::drop(Node& directory) {
    std::vector<Node*> below;
    for (const auto& [name, child] : directory.directory->children) {
        if (child->is_directory()) {
            below.push_back(child);
        }
    }
    for (Node* const child : below) {
        drop(*child);
    }
    if (directory.directory->listed) {
        if (const auto path = core_.tree.path(directory)) {
            removed(path->text());
        }
        core_.tree.drop_listing(directory);
    }
}

void Directories::restore(std::vector<ListingRow> rows) {
    std::sort(rows.begin(), rows.end(),
              [](const ListingRow& a, const ListingRow& b) { return a.path < b.path; });
    for (auto& row : rows) {
        const auto path = modem::RemotePath::parse(row.path);
        Node* const directory = path ? core_.tree.at(*path) : nullptr;
        if (directory == nullptr || !directory->is_directory()) {
            removed(row.path);
            continue;
        }
        if (core_.hides_dots()) {
            auto hidden = remembered_.names_in(row.path);
            std::move(hidden.begin(), hidden.end(), std::back_inserter(row.entries));
        }
        core_.tree.apply(*directory, row.entries, long_ago());
        directory->directory->dots_shown = !core_.hides_dots();
    }
}

void Directories::save(bool all) {
    const auto limit = Clock::now() - save_after;
    for (auto at = unsaved_.begin(); at != unsaved_.end();) {
        if (!all && at->second > limit) {
            ++at;
            continue;
        }
        const Node* const directory = core_.tree.find(at->first);
        at = unsaved_.erase(at);
        const auto path = directory != nullptr ? core_.tree.path(*directory) : std::nullopt;
        if (!path || !directory->directory->listed) {
            continue;
        }
        auto row = std::make_shared<ListingRow>();
        row->path = path->text();
        row->fetched = core_.now();
        row->entries.reserve(directory->directory->children.size());
        for (const auto& [name, child] : directory->directory->children) {
            if (child->on_server) {
                row->entries.push_back(
                    {name, child->kind, child->listed_size, child->listed_mtime, child->target});
            }
        }
        write_ledger(core_,
                     [row = std::move(row)](Ledger& ledger) { return ledger.put_listing(*row); });
    }
}

void Directories::removed(const std::string& path) {
    write_ledger(core_, [path](Ledger& ledger) { return ledger.remove_listing(path); });
}

}  // namespace fusefs
