// SPDX-License-Identifier: MIT
#include "fusefs/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "fusefs/disk.hpp"
#include "modem/fd.hpp"

namespace fusefs::sqlite {

using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Result;

namespace {

/// How long another process (somebody who looks with the sqlite3 shell) may hold the lock.
constexpr int busy_timeout_ms = 2000;

}  // namespace

Error error_of(sqlite3* handle) {
    const int code = sqlite3_extended_errcode(handle);
    const int system = sqlite3_system_errno(handle);
    const char* name = sqlite3_db_filename(handle, "main");
    const std::filesystem::path file(name != nullptr ? name : "");
    const auto* words = sqlite3_errmsg(handle);
    if ((code & 0xff) == SQLITE_FULL || ((code & 0xff) == SQLITE_IOERR && is_full(system))) {
        return {Errc::local_no_space, code,
                fmt::format("{}: {}; make room in {}", file.string(), words,
                            file.parent_path().string())};
    }
    return {Errc::local_io, code, fmt::format("{}: {}", file.string(), words)};
}

bool is_damage(const Error& error) {
    switch (error.number & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
        case SQLITE_ERROR:       // "no such table", "unsupported file format"
        case SQLITE_CONSTRAINT:  // rows that no version of us has written
        case SQLITE_MISMATCH:
        case SQLITE_SCHEMA:
            return true;
        default:
            return false;
    }
}

Result<Database> Database::open(const std::filesystem::path& file) {
    // SQLite would create it readable for everybody. Closed again before SQLite opens it: closing
    // any descriptor of the file drops the process's POSIX locks on it.
    if (!modem::Fd(
            ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600))) {
        return fail(local_error(file, "opening it", errno));
    }
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(
        file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        nullptr);
    if (handle == nullptr) {
        return fail(Errc::local_io, fmt::format("{}: out of memory", file.string()), code);
    }
    Database database(handle);
    if (code != SQLITE_OK) {
        return fail(Errc::local_io, fmt::format("{}: {}", file.string(), sqlite3_errmsg(handle)),
                    code);
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    return database;
}

Result<void> Database::execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return fail(error_of(handle_.get()));
    }
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* handle = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle,
                           nullptr) != SQLITE_OK) {
        return fail(error_of(handle_.get()));
    }
    return Statement(handle);
}

Result<std::int64_t> Database::value(std::string_view sql) {
    TRY(auto statement, prepare(sql));
    TRY(const bool found, statement.step());
    std::int64_t value = 0;
    if (found) {
        statement.read(value);
    }
    return value;
}

void Database::checkpoint_on_close(bool on) {
    sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

Result<bool> Statement::step() {
    if (failed_bind_ != SQLITE_OK) {
        return fail(error_of(sqlite3_db_handle(handle_.get())));
    }
    switch (sqlite3_step(handle_.get())) {
        case SQLITE_ROW:
            return true;
        case SQLITE_DONE:
            return false;
        default: {
            auto error = error_of(sqlite3_db_handle(handle_.get()));
            sqlite3_reset(handle_.get());  // an unfinished statement would keep its lock
            return fail(std::move(error));
        }
    }
}

Result<void> Statement::run() {
    while (true) {
        TRY(const bool row, step());
        if (!row) {
            return {};
        }
    }
}

void Statement::put_integer(std::int64_t value) {
    if (const int code = sqlite3_bind_int64(handle_.get(), ++bound_, value); code != SQLITE_OK) {
        failed_bind_ = code;
    }
}

void Statement::put_null() {
    if (const int code = sqlite3_bind_null(handle_.get(), ++bound_); code != SQLITE_OK) {
        failed_bind_ = code;
    }
}

void Statement::put(std::string_view value) {
    // A null pointer would bind NULL instead of an empty blob.
    const char* bytes = value.empty() ? "" : value.data();
    const int code =
        sqlite3_bind_blob64(handle_.get(), ++bound_, bytes, value.size(), SQLITE_TRANSIENT);
    if (code != SQLITE_OK) {
        failed_bind_ = code;
    }
}

void Statement::get(std::string& value) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column_));
    ++column_;
    value.assign(bytes != nullptr ? bytes : "", bytes != nullptr ? size : 0);
}

Result<Transaction> Transaction::begin(Database& database) {
    CHECK(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    // Some failures (a full disk) have rolled back already.
    if (database_ != nullptr && !database_->idle()) {
        (void)database_->execute("ROLLBACK").has_value();
    }
}

Result<void> Transaction::commit() {
    CHECK(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace fusefs::sqlite
