// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fusefs/core.hpp"

namespace fusefs {

/// What no listing tells and the ledger keeps: times and modes that programs set, and names that
/// the server's listings hide. Main thread.
class Remembered {
public:
    explicit Remembered(Core& core) : core_(core) {}

    void restore(std::vector<AttributeRow> attributes, std::vector<Ledger::NameRow> names);

    // ---- times and modes ----------------------------------------------------------------------
    /// Gives the children of a directory that has just been listed what earlier runs remembered of
    /// them, as far as size and time still match.
    void adopt(Node& directory);
    /// Writes a node's set time and mode down. `size`: what programs see.
    void save(const Node& node, std::uint64_t size);
    void forget_attributes(const std::string& path);

    // ---- hidden names -------------------------------------------------------------------------
    /// A name that was made or found here and that a listing may hide.
    void add_name(const std::string& path, modem::EntryKind kind, std::uint64_t size,
                  std::time_t mtime);
    void remove_name(const std::string& path);
    [[nodiscard]] bool knows_name(const std::string& path) const { return names_.contains(path); }
    /// Hidden names of one directory.
    [[nodiscard]] std::vector<modem::Entry> names_in(const std::string& directory) const;

    // ---- both ---------------------------------------------------------------------------------
    void removed(const std::string& path);
    /// Everything at and below `from`, in memory; the ledger has rename_path() for its rows.
    void renamed(const std::string& from, const std::string& to);

private:
    Core& core_;
    std::map<std::string, AttributeRow> waiting_;  ///< rows whose nodes have not been seen yet
    std::map<std::string, Ledger::NameRow> names_;
};

}  // namespace fusefs
