// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "fusefs/disk.hpp"
#include "fusefs/local_file.hpp"

namespace fusefs {

using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

constexpr std::string_view prefix = "s-";
constexpr std::string_view header_suffix = ".head";
constexpr std::string_view temporary_suffix = ".tmp";
constexpr std::string_view counter_name = "next-number";
/// How many numbers one write of the counter covers: a sync for every 64th file, not for each.
constexpr std::uint64_t numbers_ahead = 64;
/// A header is a few lines with one path.
constexpr std::size_t header_limit = std::size_t{64} * 1024;
/// Left free on the disk for the ledger's next rows and its write-ahead log.
constexpr std::uint64_t ledger_share = std::uint64_t{512} * 1024;

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

/// The number of a spool file's name; nothing for any other name. Names come back from the ledger,
/// where a damaged one must not lead out of the directory.
std::optional<std::uint64_t> number_of(std::string_view name) {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    return parse_number(name.substr(prefix.size()));
}

Result<void> check_name(const std::string& name) {
    if (!number_of(name)) {
        return fail(Errc::invalid_argument, fmt::format("\"{}\" is not a spool file's name", name));
    }
    return {};
}

/// Bytes that a file takes: a sparse one (append) is smaller than its size says.
std::uint64_t bytes_taken(const std::filesystem::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) < 0 || !S_ISREG(status.st_mode)) {
        return 0;
    }
    return std::min(static_cast<std::uint64_t>(status.st_size),
                    static_cast<std::uint64_t>(status.st_blocks) * 512);
}

Result<std::vector<std::string>> entries_of(const std::filesystem::path& directory) {
    std::vector<std::string> entries;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        entries.push_back(at->path().filename().string());
    }
    if (error) {
        return fail(local_error(directory, "listing the directory", error.value()));
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

std::uint64_t disk_free(const std::filesystem::path& directory) {
    struct statvfs status{};
    if (::statvfs(directory.c_str(), &status) < 0) {
        return 0;
    }
    const auto free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    return free > ledger_share ? free - ledger_share : 0;
}

}  // namespace

Spool::Spool(std::filesystem::path directory, std::uint64_t limit)
    : directory_(std::move(directory)), limit_(limit) {}

Result<std::unique_ptr<Spool>> Spool::open(const std::filesystem::path& directory,
                                           std::uint64_t limit) {
    CHECK(make_private_directory(directory));
    auto spool = std::unique_ptr<Spool>(new Spool(directory, limit));
    CHECK(spool->scan());
    return spool;
}

Result<void> Spool::scan() {
    TRY(const auto entries, entries_of(directory_));
    for (const auto& entry : entries) {
        const std::string_view name = entry;
        if (const auto number = number_of(name)) {
            const auto bytes = bytes_taken(directory_ / entry);
            found_[entry] = bytes;
            found_bytes_ += bytes;
            next_ = std::max(next_, *number + 1);
        } else if (name.starts_with(prefix) && name.ends_with(temporary_suffix)) {
            ::unlink((directory_ / entry).c_str());
        }
    }
    for (const auto& entry : entries) {
        const std::string_view name = entry;
        if (!name.starts_with(prefix) || !name.ends_with(header_suffix)) {
            continue;
        }
        const auto file = name.substr(0, name.size() - header_suffix.size());
        if (!found_.contains(std::string(file))) {
            ::unlink((directory_ / entry).c_str());
            next_ = std::max(next_, number_of(file).value_or(0) + 1);
        }
    }
    // A counter that cannot be read was never written, or is damaged: the files decide alone.
    if (const auto text = read_file(directory_ / counter_name, header_limit)) {
        next_ = std::max(next_, parse_number(*text).value_or(0));
    }
    return {};
}

Result<std::uint64_t> Spool::take_number() {
    if (next_ >= kept_until_) {
        const auto until = next_ + numbers_ahead;
        CHECK(replace_file(directory_ / counter_name, std::to_string(until)));
        kept_until_ = until;
    }
    return next_++;
}

Result<std::shared_ptr<LocalFile>> Spool::create() {
    TRY(const auto number, take_number());
    return LocalFile::create(directory_ / fmt::format("{}{:06}", prefix, number));
}

Result<std::shared_ptr<LocalFile>> Spool::open_file(const std::string& name) {
    CHECK(check_name(name));
    return LocalFile::open(directory_ / name);
}

void Spool::remove(const std::string& name) {
    if (!check_name(name)) {
        return;
    }
    ::unlink((directory_ / (name + std::string(header_suffix))).c_str());
    ::unlink((directory_ / name).c_str());
    if (const auto found = found_.find(name); found != found_.end()) {
        found_bytes_ -= found->second;
        found_.erase(found);
    }
}

Result<void> Spool::put_header(const std::string& name, const std::string& text) {
    CHECK(check_name(name));
    if (text.size() > header_limit) {
        return fail(Errc::too_large, fmt::format("{}: the header of a spool file has {} bytes",
                                                 (directory_ / name).string(), text.size()));
    }
    return replace_file(directory_ / (name + std::string(header_suffix)), text);
}

Result<std::string> Spool::header(const std::string& name) {
    CHECK(check_name(name));
    return read_file(directory_ / (name + std::string(header_suffix)), header_limit);
}

Result<std::vector<std::string>> Spool::names() const {
    TRY(auto entries, entries_of(directory_));
    std::erase_if(entries, [](const std::string& entry) { return !number_of(entry); });
    return entries;
}

bool Spool::reserve(std::uint64_t bytes) {
    if (bytes > room().free) {
        return false;
    }
    reserved_ += bytes;
    return true;
}

void Spool::release(std::uint64_t bytes) {
    reserved_ -= std::min(reserved_, bytes);
}

Spool::Room Spool::room() const {
    const auto taken = used();
    const auto unused = limit_ > taken ? limit_ - taken : 0;
    const auto free = std::min(unused, disk_free(directory_));
    return {taken + free, free};
}

}  // namespace fusefs
