// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fusefs/content_cache.hpp"
#include "fusefs/core.hpp"
#include "fusefs/download.hpp"
#include "fusefs/tree.hpp"
#include "fusefs/uploads.hpp"

namespace fusefs {

/// One open of a file, as the kernel's file handle refers to it.
struct Handle {
    std::shared_ptr<File> file;
    bool readable = false;
    bool writable = false;
    bool direct_io = false;          ///< content was not complete when it was opened
    bool keep_cache = false;         ///< the kernel's pages are still right
    bool wrote = false;              ///< since open or since the last FLUSH
    int opener = 0;                  ///< process that opened it (fuse_ctx::pid); set by the adapter
    std::uint64_t opener_owner = 0;  ///< its lock owner, learnt from its first FLUSH
    std::uint64_t read_end = 0;      ///< where the last read ended
    std::uint64_t window = 0;        ///< how far to read ahead of it
    std::uint64_t generation = 0;    ///< of the download whose bytes it may have seen
};
using HandlePtr = std::shared_ptr<Handle>;

/// What a read gives: bytes of a local file (spliced to the kernel), or a buffer.
struct ReadResult {
    std::shared_ptr<LocalFile> file;  ///< nullptr: `bytes`
    std::uint64_t offset = 0;
    std::size_t length = 0;
    std::vector<char> bytes;
};

/// Opening, reading, writing and closing. Main thread; every function answers `done` exactly once,
/// at once or later. Each takes a Waiter: whatever waits for modem or disk registers its
/// cancellation there, which FUSE's INTERRUPT calls.
class Files {
public:
    Files(Core& core, ContentCache& cache, Uploads& uploads);
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    ~Files();

    /// Opens an existing file; `flags` are open(2)'s (O_ACCMODE, O_TRUNC, O_APPEND).
    void open(Node& node, int flags, WaiterPtr waiter, Done<HandlePtr> done);
    /// A new, empty file: the node was just added to the tree (on_server false).
    HandlePtr create(Node& node, int flags);
    /// `whole`: the kernel fills its page cache and takes a short answer for the end of the file
    /// (FUSE_READ without a lock owner: page faults and readahead, also on a direct_io handle);
    /// otherwise what is here is answered at once.
    void read(const HandlePtr& handle, std::uint64_t offset, std::size_t size, bool whole,
              WaiterPtr waiter, Done<ReadResult> done);
    void write(const HandlePtr& handle, std::uint64_t offset, std::span<const char> bytes,
               Done<std::size_t> done);
    /// close(2) of one duplicate. A duplicate that another process inherited while the opener has
    /// shown that it keeps its own is not the end of writing (`{ a; b; } > f`): that waits for the
    /// opener's close, or RELEASE.
    /// `pid` and `lock_owner` are the closing process's (fuse_ctx::pid,
    /// fuse_file_info::lock_owner).
    void flush(const HandlePtr& handle, std::uint64_t lock_owner, int pid, WaiterPtr waiter,
               Done<void> done);
    void fsync(const HandlePtr& handle, WaiterPtr waiter, Done<void> done);
    /// The last duplicate is gone; what is still dirty becomes durable and queued.
    void release(const HandlePtr& handle);
    /// ftruncate (handle given) or truncate.
    void truncate(Node& node, const HandlePtr& handle, std::uint64_t size, WaiterPtr waiter,
                  Done<void> done);

    // ---- for the namespace ------------------------------------------------------------------
    /// Size and time (ns) a program sees: local changes before what is listed.
    [[nodiscard]] std::uint64_t size(const Node& node) const;
    [[nodiscard]] std::optional<std::int64_t> local_mtime_ns(const Node& node) const;
    void set_mtime(Node& node, std::int64_t mtime_ns);
    /// True while content of this node is open, changed or waiting for its upload.
    [[nodiscard]] bool busy(const Node& node) const;
    /// True while an open handle would lose bytes that only the server has.
    [[nodiscard]] bool needs_remote(const Node& node) const;
    /// `clean`, `partial`, `dirty`, `queued`, `uploading`, `failed`.
    [[nodiscard]] std::string_view state(const Node& node) const;
    [[nodiscard]] std::string error(const Node& node) const;
    [[nodiscard]] std::uint64_t cached_bytes(const Node& node) const;
    /// The name is gone: no upload any more; open handles go on without a name.
    void unlinked(Node& node);
    /// While a file at or below `path` is just becoming an upload (whose row says `path`): calls
    /// `then` once it is one, and returns true. Otherwise false, and `then` is dropped.
    bool when_committed(const modem::RemotePath& path, modem::UniqueFunction<void()> then);
    /// The node (or a directory above it) has another path now.
    void renamed(const std::string& from, const std::string& to);
    /// The server's size or time of this file is another now (a listing said so).
    void listed_changed(Node& node);
    /// Recreates the File of an upload that an earlier run left behind.
    void restore(Node& node, const UploadRow& row);
    [[nodiscard]] std::uint64_t open_handles() const;
    void tick();  ///< about once a second: saves what could not be saved before

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
