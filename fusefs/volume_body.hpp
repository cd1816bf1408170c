// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/ask.hpp"
#include "fusefs/directories.hpp"
#include "fusefs/leftovers.hpp"
#include "fusefs/remembered.hpp"
#include "fusefs/volume.hpp"

namespace fusefs {

/// The inside of Volume: its parts, and what the operations on names share.
struct Volume::Body {
    Body(const config::Config& config, modem::JobQueue& queue, Storage& storage, Places places);
    ~Body();
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;

    // ---- start (volume_restore.cpp) -----------------------------------------------------------
    modem::Result<void> restore();
    modem::Result<void> restore_facts();
    void restore_uploads(std::vector<UploadRow> rows);
    modem::Result<void> restore_spool(std::vector<UploadRow>& rows);
    [[nodiscard]] Node* make_path(const modem::RemotePath& path);
    [[nodiscard]] std::string server_fact(std::string_view name) const;
    void learn(const std::string& fact, const std::string& value);

    // ---- names (volume_names.cpp) -------------------------------------------------------------
    /// A name in a directory, checked: it can be sent.
    struct Place {
        Node* directory = nullptr;
        modem::RemotePath path;    ///< below the mount's root
        modem::RemotePath remote;  ///< as the server knows it
    };
    /// Errors: not_found, not_directory, and check_name()'s.
    modem::Result<Place> place(Ino parent, std::string_view name);
    /// Errors: invalid_name, name_too_long, not_representable.
    [[nodiscard]] modem::Result<void> check_name(std::string_view name) const;
    void resolve(Ino parent, const std::string& name, const WaiterPtr& waiter, Done<Ino> done);
    void ask_hidden(const Place& at, const WaiterPtr& waiter, Done<Ino> done);
    void made_directory(Ino parent, const std::string& name, Done<Ino> done);
    /// Registers a name that was made here where listings may hide it.
    void remember_name(const Node& node, const std::string& path);
    /// After a refusal without words: answers with the directory as it is now, listed if it was
    /// not, or nothing when that cannot be had.
    void look_again(Ino directory, const WaiterPtr& waiter,
                    modem::UniqueFunction<void(Node*)> then);
    /// A change of names in `directory` failed: when it may have happened all the same, the next
    /// look asks the server.
    void doubt_after(Ino directory, modem::Errc code);

    // ---- removing (volume_removal.cpp) --------------------------------------------------------
    void remove_file(Ino parent, const std::string& name, const WaiterPtr& waiter, Done<void> done);
    void discard_then_remove(const Node& node, std::int64_t upload, Ino parent,
                             const std::string& name, const WaiterPtr& waiter, Done<void> done);
    void hide_open_file(Node& node, const Place& at, const WaiterPtr& waiter, Done<void> done);
    void remove_remote_file(Node& node, const Place& at, const WaiterPtr& waiter, Done<void> done);
    void remove_directory(Node& node, const Place& at, const WaiterPtr& waiter, Done<void> done);
    void explain_rmdir(Ino ino, modem::Error error, const WaiterPtr& waiter, Done<void> done);
    /// Takes a name away that is gone on the server; open handles go on without it.
    void take_away(Node& node);

    // ---- permission to write ------------------------------------------------------------------
    /// Answers once the module's capabilities are known and allow it. Errors: read_only,
    /// not_supported (capability `needed` is missing), the link's when it stays down.
    void when_writable(bool modem::Capabilities::* needed, const WaiterPtr& waiter,
                       Done<void> done);
    [[nodiscard]] modem::Result<void> may_write(bool modem::Capabilities::* needed) const;
    void answer_writers(bool expire);

    // ---- attributes (volume_attributes.cpp) ---------------------------------------------------
    [[nodiscard]] struct stat attributes(const Node& node) const;
    [[nodiscard]] unsigned default_mode(const Node& node) const;
    void remember(Node& node);
    void apply_set(Node& node, const SetAttributes& set);
    void delivered(const UploadRow& row, const Uploads::Outcome& outcome);

    const config::Config& config;
    Places places;
    Core core;
    ContentCache cache;
    Uploads uploads;
    Files files;
    Remembered remembered;
    Directories directories;
    Leftovers leftovers;

    struct Writer {
        std::uint64_t id = 0;
        bool modem::Capabilities::* needed = nullptr;
        modem::Clock::time_point deadline;
        Done<void> done;
    };
    std::list<Writer> writers;
    std::uint64_t next_writer = 1;
    std::string known_capabilities;  ///< as the ledger has them
    std::optional<bool> known_hidden_listing;
    bool rename_replaces = true;  ///< false: learnt that RNTO onto an existing file is refused
};

}  // namespace fusefs
