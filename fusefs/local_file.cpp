// SPDX-License-Identifier: MIT
#include "fusefs/local_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "fusefs/disk.hpp"

namespace fusefs {

using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

/// Largest piece given to one system call; far below SSIZE_MAX and easily interrupted by a stop.
constexpr std::size_t piece = 1U << 20;

Result<off_t> checked_offset(const std::filesystem::path& path, std::uint64_t offset,
                             std::uint64_t length) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    if (offset > limit || length > limit - offset) {
        return fail(local_error(path, "using an offset beyond the largest file", EFBIG));
    }
    return static_cast<off_t>(offset);
}

}  // namespace

LocalFile::LocalFile(std::filesystem::path path, modem::Fd fd)
    : path_(std::move(path)), fd_(std::move(fd)) {}

Result<std::shared_ptr<LocalFile>> LocalFile::create(const std::filesystem::path& path) {
    modem::Fd fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    if (!fd) {
        return fail(local_error(path, "creating it", errno));
    }
    return std::shared_ptr<LocalFile>(new LocalFile(path, std::move(fd)));
}

Result<std::shared_ptr<LocalFile>> LocalFile::open(const std::filesystem::path& path) {
    modem::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    if (!fd) {
        return fail(local_error(path, "opening it", errno));
    }
    return std::shared_ptr<LocalFile>(new LocalFile(path, std::move(fd)));
}

Result<std::size_t> LocalFile::read(std::uint64_t offset, std::span<char> into) const {
    TRY(const off_t start, checked_offset(path_, offset, into.size()));
    std::size_t done = 0;
    while (done < into.size()) {
        const auto got = ::pread(fd_.get(), into.data() + done, std::min(piece, into.size() - done),
                                 start + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(local_error(path_, "reading it", errno));
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> LocalFile::write(std::uint64_t offset, std::span<const char> bytes) const {
    TRY(const off_t start, checked_offset(path_, offset, bytes.size()));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto put =
            ::pwrite(fd_.get(), bytes.data() + done, std::min(piece, bytes.size() - done),
                     start + static_cast<off_t>(done));
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return fail(local_error(path_, "writing it", put < 0 ? errno : EIO));
        }
        done += static_cast<std::size_t>(put);
    }
    return {};
}

Result<void> LocalFile::truncate(std::uint64_t size) const {
    TRY(const off_t length, checked_offset(path_, size, 0));
    while (::ftruncate(fd_.get(), length) < 0) {
        if (errno != EINTR) {
            return fail(local_error(path_, "changing its size", errno));
        }
    }
    return {};
}

Result<void> LocalFile::sync() const {
    if (::fdatasync(fd_.get()) < 0) {
        return fail(local_error(path_, "making it durable", errno));
    }
    if (!directory_synced_) {
        CHECK(sync_directory(path_.parent_path()));
        directory_synced_ = true;
    }
    return {};
}

void LocalFile::remove() {
    ::unlink(path_.c_str());
}

Result<void> LocalFile::copy_from(const LocalFile& other, std::uint64_t begin,
                                  std::uint64_t end) const {
    if (begin >= end) {
        return {};
    }
    TRY(off_t from, checked_offset(path_, begin, end - begin));
    off_t to = from;
    while (static_cast<std::uint64_t>(from) < end) {
        const auto rest = std::min<std::uint64_t>(piece, end - static_cast<std::uint64_t>(from));
        const auto got = ::copy_file_range(other.fd_.get(), &from, fd_.get(), &to,
                                           static_cast<std::size_t>(rest), 0);
        if (got > 0 || (got < 0 && errno == EINTR)) {
            continue;
        }
        if (got < 0 && is_full(errno)) {
            return fail(local_error(path_, "copying into it", errno));
        }
        // Another file system, an old kernel, or the end of the source: reading tells which.
        return copy_by_hand(other, static_cast<std::uint64_t>(from), end);
    }
    return {};
}

Result<void> LocalFile::copy_by_hand(const LocalFile& other, std::uint64_t begin,
                                     std::uint64_t end) const {
    std::array<char, std::size_t{32} * 1024> buffer;
    while (begin < end) {
        const auto rest = std::min<std::uint64_t>(buffer.size(), end - begin);
        TRY(const std::size_t got,
            other.read(begin, std::span(buffer).first(static_cast<std::size_t>(rest))));
        if (got == 0) {
            return fail(Errc::local_io, other.path_.string() + " is shorter than expected");
        }
        CHECK(write(begin, std::span<const char>(buffer).first(got)));
        begin += got;
    }
    return {};
}

}  // namespace fusefs
