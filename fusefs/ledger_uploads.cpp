// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "fusefs/ledger_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

/// Receipts kept: about 2 MiB of flash.
constexpr int receipts_kept = 10'000;

constexpr std::string_view insert_upload =
    "INSERT OR REPLACE INTO uploads (id, path, spool_name, kind, base_size, size, mtime, state, "
    "step, remote_name, aside_name, attempts, mismatches, resent, line_bytes, created, "
    "first_attempt, error_code, error_text) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr std::string_view select_uploads =
    "SELECT id, path, spool_name, kind, base_size, size, mtime, state, step, remote_name, "
    "aside_name, attempts, mismatches, resent, line_bytes, created, first_attempt, error_code, "
    "error_text FROM uploads ORDER BY id";

constexpr std::string_view delete_upload = "DELETE FROM uploads WHERE id = ?";

bool is_sane(const UploadRow& row) {
    return row.id > 0 && row.kind >= UploadKind::replace && row.kind <= UploadKind::append &&
           row.state >= UploadState::queued && row.state <= UploadState::failed &&
           row.step >= UploadStep::none && row.step <= UploadStep::renamed &&
           row.path.starts_with('/');
}

Result<bool> has_upload(sqlite::Database& database, std::int64_t id) {
    TRY(auto statement, database.prepare("SELECT 1 FROM uploads WHERE id = ?"));
    return statement.bind(id).step();
}

/// The spool file that a new row of `path` makes superfluous. Another row of the path goes.
Result<std::string> supersede(sqlite::Database& database, const UploadRow& row) {
    TRY(auto older, database.prepare("SELECT id, spool_name FROM uploads WHERE path = ? OR id = ? "
                                     "ORDER BY id = ?"));
    older.bind(row.path, row.id, row.id);
    std::string superseded;
    while (true) {
        TRY(const bool found, older.step());
        if (!found) {
            break;
        }
        std::int64_t id = 0;
        std::string spool_name;
        older.read(id, spool_name);
        if (superseded.empty() && spool_name != row.spool_name) {
            superseded = spool_name;
        }
    }
    TRY(auto remove, database.prepare("DELETE FROM uploads WHERE path = ? AND id != ?"));
    CHECK(remove.bind(row.path, row.id).run());
    return superseded;
}

}  // namespace

Result<std::vector<UploadRow>> read_uploads(sqlite::Database& database) {
    TRY(auto statement, database.prepare(select_uploads));
    std::vector<UploadRow> rows;
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return rows;
        }
        auto& row = rows.emplace_back();
        statement.read(row.id, row.path, row.spool_name, row.kind, row.base_size, row.size,
                       row.mtime, row.state, row.step, row.remote_name, row.aside_name,
                       row.attempts, row.mismatches, row.resent, row.line_bytes, row.created,
                       row.first_attempt, row.error_code, row.error_text);
        if (!is_sane(row)) {
            return fail(
                Errc::local_io,
                fmt::format("the ledger's upload {} of \"{}\" makes no sense", row.id, row.path),
                SQLITE_CORRUPT);
        }
    }
}

Result<std::vector<UploadRow>> Ledger::uploads() {
    return read_uploads(body_->database);
}

Result<Ledger::Put> Ledger::put_upload(UploadRow row) {
    TRY(auto transaction, sqlite::Transaction::begin(body_->database));
    if (row.id != 0) {
        TRY(const bool known, has_upload(body_->database, row.id));
        if (!known) {
            return Put{row.id, {}};
        }
    }
    Put put;
    TRY(put.superseded_spool, supersede(body_->database, row));
    TRY(auto statement, body_->database.prepare(insert_upload));
    const auto id = row.id != 0 ? std::optional(row.id) : std::nullopt;
    CHECK(statement
              .bind(id, row.path, row.spool_name, row.kind, row.base_size, row.size, row.mtime,
                    row.state, row.step, row.remote_name, row.aside_name, row.attempts,
                    row.mismatches, row.resent, row.line_bytes, row.created, row.first_attempt,
                    row.error_code, row.error_text)
              .run());
    put.id = body_->database.last_id();
    if (!put.superseded_spool.empty()) {
        CHECK(body_->run(forget_fresh));
    }
    CHECK(transaction.commit());
    return put;
}

Result<void> Ledger::remove_upload(std::int64_t id) {
    TRY(auto transaction, sqlite::Transaction::begin(body_->database));
    CHECK(body_->run(delete_upload, id));
    CHECK(body_->run(forget_fresh));
    return transaction.commit();
}

Result<void> Ledger::deliver(std::int64_t id, const ReceiptRow& receipt,
                             const AttributeRow& attributes) {
    TRY(auto transaction, sqlite::Transaction::begin(body_->database));
    CHECK(body_->run(delete_upload, id));
    CHECK(body_->run(forget_fresh));
    CHECK(
        body_->run("INSERT INTO receipts (upload, path, bytes, started, ended, attempts, "
                   "line_bytes, resent, verified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   receipt.id, receipt.path, receipt.bytes, receipt.started, receipt.ended,
                   receipt.attempts, receipt.line_bytes, receipt.resent, receipt.verified));
    CHECK(body_->run("DELETE FROM receipts WHERE number <= ?",
                     body_->database.last_id() - receipts_kept));
    CHECK(put_attributes(attributes));
    return transaction.commit();
}

Result<std::vector<ReceiptRow>> Ledger::receipts(std::size_t limit) {
    TRY(auto statement,
        body_->database.prepare("SELECT upload, path, bytes, started, ended, attempts, "
                                "line_bytes, resent, verified FROM receipts "
                                "ORDER BY number DESC LIMIT ?"));
    statement.bind(
        static_cast<std::int64_t>(std::min(limit, static_cast<std::size_t>(receipts_kept))));
    std::vector<ReceiptRow> rows;
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return rows;
        }
        auto& row = rows.emplace_back();
        statement.read(row.id, row.path, row.bytes, row.started, row.ended, row.attempts,
                       row.line_bytes, row.resent, row.verified);
    }
}

}  // namespace fusefs
