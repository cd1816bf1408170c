// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>

#include "fusefs/codec.hpp"
#include "fusefs/ledger_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

constexpr std::string_view listing_magic = "MFL1";
/// Kind, length of the name, size and time: one byte each.
constexpr std::size_t smallest_entry = 4;

/// True when `path` is below `directory`.
bool is_below(const std::string& path, const std::string& directory) {
    return path.size() > directory.size() && path.starts_with(directory) &&
           path[directory.size()] == '/';
}

/// The tables whose key is a path.
constexpr std::array<std::string_view, 4> path_tables = {"attributes", "names", "listings",
                                                         "uploads"};

/// A path and everything below it: compared byte by byte, since LIKE and GLOB take '%', '_', '*'
/// for patterns. ?2 is "PATH/" and ?3 "PATH0" ('0' follows '/').
constexpr std::string_view subtree = "(path = ?1 OR (path >= ?2 AND path < ?3))";

std::string encode(const std::vector<modem::Entry>& entries) {
    Encoder encoder(listing_magic);
    encoder.number(entries.size());
    for (const auto& entry : entries) {
        encoder.number(static_cast<std::uint64_t>(entry.kind));
        encoder.text(entry.name);
        encoder.number(entry.size);
        encoder.signed_number(entry.mtime);
        if (entry.kind == modem::EntryKind::symlink) {
            encoder.text(entry.target);
        }
    }
    return std::move(encoder).finish();
}

/// False when the bytes are damaged.
bool decode(std::string_view bytes, std::vector<modem::Entry>& entries) {
    Decoder decoder(listing_magic, bytes);
    const auto count = decoder.number();
    entries.clear();
    if (count > decoder.left() / smallest_entry) {
        return false;
    }
    entries.resize(count);
    for (auto& entry : entries) {
        const auto kind = decoder.number();
        if (decoder.failed() || kind > static_cast<std::uint64_t>(modem::EntryKind::other)) {
            return false;
        }
        entry.kind = static_cast<modem::EntryKind>(kind);
        entry.name = decoder.text();
        entry.size = decoder.number();
        entry.mtime = decoder.signed_number();
        if (entry.kind == modem::EntryKind::symlink) {
            entry.target = decoder.text();
        }
    }
    return decoder.complete();
}

/// Finds the next row that can be read; false at the end.
Result<bool> next_listing(sqlite::Statement& statement, ListingRow& row) {
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return false;
        }
        std::string bytes;
        statement.read(row.path, row.fetched, bytes);
        if (decode(bytes, row.entries)) {
            return true;
        }
    }
}

}  // namespace

// ---- remembered attributes ------------------------------------------------------------------

Result<void> Ledger::put_attributes(const AttributeRow& row) {
    return body_->run(
        "INSERT OR REPLACE INTO attributes (path, size, listed_mtime, mtime_ns, mode) "
        "VALUES (?, ?, ?, ?, ?)",
        row.path, row.size, row.listed_mtime, row.mtime_ns, row.mode);
}

Result<void> Ledger::remove_attributes(const std::string& path) {
    return body_->run("DELETE FROM attributes WHERE path = ?", path);
}

Result<std::vector<AttributeRow>> Ledger::attributes() {
    TRY(auto statement,
        body_->database.prepare("SELECT path, size, listed_mtime, mtime_ns, mode FROM attributes"));
    std::vector<AttributeRow> rows;
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return rows;
        }
        auto& row = rows.emplace_back();
        statement.read(row.path, row.size, row.listed_mtime, row.mtime_ns, row.mode);
    }
}

// ---- renaming -------------------------------------------------------------------------------

Result<void> Ledger::rename_path(const std::string& from, const std::string& to) {
    if (from == to) {
        return {};
    }
    if (from.size() < 2 || to.size() < 2 || is_below(from, to) || is_below(to, from)) {
        return fail(Errc::invalid_argument,
                    fmt::format("\"{}\" cannot be renamed to \"{}\"", from, to));
    }
    TRY(auto transaction, sqlite::Transaction::begin(body_->database));
    for (const auto table : path_tables) {
        CHECK(body_->run(fmt::format("DELETE FROM {} WHERE {}", table, subtree), to, to + "/",
                         to + "0"));
        CHECK(body_->run(fmt::format("UPDATE {} SET path = CAST(?4 || substr(path, ?5) AS BLOB) "
                                     "WHERE {}",
                                     table, subtree),
                         from, from + "/", from + "0", to, from.size() + 1));
    }
    CHECK(body_->run(forget_fresh));  // a row that was replaced leaves its spool file behind
    return transaction.commit();
}

// ---- names that no listing shows ------------------------------------------------------------

Result<void> Ledger::put_name(const NameRow& row) {
    return body_->run("INSERT OR REPLACE INTO names (path, kind, size, mtime) VALUES (?, ?, ?, ?)",
                      row.path, row.kind, row.size, row.mtime);
}

Result<void> Ledger::remove_name(const std::string& path) {
    return body_->run("DELETE FROM names WHERE path = ?", path);
}

Result<std::vector<Ledger::NameRow>> Ledger::names() {
    TRY(auto statement,
        body_->database.prepare("SELECT path, kind, size, mtime FROM names ORDER BY path"));
    std::vector<NameRow> rows;
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return rows;
        }
        auto& row = rows.emplace_back();
        statement.read(row.path, row.kind, row.size, row.mtime);
    }
}

// ---- listings -------------------------------------------------------------------------------

Result<void> Ledger::put_listing(const ListingRow& row) {
    return body_->run("INSERT OR REPLACE INTO listings (path, fetched, entries) VALUES (?, ?, ?)",
                      row.path, row.fetched, encode(row.entries));
}

Result<void> Ledger::remove_listing(const std::string& path) {
    return body_->run("DELETE FROM listings WHERE path = ?", path);
}

Result<std::vector<ListingRow>> Ledger::listings() {
    TRY(auto statement, body_->database.prepare("SELECT path, fetched, entries FROM listings"));
    std::vector<ListingRow> rows;
    while (true) {
        ListingRow row;
        TRY(const bool found, next_listing(statement, row));
        if (!found) {
            return rows;
        }
        rows.push_back(std::move(row));
    }
}

Result<std::optional<ListingRow>> Ledger::listing(const std::string& path) {
    TRY(auto statement,
        body_->database.prepare("SELECT path, fetched, entries FROM listings WHERE path = ?"));
    statement.bind(path);
    std::optional<ListingRow> listing;
    ListingRow row;
    TRY(const bool found, next_listing(statement, row));
    if (found) {
        listing = std::move(row);
    }
    return listing;
}

}  // namespace fusefs
