// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modem/ftp/types.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// How an upload changes the remote file.
enum class UploadKind {
    replace,  ///< the whole content
    append,   ///< spool bytes from base_size on, the remote file is base_size long
};

enum class UploadState { queued, uploading, failed };

/// How far an upload has come on the server; each step is written before the next one begins, so
/// that a crash at any point can be continued.
enum class UploadStep {
    none,     ///< nothing is known to be on the server
    storing,  ///< STOR to `remote_name` has been begun
    stored,   ///< complete and verified under `remote_name`
    aside,    ///< the old file has been renamed to `aside_name`
    renamed,  ///< the new file stands under its final name; `aside_name`, if any, is to go
};

/// One row: one file's latest content that is not on the server yet.
struct UploadRow {
    std::int64_t id = 0;
    std::string path;        ///< remote, absolute
    std::string spool_name;  ///< file in the spool directory
    UploadKind kind = UploadKind::replace;
    std::uint64_t base_size = 0;
    std::uint64_t size = 0;  ///< of the complete content
    std::time_t mtime = 0;   ///< to be remembered once delivered
    UploadState state = UploadState::queued;
    UploadStep step = UploadStep::none;
    std::string remote_name;  ///< temporary name (last component), empty: stored directly
    std::string aside_name;
    int attempts = 0;
    int mismatches = 0;        ///< size checks failed; the way changes after the second
    std::uint64_t resent = 0;  ///< payload bytes sent more than once
    std::uint64_t line_bytes = 0;
    std::time_t created = 0;
    std::time_t first_attempt = 0;
    int error_code = 0;  ///< modem::Errc of the last failure
    std::string error_text;
};

struct ReceiptRow {
    std::int64_t id = 0;  ///< the upload's
    std::string path;
    std::uint64_t bytes = 0;
    std::time_t started = 0, ended = 0;
    int attempts = 0;
    std::uint64_t line_bytes = 0, resent = 0;
    bool verified = false;
};

/// What `touch -d`, `cp -p`, `chmod` set, valid while the listing says the same size and time.
struct AttributeRow {
    std::string path;
    std::uint64_t size = 0;
    std::optional<std::time_t> listed_mtime;  ///< nothing: the next listing is the baseline
    std::optional<std::int64_t> mtime_ns;     ///< what was set, nanoseconds since the epoch
    std::optional<unsigned> mode;             ///< permission bits
};

/// A directory's last listing.
struct ListingRow {
    std::string path;
    std::time_t fetched = 0;
    std::vector<modem::Entry> entries;
};

/// The ledger: one SQLite database (WAL, synchronous=FULL) in the state directory with a schema
/// version and migrations. Storage thread only. Every function is one transaction; when it has
/// returned success the change survives a power cut. Errors: local_io, local_no_space.
class Ledger {
public:
    /// Opens or creates. A damaged file is set aside as `ledger.sqlite.damaged-N` and a new one
    /// begun; `damaged()` then tells.
    static modem::Result<std::unique_ptr<Ledger>> open(const std::filesystem::path& file);
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;
    ~Ledger();
    [[nodiscard]] const std::string& damaged() const;  ///< where the damaged file is, or empty
    /// True when this ledger began empty (first start, or the old one was lost or set aside): what
    /// the spool's headers tell is then all that is known of pending uploads. Stays true over
    /// restarts, so that taking them over may be interrupted, until the first upload's row has gone
    /// or been superseded: from then on a header without a row means nothing any more.
    [[nodiscard]] bool fresh() const;

    /// Inserts (id 0 → a new id) or replaces the row; one row a path: an older row of the same
    /// path is replaced and its spool name returned in `superseded_spool`. A row that is gone
    /// (delivered, discarded, superseded) stays gone: news of it that come late change nothing.
    struct Put {
        std::int64_t id = 0;
        std::string superseded_spool;
    };
    modem::Result<Put> put_upload(UploadRow row);
    modem::Result<void> remove_upload(std::int64_t id);
    /// Removes the row, adds the receipt and sets the attribute baseline, in one transaction.
    modem::Result<void> deliver(std::int64_t id, const ReceiptRow& receipt,
                                const AttributeRow& attributes);
    modem::Result<std::vector<UploadRow>> uploads();
    /// Newest first.
    modem::Result<std::vector<ReceiptRow>> receipts(std::size_t limit);

    modem::Result<void> put_attributes(const AttributeRow& row);
    modem::Result<void> remove_attributes(const std::string& path);
    /// Moves rows of a path and everything below it (attributes, names, listings, uploads). What
    /// stood at `to` and below is replaced. Errors also: invalid_argument for the root, or when one
    /// path is below the other.
    modem::Result<void> rename_path(const std::string& from, const std::string& to);
    modem::Result<std::vector<AttributeRow>> attributes();

    /// Names that no listing shows (dot-files on such servers; all names where there is no LIST).
    struct NameRow {
        std::string path;
        modem::EntryKind kind = modem::EntryKind::file;
        std::optional<std::uint64_t> size;
        std::time_t mtime = 0;
    };
    modem::Result<void> put_name(const NameRow& row);
    modem::Result<void> remove_name(const std::string& path);
    modem::Result<std::vector<NameRow>> names();

    modem::Result<void> put_listing(const ListingRow& row);
    modem::Result<void> remove_listing(const std::string& path);
    /// Rows that cannot be read any more are left out: the next LIST replaces them.
    modem::Result<std::vector<ListingRow>> listings();
    modem::Result<std::optional<ListingRow>> listing(const std::string& path);

    /// Learnt facts ("hidden-listing", "capabilities", "rename-replaces") by name.
    modem::Result<void> put_fact(const std::string& name, const std::string& value);
    modem::Result<std::optional<std::string>> fact(const std::string& name);

    /// Adds to a day's counters (UTC, "2026-11-21").
    struct CounterRow {
        std::string day;
        std::uint64_t line_sent = 0, line_received = 0, payload_sent = 0, payload_received = 0,
                      commands = 0;
    };
    modem::Result<void> add_counters(const CounterRow& row);
    modem::Result<std::vector<CounterRow>> counters();

private:
    struct Body;
    explicit Ledger(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
