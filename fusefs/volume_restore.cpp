// SPDX-License-Identifier: MIT
#include <charconv>
#include <set>
#include <utility>

#include "fusefs/capabilities_text.hpp"
#include "fusefs/volume_body.hpp"

namespace fusefs {

using modem::EntryKind;
using modem::Result;

namespace {

/// Value of `key=` in a spool file's header.
std::string_view header_value(std::string_view header, std::string_view key) {
    while (!header.empty()) {
        const auto end = std::min(header.find('\n'), header.size());
        auto line = header.substr(0, end);
        header.remove_prefix(std::min(end + 1, header.size()));
        if (line.starts_with(key) && line.substr(key.size()).starts_with('=')) {
            return line.substr(key.size() + 1);
        }
    }
    return {};
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

/// The upload that a spool file's header speaks of, for a ledger that was lost.
std::optional<UploadRow> row_from_header(std::string_view header) {
    UploadRow row;
    row.path = header_value(header, "path");
    row.kind = header_value(header, "kind") == "append" ? UploadKind::append : UploadKind::replace;
    const bool complete = header.starts_with("modemftp-upload 1\n") &&
                          read_number(header_value(header, "base_size"), row.base_size) &&
                          read_number(header_value(header, "size"), row.size) &&
                          read_number(header_value(header, "mtime"), row.mtime);
    if (!complete || !modem::RemotePath::parse(row.path)) {
        return {};
    }
    return row;
}

void adopt_below(Remembered& remembered, Node& directory) {
    if (directory.directory->listed) {
        remembered.adopt(directory);
    }
    for (const auto& [name, child] : directory.directory->children) {
        if (child->is_directory()) {
            adopt_below(remembered, *child);
        }
    }
}

}  // namespace

/// What earlier runs left. Runs before the loop, so that reading the ledger here delays nobody.
Result<void> Volume::Body::restore() {
    if (!core.ledger->damaged().empty()) {
        core.log(2, "the ledger was damaged and is set aside as " + core.ledger->damaged() +
                        "; what waits in the spool is delivered all the same");
    }
    cache.load();
    CHECK(restore_facts());
    TRY(auto names, core.ledger->names());
    TRY(auto attributes, core.ledger->attributes());
    TRY(auto listings, core.ledger->listings());
    TRY(auto rows, core.ledger->uploads());
    leftovers.restore(names);
    remembered.restore(std::move(attributes), std::move(names));
    directories.restore(std::move(listings));
    CHECK(restore_spool(rows));
    restore_uploads(std::move(rows));
    adopt_below(remembered, core.tree.root());
    return {};
}

Result<void> Volume::Body::restore_facts() {
    TRY(const auto capabilities, core.ledger->fact("capabilities"));
    if (capabilities) {
        core.link.capabilities = capabilities_from_text(*capabilities);
        known_capabilities = *capabilities;
    }
    TRY(const auto hidden, core.ledger->fact(server_fact("hidden-listing")));
    if (hidden) {
        core.link.hidden_listing = known_hidden_listing = *hidden == "yes";
    }
    TRY(const auto replaces, core.ledger->fact(server_fact("rename-replaces")));
    rename_replaces = !replaces || *replaces != "no";
    return {};
}

/// Spool files that no row speaks of: a crash came before their row (nobody was promised anything),
/// unless the rows themselves were lost.
Result<void> Volume::Body::restore_spool(std::vector<UploadRow>& rows) {
    std::set<std::string> known;
    for (const auto& row : rows) {
        known.insert(row.spool_name);
    }
    TRY(const auto names, core.spool->names());
    for (const auto& name : names) {
        if (known.contains(name)) {
            continue;
        }
        const auto header = core.ledger->fresh() ? core.spool->header(name) : std::string();
        auto row = header ? row_from_header(*header) : std::nullopt;
        if (!row) {
            core.spool->remove(name);
            continue;
        }
        row->spool_name = name;
        row->created = core.now();
        TRY(const auto put, core.ledger->put_upload(*row));
        row->id = put.id;
        core.log(4, "an upload of " + row->path + " was found in the spool and is queued again");
        std::erase_if(rows, [&](const UploadRow& other) { return other.path == row->path; });
        rows.push_back(*std::move(row));
    }
    return {};
}

Node* Volume::Body::make_path(const modem::RemotePath& path) {
    if (path.is_root()) {
        return &core.tree.root();
    }
    Node* const above = make_path(path.parent());
    if (above == nullptr) {
        return nullptr;
    }
    Node* node = core.tree.child(*above, path.name());
    if (node == nullptr) {
        node = &core.tree.add(*above, std::string(path.name()), EntryKind::directory);
    }
    return node->is_directory() ? node : nullptr;
}

void Volume::Body::restore_uploads(std::vector<UploadRow> rows) {
    uploads.restore(rows);
    for (const auto& row : rows) {
        const auto path = modem::RemotePath::parse(row.path);
        Node* const directory = path ? make_path(path->parent()) : nullptr;
        if (directory == nullptr) {
            continue;
        }
        Node* node = core.tree.child(*directory, path->name());
        if (node == nullptr) {
            node = &core.tree.add(*directory, std::string(path->name()), EntryKind::file);
            node->on_server = row.kind == UploadKind::append;
            node->listed_size = row.kind == UploadKind::append ? row.base_size : 0;
        }
        files.restore(*node, row);
    }
}

}  // namespace fusefs
