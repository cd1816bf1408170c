// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "fusefs/core.hpp"
#include "fusefs/download.hpp"

namespace fusefs {

/// Changes to a file that are in the spool but not yet an upload: bytes written here lie over the
/// layer below (a waiting upload's content, else what the server has). Main thread; `file` is set
/// by the storage thread before the first write is announced.
struct Draft {
    std::shared_ptr<LocalFile> file;
    RangeSet local;     ///< bytes that are here
    RangeSet reserved;  ///< bytes taken from the spool's room
    std::uint64_t size = 0;
    std::uint64_t below_visible =
        0;              ///< how far the layer below shows through (truncate shrinks it)
    int in_flight = 0;  ///< writes given to the storage thread
    std::vector<modem::UniqueFunction<void()>> when_quiet;
};

/// Content that an upload row owns: immutable.
struct Frozen {
    std::int64_t id = 0;
    std::shared_ptr<LocalFile> file;
    UploadKind kind = UploadKind::replace;
    std::uint64_t base_size = 0;
    std::uint64_t size = 0;
    std::uint64_t reserved = 0;  ///< spool room to give back
    /// First byte that the spool file holds.
    [[nodiscard]] std::uint64_t begin() const { return kind == UploadKind::append ? base_size : 0; }
};

/// The content of one node while it is open, changed or waiting for its upload. Main thread.
class File {
public:
    Node* node = nullptr;    ///< nullptr: unlinked, or another version has taken its place
    modem::RemotePath path;  ///< below the mount's root
    int handles = 0;
    int writers = 0;
    bool on_server = false;
    ContentVersion base;                 ///< what the server has
    std::shared_ptr<Download> download;  ///< made when bytes of the base are needed
    std::optional<Frozen> frozen;
    std::shared_ptr<Draft> draft;  ///< present: changed since the last commit
    std::int64_t mtime_ns = 0;     ///< of the last local change; 0: none
    bool committing = false;
    bool freezing = false;  ///< writes wait until the draft is an upload
    std::deque<modem::UniqueFunction<void()>> after_commit;
    std::deque<modem::UniqueFunction<void()>> after_freezing;

    [[nodiscard]] std::uint64_t below_size() const {
        return frozen ? frozen->size : on_server ? base.size : 0;
    }
    [[nodiscard]] std::uint64_t size() const { return draft ? draft->size : below_size(); }
    /// Nothing of it is only here.
    [[nodiscard]] bool clean() const { return !draft && !frozen && !committing; }
};
using FilePtr = std::shared_ptr<File>;

/// Where the bytes from one offset on are.
struct Piece {
    enum class Kind { local, zeros, missing };
    Kind kind = Kind::missing;
    std::shared_ptr<LocalFile> source;  ///< of a local piece, at the same offset
    std::uint64_t length = 0;
};
/// The piece at `offset`, at most up to `end` (offset < end ≤ size()). Pure.
[[nodiscard]] Piece piece_at(const File& file, std::uint64_t offset, std::uint64_t end);
/// The same for what lies below the draft.
[[nodiscard]] Piece piece_below(const File& file, std::uint64_t offset, std::uint64_t end);
/// True when every byte is here.
[[nodiscard]] bool is_complete(const File& file);

}  // namespace fusefs
