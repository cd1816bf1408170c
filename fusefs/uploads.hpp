// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/core.hpp"

namespace fusefs {

/// An upload as lists and messages show it.
struct UploadView {
    UploadRow row;
    std::uint64_t sent = 0;                   ///< payload bytes of the running attempt
    std::optional<std::time_t> next_attempt;  ///< nothing: running, or failed
};

/// Delivers what the spool holds: store under a temporary name, compare sizes, rename into place,
/// write the receipt; retries what time can heal, keeps what a person must decide. Paths in rows
/// are relative to the mount's root. Main thread.
class Uploads {
public:
    /// What became of an upload, told to the File it came from.
    struct Outcome {
        bool delivered = false;
        std::optional<modem::Error> error;  ///< transient: still queued; permanent: failed
        bool permanent = false;
        std::uint64_t size = 0;  ///< delivered: the remote file's size now
        std::time_t mtime = 0;   ///< delivered: its listed time if one was told, else 0
    };
    using Listener = std::function<void(const UploadRow& row, const Outcome& outcome)>;

    explicit Uploads(Core& core);
    Uploads(const Uploads&) = delete;
    Uploads& operator=(const Uploads&) = delete;
    ~Uploads();

    /// Called once for each outcome, before those that wait for it; several in the order added.
    void add_listener(Listener listener);
    /// Takes over the rows an earlier run left (already read from the ledger).
    void restore(std::vector<UploadRow> rows);

    /// Makes `file` (complete for `row.kind`) durable with its ledger row, then uploads it.
    /// `durable` is called as soon as the promise of design "nothing is lost" holds (or cannot be
    /// made: local_io, local_no_space). A waiting upload of the same path is superseded.
    void enqueue(UploadRow row, std::shared_ptr<LocalFile> file, modem::Priority priority,
                 Done<std::int64_t> durable);
    /// Answers with the next outcome of the upload: success, or why not (transient errors
    /// included).
    void wait(std::int64_t id, WaiterPtr waiter, Done<void> done);
    /// True while bytes of this path's upload are on their way.
    [[nodiscard]] bool running(const std::string& path) const;
    /// Answers as soon as no upload of this path is running (its outcome does not matter).
    void settled(const std::string& path, WaiterPtr waiter, Done<void> done);
    /// The row for a path, if one waits, runs or has failed.
    [[nodiscard]] const UploadRow* find(const std::string& path) const;

    /// Drops the upload (unlink): row, spool file and what is on the server under its temporary
    /// name. `done` when a running one has let go.
    void discard(std::int64_t id, Done<void> done);
    void retry(std::int64_t id);  ///< a failed one is queued again, a waiting one hurries
    /// Uploads at or below `path` that wait are not begun until they are let go again: their names
    /// are being changed on the server.
    void hold(const modem::RemotePath& path, bool held);
    /// Paths at or below `from` are at `to` from now on.
    void renamed(const std::string& from, const std::string& to);

    void link_changed();  ///< the link is ready: waiting ones hurry
    void tick();          ///< once a second: retries that are due
    [[nodiscard]] std::vector<UploadView> list() const;
    [[nodiscard]] std::size_t pending() const;  ///< queued or running
    [[nodiscard]] std::size_t failed() const;

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
