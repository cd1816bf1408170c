// SPDX-License-Identifier: MIT
#include "fusefs/tree.hpp"

#include <algorithm>
#include <utility>

namespace fusefs {

using modem::Entry;
using modem::EntryKind;

namespace {

/// Listings show minutes, and only the day once a file is half a year old: the same time read from
/// a listing of the second kind is the day's midnight.
bool is_same_time(std::time_t before, std::time_t after) {
    constexpr std::time_t day = 86'400;
    return before == after || (after % day == 0 && before / day == after / day);
}

}  // namespace

Tree::Tree() {
    root_ = &make(EntryKind::directory);
    root_->lookups = 1;  // the kernel never looks the root up, and never forgets it
}

Tree::~Tree() = default;

Node& Tree::make(EntryKind kind) {
    auto node = std::make_unique<Node>();
    Node& made = *node;
    made.ino = next_++;
    made.kind = kind;
    if (kind == EntryKind::directory) {
        made.directory = std::make_unique<DirectoryState>();
    }
    nodes_.emplace(made.ino, std::move(node));
    return made;
}

Node* Tree::find(Ino ino) {
    if (ino == root_ino) {
        return root_;
    }
    const auto found = nodes_.find(ino);
    return found == nodes_.end() ? nullptr : found->second.get();
}

Node* Tree::child(Node& directory, std::string_view name) {
    if (!directory.directory) {
        return nullptr;
    }
    const auto& children = directory.directory->children;
    const auto found = children.find(name);
    return found == children.end() ? nullptr : found->second;
}

Node* Tree::at(const modem::RemotePath& path) {
    Node* node = root_;
    std::string_view rest = path.text();
    while (node != nullptr && rest.size() > 1) {
        rest.remove_prefix(1);
        const auto end = std::min(rest.find('/'), rest.size());
        node = child(*node, rest.substr(0, end));
        rest.remove_prefix(end);
    }
    return node;
}

std::optional<modem::RemotePath> Tree::path(const Node& node) const {
    std::vector<const Node*> chain;
    const Node* at = &node;
    while (at->parent != nullptr) {
        chain.push_back(at);
        at = at->parent;
    }
    if (at != root_) {
        return {};
    }
    std::string text;
    for (auto part = chain.rbegin(); part != chain.rend(); ++part) {
        text += '/';
        text += (*part)->name;
    }
    auto parsed = modem::RemotePath::parse(text.empty() ? "/" : text);
    if (!parsed) {
        return {};
    }
    return *std::move(parsed);
}

Node& Tree::add(Node& directory, const std::string& name, EntryKind kind) {
    Node& node = make(kind);
    node.name = name;
    node.parent = &directory;
    auto& state = *directory.directory;
    ++state.generation;
    state.absent.erase(name);
    if (auto [place, fresh] = state.children.emplace(name, &node); !fresh) {
        Node* const former = std::exchange(place->second, &node);
        detach(*former);
    }
    return node;
}

void Tree::detach(Node& node) {
    node.parent = nullptr;
    if (node.directory) {
        // Whoever still looks at something below a directory that is gone holds it by its inode.
        const auto children = std::exchange(node.directory->children, {});
        node.directory->listed = false;
        for (const auto& [name, child] : children) {
            detach(*child);
        }
    }
    settle(node);
}

void Tree::unlink(Node& node) {
    if (node.parent == nullptr) {
        return;
    }
    auto& state = *node.parent->directory;
    ++state.generation;
    state.children.erase(node.name);
    detach(node);
}

void Tree::move(Node& node, Node& directory, const std::string& name) {
    if (node.parent == &directory && node.name == name) {
        return;
    }
    if (Node* const there = child(directory, name)) {
        unlink(*there);
    }
    if (node.parent != nullptr) {
        auto& from = *node.parent->directory;
        ++from.generation;
        from.children.erase(node.name);
    }
    auto& to = *directory.directory;
    ++to.generation;
    to.absent.erase(name);
    node.parent = &directory;
    node.name = name;
    to.children.emplace(name, &node);
}

bool Tree::changed_here(const Node& node) const {
    return !node.on_server || (node.file && (!keep_ || keep_(node)));
}

bool Tree::must_stay(const Node& node) const {
    return changed_here(node) ||
           (node.directory &&
            std::any_of(node.directory->children.begin(), node.directory->children.end(),
                        [this](const auto& child) { return must_stay(*child.second); }));
}

void Tree::update(Node& node, const Entry& entry, Applied& applied) {
    const bool local = changed_here(node);
    const bool same_size = node.is_directory() || node.listed_size == entry.size;
    const bool same_time = node.listed_mtime == 0 || is_same_time(node.listed_mtime, entry.mtime);
    if (node.file && (!node.on_server || !same_size || !same_time)) {
        applied.changed.push_back(&node);
    }
    if (!local && !(same_size && same_time) && (node.set_mtime_ns || node.set_mode)) {
        node.set_mtime_ns.reset();
        node.set_mode.reset();
        applied.forgotten.push_back(node.name);
    }
    node.on_server = true;
    node.listed_size = entry.size;
    if (node.listed_mtime == 0 || !same_time) {
        node.listed_mtime = entry.mtime;  // otherwise the older one is the more exact one
    }
    node.target = entry.target;
}

Node& Tree::listed(Node& directory, const Entry& entry) {
    Node& node = make(entry.kind);
    node.name = entry.name;
    node.parent = &directory;
    node.listed_size = entry.size;
    node.listed_mtime = entry.mtime;
    node.target = entry.target;
    return node;
}

void Tree::meet(Node*& place, const Entry& entry, Applied& applied) {
    if (place->kind == entry.kind) {
        update(*place, entry, applied);
    } else if (!must_stay(*place)) {
        Node* const former = place;
        place = &listed(*former->parent, entry);
        detach(*former);
    }
}

Tree::Applied Tree::apply(Node& directory, const std::vector<Entry>& entries,
                          modem::Clock::time_point now) {
    std::vector<const Entry*> sorted;
    sorted.reserve(entries.size());
    for (const auto& entry : entries) {
        sorted.push_back(&entry);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Entry* a, const Entry* b) { return a->name < b->name; });
    auto& state = *directory.directory;
    Applied applied;
    // Both sides are sorted by name: one walk over the two, whatever their length.
    auto at = state.children.begin();
    const auto drop_until = [&](const std::string* name) {
        while (at != state.children.end() && (name == nullptr || at->first < *name)) {
            Node& node = *at->second;
            if (must_stay(node)) {
                ++at;
                continue;
            }
            if (node.set_mtime_ns || node.set_mode) {
                applied.forgotten.push_back(node.name);
            }
            at = state.children.erase(at);
            detach(node);
        }
    };
    const std::string* last = nullptr;
    for (const Entry* const entry : sorted) {
        if (last != nullptr && *last == entry->name) {
            continue;  // the same name a second time
        }
        last = &entry->name;
        drop_until(last);
        if (at != state.children.end() && at->first == entry->name) {
            meet(at->second, *entry, applied);
            ++at;
        } else {
            state.children.emplace_hint(at, entry->name, &listed(directory, *entry));
        }
    }
    drop_until(nullptr);
    state.listed = true;
    state.fetched = now;
    state.stale_until = {};
    state.absent.clear();
    ++state.generation;
    return applied;
}

void Tree::drop_listing(Node& directory) {
    auto& state = *directory.directory;
    state.listed = false;
    state.absent.clear();
    ++state.generation;
    std::vector<Node*> unused;
    for (const auto& [name, child] : state.children) {
        const bool empty =
            !child->directory || (child->directory->children.empty() && !child->directory->listed);
        const bool plain = child->on_server && !child->set_mtime_ns && !child->set_mode;
        if (child->lookups == 0 && !child->file && plain && empty) {
            unused.push_back(child);
        }
    }
    for (Node* const node : unused) {
        state.children.erase(node->name);
        detach(*node);
    }
}

void Tree::forget(Ino ino, std::uint64_t count) {
    Node* const node = find(ino);
    if (node == nullptr || node == root_) {
        return;
    }
    node->lookups -= std::min(node->lookups, count);
    settle(*node);
}

void Tree::settle(Node& node) {
    if (&node != root_ && node.lookups == 0 && node.parent == nullptr && !node.file) {
        nodes_.erase(node.ino);
    }
}

}  // namespace fusefs
