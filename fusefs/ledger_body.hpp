// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fusefs/ledger.hpp"
#include "fusefs/sqlite.hpp"

namespace fusefs {

/// What the parts of the ledger share. Storage thread.
struct Ledger::Body {
    sqlite::Database database;
    std::string damaged;
    bool fresh = false;

    /// Prepares, binds and runs one statement that is a transaction by itself.
    template <typename... Values>
    modem::Result<void> run(std::string_view sql, const Values&... values) {
        TRY(auto statement, database.prepare(sql));
        return statement.bind(values...).run();
    }
};

/// The fact that stands for Ledger::fresh(); goes in the transaction of the first change after
/// which a spool file without a row is no pending upload.
inline constexpr std::string_view forget_fresh =
    "DELETE FROM facts WHERE name = CAST('ledger-fresh' AS BLOB)";

/// The ledger's schema (ledger_schema.cpp).
struct OpenedLedger {
    sqlite::Database database;
    bool fresh = false;
};

/// Opens, checks (quick_check, version, tables) and migrates the file. is_damage() tells whether a
/// failure means that it has to be set aside.
modem::Result<OpenedLedger> open_ledger_file(const std::filesystem::path& file);

/// Renames the database with its write-ahead log to `FILE.damaged-N`. Returns the new name.
modem::Result<std::string> set_ledger_aside(const std::filesystem::path& file);

/// True when the file as it lies on the disk cannot be opened without losing something.
[[nodiscard]] bool is_truncated_ledger(const std::filesystem::path& file);

/// Every row of `uploads`; fails (is_damage()) on values that no version of us has written.
modem::Result<std::vector<UploadRow>> read_uploads(sqlite::Database& database);

}  // namespace fusefs
