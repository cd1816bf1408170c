// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "modem/ftp/types.hpp"
#include "modem/interrupt.hpp"

namespace fusefs {

class File;
using Ino = std::uint64_t;
inline constexpr Ino root_ino = 1;

/// What is known of a directory's content.
struct DirectoryState {
    std::map<std::string, struct Node*, std::less<>> children;
    bool listed = false;               ///< children are all there is (as of `fetched`)
    modem::Clock::time_point fetched;  ///< of the listing; past the TTL it is expired
    std::uint64_t generation = 0;      ///< counts changes, for open directory handles
};

/// One name in the tree. Main thread. Exists while the kernel knows it (lookup count), while it is
/// in its parent's children, or while a File is attached; the Tree frees it otherwise.
struct Node {
    Ino ino = 0;
    Node* parent = nullptr;  ///< nullptr: root, or unlinked
    std::string name;
    modem::EntryKind kind = modem::EntryKind::file;
    std::uint64_t lookups = 0;
    // As the server has it (the listing, edited by our own verified changes).
    bool on_server = true;  ///< false: exists only here so far
    std::uint64_t listed_size = 0;
    std::time_t listed_mtime = 0;  ///< 0: not known yet
    std::string target;            ///< of a symlink
    // What programs set (ledger: AttributeRow), valid while the listing matches.
    std::optional<std::int64_t> set_mtime_ns;
    std::optional<unsigned> set_mode;
    std::unique_ptr<DirectoryState> directory;  ///< of a directory
    std::shared_ptr<File> file;                 ///< content being used or waiting for its upload
    std::uint64_t kernel_version = 0;           ///< content version whose pages the kernel may keep

    [[nodiscard]] bool is_directory() const { return kind == modem::EntryKind::directory; }
};

/// The inode table. Pure: no FUSE, no jobs.
class Tree {
public:
    Tree();
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree();

    [[nodiscard]] Node& root() { return *root_; }
    [[nodiscard]] Node* find(Ino ino);  ///< nullptr: unknown
    [[nodiscard]] Node* child(Node& directory, std::string_view name);
    /// Walks components from the root; nullptr when a part is not known.
    [[nodiscard]] Node* at(const modem::RemotePath& path);
    /// Remote path of a node relative to the mount ("/" = root); nothing when it is unlinked.
    [[nodiscard]] std::optional<modem::RemotePath> path(const Node& node) const;

    Node& add(Node& directory, const std::string& name, modem::EntryKind kind);
    /// Takes the node out of its directory; it lives on while looked up or in use.
    void unlink(Node& node);
    /// Moves a node; whatever stood there is unlinked first.
    void move(Node& node, Node& directory, const std::string& name);
    /// Makes a directory's children equal to a listing, keeping the nodes of names that stay.
    /// Children that exist only here (on_server false) or carry a dirty File stay as well.
    /// Returns names whose size or time changed.
    void apply(Node& directory, const std::vector<modem::Entry>& entries,
               modem::Clock::time_point now);

    void looked_up(Node& node) { ++node.lookups; }
    void forget(Ino ino, std::uint64_t count);
    /// Frees the node if nothing holds it any more.
    void settle(Node& node);
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
    Node& make(modem::EntryKind kind);
    std::unordered_map<Ino, std::unique_ptr<Node>> nodes_;
    Node* root_ = nullptr;
    Ino next_ = root_ino;
};

}  // namespace fusefs
