// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fusefs/content_cache.hpp"
#include "fusefs/content_index.hpp"
#include "modem/interrupt.hpp"

namespace fusefs {

/// The content cache's index: which contents there are, in which order they were used, which have
/// a descriptor, and what of that is on the disk. Main thread.
struct ContentCache::Body {
    struct Item;
    using Items = std::list<Item>;
    struct Item {
        std::shared_ptr<CachedContent> content;
        std::uint64_t number = 0;   ///< of its file
        std::uint64_t counted = 0;  ///< its share of `used`
        std::uint64_t changes = 0;  ///< how often bytes arrived
        bool durable = false;       ///< its bytes have been synced
        bool listed = false;        ///< in the index as last saved
        bool settled = true;        ///< false: its file is still on its way from the spool
        std::optional<std::list<Items::iterator>::iterator> open;  ///< place in `open`
    };

    Body(Storage& given_storage, std::filesystem::path given_directory, std::uint64_t given_limit)
        : storage(given_storage), directory(std::move(given_directory)), limit(given_limit) {}

    Storage& storage;
    std::filesystem::path directory;
    std::uint64_t limit;
    std::string boot = boot_id();
    std::uint64_t next = 1;
    std::uint64_t used = 0;
    Items items;  ///< most recently used first
    std::map<std::string, Items::iterator> paths;
    std::list<Items::iterator> open;  ///< with a descriptor, most recently opened first
    bool dirty = false;
    bool wanted = false;  ///< a save was asked for too early
    bool saving = false;
    modem::Clock::time_point saved{};

    [[nodiscard]] std::filesystem::path file_of(std::uint64_t number) const {
        return directory / content_name(number);
    }
    Items::iterator insert(std::shared_ptr<CachedContent> content, std::uint64_t number);
    void touch(Items::iterator item) { items.splice(items.begin(), items, item); }
    void recount(Item& item);
    /// Out of the index and off the disk; who uses it goes on with its descriptor.
    void detach(Items::iterator item);
    void detach_path(const std::string& path);
    void detach_subtree(const std::string& path);
    void evict(const CachedContent* keep);
    void note_open(Items::iterator item);
    void note_closed(Item& item);
    bool reopen(Items::iterator item);
    Items::iterator lookup(const CachedContent& content);
    modem::Result<std::pair<std::shared_ptr<LocalFile>, std::uint64_t>> create_file();

    void notice_changes();
    ContentIndex snapshot();
    void save_now(const std::shared_ptr<Body>& self);
    void save_if_wanted(const std::shared_ptr<Body>& self);
    void mark_durable(const ContentIndex& index);
    static bool is_listable(const Item& item);
};

}  // namespace fusefs
