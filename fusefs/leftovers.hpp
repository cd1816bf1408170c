// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "fusefs/core.hpp"

namespace fusefs {

/// Files on the server that have no name for programs any more but are still needed or still to be
/// removed: unlinked while open, or put aside for a rename. Each is in the ledger until it is gone.
/// Main thread.
class Leftovers {
public:
    explicit Leftovers(Core& core) : core_(core) {}
    Leftovers(const Leftovers&) = delete;
    Leftovers& operator=(const Leftovers&) = delete;

    /// A name for one in `directory` that nobody uses. Errors: invalid_name.
    [[nodiscard]] modem::Result<modem::RemotePath> name_in(const modem::RemotePath& directory,
                                                           Ino ino) const;
    /// `path` (below the mount's root) is to be removed as soon as `user` has no handles.
    void add(const modem::RemotePath& path, std::weak_ptr<File> user);
    /// Takes out of the ledger's names what an earlier run left.
    void restore(std::vector<Ledger::NameRow>& names);
    void renamed(const std::string& from, const std::string& to);
    void tick();  ///< removes what is due; about once a second
    [[nodiscard]] std::size_t size() const { return all_.size(); }

private:
    struct Leftover {
        modem::RemotePath path;
        std::weak_ptr<File> user;
        bool removing = false;
        modem::Clock::time_point next;
    };
    using Place = std::shared_ptr<Leftover>;
    void remove(const Place& leftover);
    void removed(const Place& leftover, const modem::Result<modem::Answer>& answer);

    Core& core_;
    std::list<Place> all_;
};

}  // namespace fusefs
