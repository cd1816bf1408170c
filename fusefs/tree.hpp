// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

struct Node;

/// What is known of a directory's content.
struct DirectoryState {
    std::map<std::string, Node*, std::less<>> children;
    bool listed = false;               ///< children are all there is (as of `fetched`)
    bool dots_shown = false;           ///< the listing shows dot-files as well
    modem::Clock::time_point fetched;  ///< of the listing; past the TTL it is expired
    /// After a refresh that failed the expired listing does until then.
    modem::Clock::time_point stale_until;
    std::uint64_t generation = 0;  ///< counts changes, for open directory handles
    /// Dot-names that were asked for one by one since `fetched` and are not there.
    std::set<std::string, std::less<>> absent;
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
    struct Applied {
        std::vector<Node*> changed;  ///< nodes with a File whose size or time is another now
        std::vector<std::string> forgotten;  ///< names whose set time and mode are void now
    };
    /// Makes a directory's children equal to a listing, keeping the nodes of names that stay.
    /// Children that exist only here (on_server false) or carry a dirty File (see keep_if) stay as
    /// well. What programs set (time, mode) holds as long as size and time stay what they were.
    Applied apply(Node& directory, const std::vector<modem::Entry>& entries,
                  modem::Clock::time_point now);
    /// Says which files a listing without them must not take away: those with local changes.
    void keep_if(std::function<bool(const Node&)> predicate) { keep_ = std::move(predicate); }
    /// Forgets a directory's listing; children that nobody needs are freed.
    void drop_listing(Node& directory);

    void looked_up(Node& node) { ++node.lookups; }
    void forget(Ino ino, std::uint64_t count);
    /// Frees the node if nothing holds it any more.
    void settle(Node& node);
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
    Node& make(modem::EntryKind kind);
    Node& listed(Node& directory, const modem::Entry& entry);
    void meet(Node*& place, const modem::Entry& entry, Applied& applied);
    void update(Node& node, const modem::Entry& entry, Applied& applied);
    void detach(Node& node);
    [[nodiscard]] bool changed_here(const Node& node) const;
    [[nodiscard]] bool must_stay(const Node& node) const;
    std::function<bool(const Node&)> keep_;
    std::unordered_map<Ino, std::unique_ptr<Node>> nodes_;
    Node* root_ = nullptr;
    Ino next_ = root_ino;
};

}  // namespace fusefs
