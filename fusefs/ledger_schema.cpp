// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "fusefs/disk.hpp"
#include "fusefs/ledger_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Result;

namespace {

/// "mftp": tells file(1) and us whose database it is.
constexpr std::int64_t application_id = 0x6d667470;

/// Statements that lead from one version to the next: [0] makes version 1 of an empty file. A
/// released entry never changes; a new version is one more entry.
///
/// Paths, names and words are blobs: bytes in the server's encoding. AUTOINCREMENT since an id is
/// part of a temporary's name on the server, where a dead session may still be writing.
constexpr std::array migrations = {
    R"sql(
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    spool_name BLOB NOT NULL,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
    base_size INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    step INTEGER NOT NULL CHECK (step BETWEEN 0 AND 4),
    remote_name BLOB NOT NULL,
    aside_name BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    mismatches INTEGER NOT NULL,
    resent INTEGER NOT NULL,
    line_bytes INTEGER NOT NULL,
    created INTEGER NOT NULL,
    first_attempt INTEGER NOT NULL,
    error_code INTEGER NOT NULL,
    error_text BLOB NOT NULL
) STRICT;
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    upload INTEGER NOT NULL,
    path BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    line_bytes INTEGER NOT NULL,
    resent INTEGER NOT NULL,
    verified INTEGER NOT NULL
) STRICT;
CREATE TABLE attributes (
    path BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    listed_mtime INTEGER,
    mtime_ns INTEGER,
    mode INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE names (
    path BLOB NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    size INTEGER,
    mtime INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE listings (
    path BLOB NOT NULL PRIMARY KEY,
    fetched INTEGER NOT NULL,
    entries BLOB NOT NULL
) STRICT;
CREATE TABLE facts (
    name BLOB NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (
    day BLOB NOT NULL PRIMARY KEY,
    line_sent INTEGER NOT NULL,
    line_received INTEGER NOT NULL,
    payload_sent INTEGER NOT NULL,
    payload_received INTEGER NOT NULL,
    commands INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
};
constexpr auto newest_version = static_cast<std::int64_t>(migrations.size());

/// Small memory, no mapped file (an I/O error there would be a SIGBUS), and the write-ahead log
/// folded in before it grows past about 1 MiB.
constexpr const char* settings = R"sql(
PRAGMA mmap_size = 0;
PRAGMA cache_size = -256;
PRAGMA temp_store = MEMORY;
PRAGMA cell_size_check = ON;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 256;
PRAGMA journal_size_limit = 1048576;
)sql";

/// One page of the smallest size.
constexpr off_t smallest_database = 512;

Error damage(const std::filesystem::path& file, std::string_view what) {
    return {Errc::local_io, SQLITE_CORRUPT, fmt::format("{}: {}", file.string(), what)};
}

Result<void> quick_check(sqlite::Database& database, const std::filesystem::path& file) {
    TRY(auto statement, database.prepare("PRAGMA quick_check(1)"));
    TRY(const bool found, statement.step());
    std::string verdict;
    if (found) {
        statement.read(verdict);
    }
    if (verdict != "ok") {
        return fail(damage(file, verdict));
    }
    return {};
}

Result<void> use_wal(sqlite::Database& database, const std::filesystem::path& file) {
    TRY(auto statement, database.prepare("PRAGMA journal_mode = WAL"));
    TRY(const bool found, statement.step());
    std::string mode;
    if (found) {
        statement.read(mode);
    }
    if (mode != "wal") {
        return fail(Errc::local_io,
                    fmt::format("{}: the file system cannot hold a write-ahead log (journal mode "
                                "\"{}\"); move the state directory to a local disk",
                                file.string(), mode));
    }
    return {};
}

Result<void> migrate(sqlite::Database& database, std::int64_t from) {
    TRY(auto transaction, sqlite::Transaction::begin(database));
    if (from == 0) {
        CHECK(database.execute(migrations.front()));
        CHECK(
            database.execute("INSERT INTO facts (name, value) VALUES "
                             "(CAST('ledger-fresh' AS BLOB), CAST('1' AS BLOB))"));
        from = 1;
    }
    for (auto version = from; version < newest_version; ++version) {
        CHECK(database.execute(migrations.at(static_cast<std::size_t>(version))));
    }
    // Rewritten at every start: a disk that takes no writes shows here, not at the first close().
    CHECK(database.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                       application_id, newest_version)
                               .c_str()));
    CHECK(
        database.execute("INSERT OR REPLACE INTO facts (name, value) VALUES "
                         "(CAST('ledger-opened' AS BLOB), CAST(strftime('%s', 'now') AS BLOB))"));
    return transaction.commit();
}

/// Fails with "no such table" or "no such column" when the schema is not the one of its version.
Result<void> check_tables(sqlite::Database& database) {
    constexpr std::array queries = {
        "SELECT number, upload, path, bytes, started, ended, attempts, line_bytes, resent, "
        "verified FROM receipts",
        "SELECT path, size, listed_mtime, mtime_ns, mode FROM attributes",
        "SELECT path, kind, size, mtime FROM names",
        "SELECT path, fetched, entries FROM listings",
        "SELECT name, value FROM facts",
        "SELECT day, line_sent, line_received, payload_sent, payload_received, commands "
        "FROM counters",
    };
    for (const auto* query : queries) {
        CHECK(database.prepare(query));
    }
    CHECK(read_uploads(database));
    return {};
}

/// SQLite reports a header whose version bytes are damaged as a read-only database.
Error explain_read_only(Error error, const std::filesystem::path& file) {
    if ((error.number & 0xff) == SQLITE_READONLY && ::access(file.c_str(), W_OK) == 0 &&
        ::access(file.parent_path().c_str(), W_OK) == 0) {
        error.number = SQLITE_CORRUPT;
    }
    return error;
}

Result<bool> check_and_migrate(sqlite::Database& database, const std::filesystem::path& file) {
    CHECK(database.execute(settings));
    CHECK(quick_check(database, file));
    TRY(const auto version, database.value("PRAGMA user_version"));
    TRY(const auto owner, database.value("PRAGMA application_id"));
    if (version < 0 || version > newest_version) {
        return fail(damage(file, fmt::format("schema version {} is not known to this program, "
                                             "which knows up to {}",
                                             version, newest_version)));
    }
    if (version > 0 && owner != application_id) {
        return fail(damage(file, "it is a database of another program"));
    }
    TRY(const auto tables, database.value("SELECT count(*) FROM sqlite_schema"));
    if (version == 0 && tables > 0) {
        return fail(damage(file, "it has tables but no schema version"));
    }
    // Before the first write where possible: what is set aside should be as it was found.
    if (version == newest_version) {
        CHECK(check_tables(database));
    }
    CHECK(use_wal(database, file));
    CHECK(migrate(database, version));
    CHECK(check_tables(database));
    TRY(const auto fresh, database.value("SELECT count(*) FROM facts WHERE "
                                         "name = CAST('ledger-fresh' AS BLOB)"));
    return fresh != 0;
}

std::filesystem::path with_suffix(const std::filesystem::path& file, std::string_view suffix) {
    auto name = file;
    name += suffix;
    return name;
}

bool is_there(const std::filesystem::path& file) {
    struct stat status{};
    return ::lstat(file.c_str(), &status) == 0;
}

/// A database and what belongs to it, in the order in which it is set aside: a log without its
/// database, left by a crash in between, is found damaged again.
constexpr std::array<std::string_view, 3> parts = {"", "-wal", "-shm"};

}  // namespace

Result<OpenedLedger> open_ledger_file(const std::filesystem::path& file) {
    TRY(auto database, sqlite::Database::open(file));
    database.checkpoint_on_close(false);
    auto fresh = check_and_migrate(database, file);
    if (!fresh) {
        return fail(explain_read_only(std::move(fresh).error(), file));
    }
    database.checkpoint_on_close(true);
    return OpenedLedger{std::move(database), *fresh};
}

bool is_truncated_ledger(const std::filesystem::path& file) {
    // SQLite takes a file without a page for a new database and deletes the log beside it, which
    // may hold everything. Such a file without a log is what a disk leaves that lost the content.
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0) {
        return status.st_size < smallest_database;
    }
    return is_there(with_suffix(file, "-wal"));
}

Result<std::string> set_ledger_aside(const std::filesystem::path& file) {
    for (int number = 1;; ++number) {
        const auto aside = with_suffix(file, fmt::format(".damaged-{}", number));
        bool taken = false;
        for (const auto part : parts) {
            taken = taken || is_there(with_suffix(aside, part));
        }
        if (taken) {
            continue;
        }
        for (const auto part : parts) {
            if (::rename(with_suffix(file, part).c_str(), with_suffix(aside, part).c_str()) < 0 &&
                errno != ENOENT) {
                return fail(local_error(file, "setting it aside", errno));
            }
        }
        CHECK(sync_directory(file.parent_path()));
        return aside.string();
    }
}

}  // namespace fusefs
