// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/content_cache.hpp"
#include "fusefs/range_set.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// The content cache's memory of what its files hold: one small file, `index`, replaced as a whole.
struct ContentIndex {
    struct Entry {
        std::string path;
        ContentVersion version;
        std::uint64_t number = 0;  ///< of the file, see content_name()
        bool durable = false;      ///< its bytes were synced before the index was written
        RangeSet present;
        std::uint64_t changes = 0;  ///< the writer's count of them; not stored
    };
    std::string boot;        ///< boot_id() of the writer: what is not durable counts until reboot
    std::uint64_t next = 1;  ///< larger than every number ever given to a file
    std::vector<Entry> entries;  ///< least recently used first
};

/// "c-000042"
[[nodiscard]] std::string content_name(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> content_number(std::string_view name);

/// The running kernel's boot id; empty when there is none.
[[nodiscard]] std::string boot_id();

/// Errors: local_io, local_no_space; the old index is still there then.
modem::Result<void> write_index(const std::filesystem::path& directory, const ContentIndex& index);
/// A missing or damaged index is an empty one.
[[nodiscard]] ContentIndex read_index(const std::filesystem::path& directory);

/// Reads the index, leaves out what its files do not bear out, deletes cache files that are not in
/// it, and raises `next` above every file's number.
[[nodiscard]] ContentIndex restore_index(const std::filesystem::path& directory);

}  // namespace fusefs
