// SPDX-License-Identifier: MIT
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "modem/result.hpp"

namespace fusefs::sqlite {

class Statement;

/// One SQLite connection, used by one thread at a time. Errors of everything here: local_no_space
/// when the disk is full, else local_io; `number` is SQLite's (extended) result code.
class Database {
public:
    /// Opens or creates (mode 0600); nothing is read yet.
    static modem::Result<Database> open(const std::filesystem::path& file);

    /// Runs one or more statements without values.
    modem::Result<void> execute(const char* sql);
    modem::Result<Statement> prepare(std::string_view sql);
    /// The statement's single value; 0 when it gives none.
    modem::Result<std::int64_t> value(std::string_view sql);
    /// Rows changed by the last statement.
    [[nodiscard]] int changes() const { return sqlite3_changes(handle_.get()); }
    [[nodiscard]] std::int64_t last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
    /// False: closing leaves the write-ahead log as it is, so that a damaged database can be set
    /// aside unchanged.
    void checkpoint_on_close(bool on);
    /// False while a transaction is open.
    [[nodiscard]] bool idle() const { return sqlite3_get_autocommit(handle_.get()) != 0; }

private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    explicit Database(sqlite3* handle) : handle_(handle) {}
    std::unique_ptr<sqlite3, Close> handle_;
};

/// What the connection says about its last failure.
modem::Error error_of(sqlite3* handle);

/// A prepared statement. bind() takes the values of all parameters, read() the columns of the row
/// that step() has found: integers, enums, bool, strings (as blobs: names are bytes) and optionals.
class Statement {
public:
    template <typename... Values>
    Statement& bind(const Values&... values) {
        sqlite3_reset(handle_.get());
        bound_ = 0;
        (put(values), ...);
        return *this;
    }
    /// True: a row is there; false: done.
    modem::Result<bool> step();
    /// Steps to the end; rows are ignored.
    modem::Result<void> run();

    template <typename... Values>
    void read(Values&... values) {
        column_ = 0;
        (get(values), ...);
    }

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
    };
    explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

    void put_integer(std::int64_t value);
    void put_null();
    void put(std::string_view value);
    template <typename T>
        requires std::integral<T> || std::is_enum_v<T>
    void put(T value) {
        put_integer(static_cast<std::int64_t>(value));
    }
    template <typename T>
    void put(const std::optional<T>& value) {
        value ? put(*value) : put_null();
    }

    void get(std::string& value);
    template <typename T>
        requires std::integral<T> || std::is_enum_v<T>
    void get(T& value) {
        value = static_cast<T>(sqlite3_column_int64(handle_.get(), column_++));
    }
    template <typename T>
    void get(std::optional<T>& value) {
        if (sqlite3_column_type(handle_.get(), column_) == SQLITE_NULL) {
            value.reset();
            ++column_;
            return;
        }
        get(value.emplace());
    }

    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int bound_ = 0;
    int column_ = 0;
    int failed_bind_ = SQLITE_OK;
};

/// Rolls back unless committed. Takes the write lock at once.
class Transaction {
public:
    static modem::Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(other.database_) {
        other.database_ = nullptr;
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    modem::Result<void> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

/// True for failures that mean that the file is not a sound database of ours, as opposed to a full
/// disk, a missing permission or another process at work.
[[nodiscard]] bool is_damage(const modem::Error& error);

}  // namespace fusefs::sqlite
