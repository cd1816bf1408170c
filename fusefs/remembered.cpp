// SPDX-License-Identifier: MIT
#include "fusefs/remembered.hpp"

#include <utility>

#include "fusefs/ledger_write.hpp"

namespace fusefs {

namespace {

std::string below(const std::string& directory) {
    return directory == "/" ? directory : directory + "/";
}

bool fits(const AttributeRow& row, const Node& node) {
    if (node.file || !node.on_server) {
        return true;  // a waiting upload of ours: its content is what the row speaks of
    }
    const bool same_size = node.is_directory() || row.size == node.listed_size;
    const bool same_time =
        !row.listed_mtime || node.listed_mtime == 0 || *row.listed_mtime == node.listed_mtime;
    return same_size && same_time;
}

template <typename Row>
void move_rows(std::map<std::string, Row>& rows, const std::string& from, const std::string& to) {
    std::map<std::string, Row> moved;
    for (auto at = rows.lower_bound(from); at != rows.end() && at->first.starts_with(from);) {
        if (at->first.size() == from.size() || at->first[from.size()] == '/') {
            auto path = to + at->first.substr(from.size());
            at->second.path = path;
            moved.insert_or_assign(std::move(path), std::move(at->second));
            at = rows.erase(at);
        } else {
            ++at;
        }
    }
    rows.merge(moved);
}

}  // namespace

void Remembered::restore(std::vector<AttributeRow> attributes, std::vector<Ledger::NameRow> names) {
    for (auto& row : attributes) {
        auto path = row.path;
        waiting_.emplace(std::move(path), std::move(row));
    }
    for (auto& row : names) {
        auto path = row.path;
        names_.emplace(std::move(path), std::move(row));
    }
}

void Remembered::adopt(Node& directory) {
    if (waiting_.empty()) {
        return;
    }
    const auto path = core_.tree.path(directory);
    if (!path) {
        return;
    }
    const auto prefix = below(path->text());
    for (auto at = waiting_.lower_bound(prefix);
         at != waiting_.end() && at->first.starts_with(prefix);) {
        const auto name = std::string_view(at->first).substr(prefix.size());
        if (name.find('/') != std::string_view::npos) {
            ++at;
            continue;
        }
        Node* const node = core_.tree.child(directory, name);
        if (node != nullptr && fits(at->second, *node)) {
            node->set_mtime_ns = at->second.mtime_ns;
            node->set_mode = at->second.mode;
        } else {
            forget_attributes(at->first);
        }
        at = waiting_.erase(at);
    }
}

void Remembered::save(const Node& node, std::uint64_t size) {
    const auto path = core_.tree.path(node);
    if (!path) {
        return;
    }
    AttributeRow row{path->text(), size, {}, node.set_mtime_ns, node.set_mode};
    // A directory's time on the server changes with each entry that we make in it, so that only
    // the next listing can be its baseline; the same holds for what is still to be uploaded.
    if (!node.is_directory() && !node.file && node.listed_mtime != 0) {
        row.listed_mtime = node.listed_mtime;
    }
    write_ledger(core_,
                 [row = std::move(row)](Ledger& ledger) { return ledger.put_attributes(row); });
}

void Remembered::forget_attributes(const std::string& path) {
    write_ledger(core_, [path](Ledger& ledger) { return ledger.remove_attributes(path); });
}

void Remembered::add_name(const std::string& path, modem::EntryKind kind, std::uint64_t size,
                          std::time_t mtime) {
    const Ledger::NameRow row{path, kind, size, mtime};
    names_.insert_or_assign(path, row);
    write_ledger(core_, [row](Ledger& ledger) { return ledger.put_name(row); });
}

void Remembered::remove_name(const std::string& path) {
    if (names_.erase(path) > 0) {
        write_ledger(core_, [path](Ledger& ledger) { return ledger.remove_name(path); });
    }
}

std::vector<modem::Entry> Remembered::names_in(const std::string& directory) const {
    const auto prefix = below(directory);
    std::vector<modem::Entry> entries;
    for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix);
         ++at) {
        auto name = at->first.substr(prefix.size());
        if (name.find('/') == std::string::npos) {
            entries.push_back({std::move(name),
                               at->second.kind,
                               at->second.size.value_or(0),
                               at->second.mtime,
                               {}});
        }
    }
    return entries;
}

void Remembered::removed(const std::string& path) {
    waiting_.erase(path);
    remove_name(path);
}

void Remembered::renamed(const std::string& from, const std::string& to) {
    waiting_.erase(to);
    names_.erase(to);
    move_rows(waiting_, from, to);
    move_rows(names_, from, to);
}

}  // namespace fusefs
