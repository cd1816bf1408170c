// SPDX-License-Identifier: MIT
#include "fusefs/content_index.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>

#include "fusefs/codec.hpp"
#include "fusefs/disk.hpp"

namespace fusefs {

using modem::Result;

namespace {

constexpr std::string_view magic = "MFC1";
constexpr std::string_view prefix = "c-";
constexpr std::string_view index_name = "index";
/// Some 500,000 files; more than any cache of ours holds.
constexpr std::size_t index_limit = std::size_t{64} * 1024 * 1024;

ContentIndex decode(std::string_view bytes) {
    Decoder decoder(magic, bytes);
    ContentIndex index;
    index.boot = decoder.text();
    index.next = decoder.number();
    const auto count = decoder.number();
    for (std::uint64_t i = 0; i < count && !decoder.failed(); ++i) {
        auto& entry = index.entries.emplace_back();
        entry.path = decoder.text();
        entry.version.size = decoder.number();
        entry.version.mtime = decoder.signed_number();
        entry.number = decoder.number();
        entry.durable = decoder.number() != 0;
        auto present = RangeSet::from_text(decoder.text());
        if (!present) {
            return {};
        }
        entry.present = *std::move(present);
    }
    return decoder.complete() ? index : ContentIndex{};
}

/// True when the file can hold what the entry says.
bool is_borne_out(const std::filesystem::path& directory, const ContentIndex::Entry& entry) {
    struct stat status{};
    if (::lstat((directory / content_name(entry.number)).c_str(), &status) < 0 ||
        !S_ISREG(status.st_mode)) {
        return false;
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    return entry.present.end() <= size && size <= entry.version.size;
}

}  // namespace

std::string content_name(std::uint64_t number) {
    return fmt::format("{}{:06}", prefix, number);
}

std::optional<std::uint64_t> content_number(std::string_view name) {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    std::uint64_t number = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
    if (name.empty() || read.ec != std::errc{} || read.ptr != name.data() + name.size()) {
        return std::nullopt;
    }
    return number;
}

std::string boot_id() {
    return read_file("/proc/sys/kernel/random/boot_id", 128).value_or("");
}

Result<void> write_index(const std::filesystem::path& directory, const ContentIndex& index) {
    Encoder encoder(magic);
    encoder.text(index.boot);
    encoder.number(index.next);
    encoder.number(index.entries.size());
    for (const auto& entry : index.entries) {
        encoder.text(entry.path);
        encoder.number(entry.version.size);
        encoder.signed_number(entry.version.mtime);
        encoder.number(entry.number);
        encoder.number(entry.durable ? 1 : 0);
        encoder.text(entry.present.to_text());
    }
    return replace_file(directory / index_name, std::move(encoder).finish());
}

ContentIndex read_index(const std::filesystem::path& directory) {
    const auto bytes = read_file(directory / index_name, index_limit);
    return bytes ? decode(*bytes) : ContentIndex{};
}

ContentIndex restore_index(const std::filesystem::path& directory) {
    auto index = read_index(directory);
    const auto boot = boot_id();
    const bool same_boot = !boot.empty() && index.boot == boot;
    std::set<std::string> known;
    std::set<std::string> paths;
    std::erase_if(index.entries, [&](const ContentIndex::Entry& entry) {
        return (!entry.durable && !same_boot) || !is_borne_out(directory, entry) ||
               !paths.insert(entry.path).second || !known.insert(content_name(entry.number)).second;
    });
    std::vector<std::filesystem::path> strangers;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        const auto name = at->path().filename().string();
        if (const auto number = content_number(name)) {
            index.next = std::max(index.next, *number + 1);
            if (!known.contains(name)) {
                strangers.push_back(at->path());
            }
        }
    }
    for (const auto& stranger : strangers) {
        ::unlink(stranger.c_str());
    }
    index.boot = boot;
    return index;
}

}  // namespace fusefs
