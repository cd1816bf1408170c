// SPDX-License-Identifier: MIT
#include "fusefs/ledger.hpp"

#include "fusefs/disk.hpp"
#include "fusefs/ledger_body.hpp"

namespace fusefs {

using modem::Result;

namespace {

/// Opens the file; a damaged one is set aside once and a new one begun.
Result<OpenedLedger> open_or_begin(const std::filesystem::path& file, std::string& damaged) {
    if (is_truncated_ledger(file)) {
        TRY(damaged, set_ledger_aside(file));
    }
    auto opened = open_ledger_file(file);
    if (opened || !damaged.empty() || !sqlite::is_damage(opened.error())) {
        return opened;
    }
    TRY(damaged, set_ledger_aside(file));
    return open_ledger_file(file);
}

}  // namespace

Ledger::Ledger(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& file) {
    CHECK(make_private_directory(file.parent_path()));
    std::string damaged;
    TRY(auto opened, open_or_begin(file, damaged));
    CHECK(sync_directory(file.parent_path()));
    auto body =
        std::make_unique<Body>(Body{std::move(opened.database), std::move(damaged), opened.fresh});
    return std::unique_ptr<Ledger>(new Ledger(std::move(body)));
}

const std::string& Ledger::damaged() const {
    return body_->damaged;
}

bool Ledger::fresh() const {
    return body_->fresh;
}

// ---- facts and counters ---------------------------------------------------------------------

Result<void> Ledger::put_fact(const std::string& name, const std::string& value) {
    return body_->run("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, value);
}

Result<std::optional<std::string>> Ledger::fact(const std::string& name) {
    TRY(auto statement, body_->database.prepare("SELECT value FROM facts WHERE name = ?"));
    TRY(const bool found, statement.bind(name).step());
    std::optional<std::string> value;
    if (found) {
        statement.read(value.emplace());
    }
    return value;
}

Result<void> Ledger::add_counters(const CounterRow& row) {
    return body_->run(
        "INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
        "line_sent = line_sent + excluded.line_sent, "
        "line_received = line_received + excluded.line_received, "
        "payload_sent = payload_sent + excluded.payload_sent, "
        "payload_received = payload_received + excluded.payload_received, "
        "commands = commands + excluded.commands",
        row.day, row.line_sent, row.line_received, row.payload_sent, row.payload_received,
        row.commands);
}

Result<std::vector<Ledger::CounterRow>> Ledger::counters() {
    TRY(auto statement,
        body_->database.prepare("SELECT day, line_sent, line_received, payload_sent, "
                                "payload_received, commands FROM counters ORDER BY day"));
    std::vector<CounterRow> rows;
    while (true) {
        TRY(const bool found, statement.step());
        if (!found) {
            return rows;
        }
        auto& row = rows.emplace_back();
        statement.read(row.day, row.line_sent, row.line_received, row.payload_sent,
                       row.payload_received, row.commands);
    }
}

}  // namespace fusefs
