// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fusefs/core.hpp"
#include "fusefs/files.hpp"
#include "fusefs/remembered.hpp"

namespace fusefs {

/// The directory cache: one LIST a directory for everybody who asks while it is younger than
/// `cache.directory-ttl`, our own changes edited in, the last ones kept across restarts. Main
/// thread.
class Directories {
public:
    Directories(Core& core, Files& files, Remembered& remembered);
    Directories(const Directories&) = delete;
    Directories& operator=(const Directories&) = delete;

    /// True when the children are all there is and young enough to be told without asking.
    [[nodiscard]] bool fresh(const Node& directory) const {
        const auto& state = *directory.directory;
        return state.listed &&
               modem::Clock::now() - state.fetched < core_.config->cache.directory_ttl;
    }
    /// Answers as soon as the children can be served: at once when fresh, or when expired and the
    /// link is down; else after one LIST that all askers share. When that fails because of the
    /// link, an expired listing does. Errors: the LIST's, cancelled.
    void ensure(Node& directory, const WaiterPtr& waiter, Done<void> done);

    /// We changed what is in this directory on the server.
    void edited(Node& directory);
    /// Something below the directory is another now (size, time): the saved listing is out of date.
    void touched(const Node& directory);
    /// Nobody knows whether a change of ours arrived: the next look asks.
    void doubt(Node& directory);
    /// Forgets listings at and below.
    void drop(Node& directory);
    /// Takes over what an earlier run saved; served only while the link is down.
    void restore(std::vector<ListingRow> rows);
    /// Writes changed listings to the ledger; `all`: those that are still changing as well.
    void save(bool all);
    /// A directory is gone: its row in the ledger as well.
    void removed(const std::string& path);

private:
    struct Asker {
        std::uint64_t id = 0;
        Done<void> done;
    };
    struct Fetch {
        std::uint64_t id = 0;
        modem::JobQueue::Ticket ticket = 0;
        std::vector<Asker> askers;
    };
    void fetch(Node& directory, Asker asker);
    void give_up(Ino directory, std::uint64_t asker);
    void fetched(Ino directory, std::uint64_t fetch, modem::Result<modem::Answer> answer);
    void take(Node& directory, modem::Listing listing);
    modem::Result<void> failed(Node& directory, modem::Error error);
    void report(const std::string& path, const modem::Listing& listing);
    [[nodiscard]] modem::Clock::time_point long_ago() const;

    Core& core_;
    Files& files_;
    Remembered& remembered_;
    std::map<Ino, Fetch> fetches_;
    std::map<Ino, modem::Clock::time_point> unsaved_;  ///< since when
    std::uint64_t next_id_ = 1;
};

}  // namespace fusefs
