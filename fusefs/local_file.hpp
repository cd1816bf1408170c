// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fusefs/range_set.hpp"
#include "modem/fd.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// A file of the spool or the content cache on the local disk: bytes at their remote offsets. The
/// descriptor may be used by several threads (pread/pwrite only); creating, syncing and removing
/// happen on the storage thread. Which bytes are valid is the owner's business (RangeSet).
class LocalFile {
public:
    /// A new file, mode 0600; never an existing one. Errors: local_io, local_no_space.
    static modem::Result<std::shared_ptr<LocalFile>> create(const std::filesystem::path& path);
    static modem::Result<std::shared_ptr<LocalFile>> open(const std::filesystem::path& path);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Fewer bytes than asked for only at the end of the file.
    modem::Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const;
    modem::Result<void> write(std::uint64_t offset, std::span<const char> bytes) const;
    modem::Result<void> truncate(std::uint64_t size) const;
    modem::Result<void> sync() const;  ///< fdatasync, and fsync of the directory once
    void remove();                     ///< unlinks; open descriptors go on
    /// Copies [begin, end) from another file (copy_file_range, else read and write). A source that
    /// ends before is local_io.
    modem::Result<void> copy_from(const LocalFile& other, std::uint64_t begin,
                                  std::uint64_t end) const;

private:
    LocalFile(std::filesystem::path path, modem::Fd fd);
    modem::Result<void> copy_by_hand(const LocalFile& other, std::uint64_t begin,
                                     std::uint64_t end) const;
    std::filesystem::path path_;
    modem::Fd fd_;
    mutable bool directory_synced_ = false;
};

/// The spool directory: one file an upload, named by a number that never returns ("s-000042").
/// Each begins life invisible to recovery and gets its header (path, kind, base size, size) as an
/// extended attribute-free sidecar `NAME.head`, written and synced before the ledger row, from
/// which a lost ledger can be rebuilt. Storage thread, except reserve()/release()/room().
class Spool {
public:
    /// Makes the directory when it is missing; charges the files that are there against `limit`
    /// (bytes) until they are removed, and clears away what a crash left half made. Errors:
    /// local_io, local_no_space.
    static modem::Result<std::unique_ptr<Spool>> open(const std::filesystem::path& directory,
                                                      std::uint64_t limit);
    modem::Result<std::shared_ptr<LocalFile>> create();
    modem::Result<std::shared_ptr<LocalFile>> open_file(const std::string& name);
    /// Header first, then the file: what a crash leaves is invisible to recovery. What open() has
    /// charged for the file is released; what reserve() has, its owner releases.
    void remove(const std::string& name);
    /// Durable on return.
    modem::Result<void> put_header(const std::string& name, const std::string& text);
    modem::Result<std::string> header(const std::string& name);
    /// Names of all spool files, for clean-up of those that no ledger row mentions.
    [[nodiscard]] modem::Result<std::vector<std::string>> names() const;

    /// Accounting of `upload.spool-size` and the disk: false when `bytes` more do not fit. A little
    /// of the disk is left for the ledger, so that what fits can also be recorded. Main thread.
    [[nodiscard]] bool reserve(std::uint64_t bytes);
    void release(std::uint64_t bytes);
    struct Room {
        std::uint64_t size = 0, free = 0;
    };
    [[nodiscard]] Room room() const;  ///< for statfs; the smaller of limit and disk

private:
    Spool(std::filesystem::path directory, std::uint64_t limit);
    modem::Result<void> scan();
    modem::Result<std::uint64_t> take_number();

    std::filesystem::path directory_;
    std::uint64_t limit_;
    [[nodiscard]] std::uint64_t used() const { return reserved_ + found_bytes_; }

    std::uint64_t reserved_ = 0;                  ///< main thread
    std::atomic<std::uint64_t> found_bytes_ = 0;  ///< in the files that open() found
    std::map<std::string, std::uint64_t> found_;  ///< those files; storage thread, as all below
    std::uint64_t next_ = 1;
    std::uint64_t kept_until_ = 0;  ///< numbers below are on disk as used (`next-number`)
};

}  // namespace fusefs
