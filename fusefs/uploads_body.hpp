// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "fusefs/upload_run.hpp"
#include "fusefs/uploads.hpp"

namespace fusefs {

/// The inside of Uploads: every upload that is not delivered yet, and who waits for it.
struct Uploads::Body {
    struct Waiting {
        std::uint64_t id = 0;
        Done<void> done;
    };
    struct Item {
        UploadRow row;
        std::shared_ptr<LocalFile> file;
        modem::Priority priority = modem::Priority::background;
        std::shared_ptr<UploadRun> run;  ///< while running
        modem::Clock::time_point next;   ///< when to try again
        bool held = false;               ///< being superseded: not to be started
        bool discarded = false;
        std::vector<Waiting> waiting;
        std::vector<Done<void>> discard_done;
    };
    using ItemPtr = std::shared_ptr<Item>;

    explicit Body(Core& shared) : core(shared) {}

    void put(UploadRow row, std::shared_ptr<LocalFile> file, modem::Priority priority,
             Done<std::int64_t> durable);
    void adopt(const ItemPtr& item, const std::string& superseded_spool);
    void start(const ItemPtr& item);
    void start_due();
    void ended(const ItemPtr& item, modem::Result<UploadRun::Verdict> verdict);
    void deliver(const ItemPtr& item, const UploadRun::Verdict& verdict);
    void broke(const ItemPtr& item, const modem::Error& error);
    void finish_discard(const ItemPtr& item);
    void forget(const ItemPtr& item);
    void remove_leftover(const UploadRow& row);
    void tell(const UploadRow& row, const Outcome& outcome) const;
    void answer(const ItemPtr& item, const std::optional<modem::Error>& error);
    void tell_settled(const std::string& path);
    [[nodiscard]] ItemPtr at(const std::string& path) const;
    [[nodiscard]] ItemPtr with(std::int64_t id) const;
    [[nodiscard]] AttributeRow attributes(const UploadRow& row,
                                          const UploadRun::Verdict& verdict) const;
    [[nodiscard]] std::chrono::milliseconds pause_before_next(const UploadRow& row,
                                                              modem::Errc code);

    Core& core;
    std::vector<Listener> listeners;
    std::map<std::int64_t, ItemPtr> items;
    std::unordered_map<std::string, std::int64_t> paths;
    std::multimap<std::string, Waiting> settling;
    std::uint64_t next_waiter = 1;
    std::minstd_rand random{std::random_device{}()};
};

}  // namespace fusefs
