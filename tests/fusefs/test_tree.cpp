// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "fusefs/tree.hpp"

namespace fusefs {
namespace {

using modem::Entry;
using modem::EntryKind;

const auto now = modem::Clock::time_point{std::chrono::seconds{100}};

Entry file(std::string name, std::uint64_t size = 1, std::time_t mtime = 1000) {
    return Entry{.name = std::move(name), .size = size, .mtime = mtime, .target = {}};
}
Entry directory(std::string name) {
    return Entry{.name = std::move(name), .kind = EntryKind::directory, .target = {}};
}
std::vector<std::string> names(const Node& node) {
    std::vector<std::string> all;
    for (const auto& [name, child] : node.directory->children) {
        EXPECT_EQ(child->name, name);
        EXPECT_EQ(child->parent, &node);
        all.push_back(name);
    }
    return all;
}
/// The tree never looks into a File: any owner of something will do.
std::shared_ptr<File> some_file() {
    auto owner = std::make_shared<char>();
    return {owner, reinterpret_cast<File*>(owner.get())};
}
using Names = std::vector<std::string>;

TEST(Tree, FindsNodesByNumberNameAndPath) {
    Tree tree;
    Node& sub = tree.add(tree.root(), "sub", EntryKind::directory);
    Node& leaf = tree.add(sub, "leaf", EntryKind::file);
    EXPECT_EQ(tree.find(root_ino), &tree.root());
    EXPECT_EQ(tree.find(leaf.ino), &leaf);
    EXPECT_EQ(tree.find(12345), nullptr);
    EXPECT_EQ(tree.child(sub, "leaf"), &leaf);
    EXPECT_EQ(tree.child(leaf, "leaf"), nullptr);
    EXPECT_EQ(tree.at(*modem::RemotePath::parse("/sub/leaf")), &leaf);
    EXPECT_EQ(tree.at(*modem::RemotePath::parse("/sub/other/leaf")), nullptr);
    EXPECT_EQ(tree.at(modem::RemotePath{}), &tree.root());
    EXPECT_EQ(tree.path(leaf)->text(), "/sub/leaf");
    EXPECT_EQ(tree.path(tree.root())->text(), "/");
}

TEST(Tree, FreesWhatNobodyHolds) {
    Tree tree;
    Node& leaf = tree.add(tree.root(), "leaf", EntryKind::file);
    const Ino ino = leaf.ino;
    tree.looked_up(leaf);
    tree.looked_up(leaf);
    tree.unlink(leaf);
    EXPECT_EQ(tree.find(ino), &leaf);
    EXPECT_FALSE(tree.path(leaf));
    tree.forget(ino, 1);
    EXPECT_EQ(tree.find(ino), &leaf);
    tree.forget(ino, 1);
    EXPECT_EQ(tree.find(ino), nullptr);
    EXPECT_EQ(tree.size(), 1U);
    tree.forget(ino, 1);
    tree.forget(root_ino, 5);
    EXPECT_EQ(tree.find(root_ino), &tree.root());
}

TEST(Tree, AnAttachedFileHoldsItsNode) {
    Tree tree;
    Node& leaf = tree.add(tree.root(), "leaf", EntryKind::file);
    leaf.file = some_file();
    const Ino ino = leaf.ino;
    tree.unlink(leaf);
    ASSERT_EQ(tree.find(ino), &leaf);
    leaf.file.reset();
    tree.settle(leaf);
    EXPECT_EQ(tree.find(ino), nullptr);
}

TEST(Tree, ForgottenNodesStayWhileTheirNameIsListed) {
    Tree tree;
    tree.apply(tree.root(), {file("a")}, now);
    Node* const a = tree.child(tree.root(), "a");
    tree.looked_up(*a);
    tree.forget(a->ino, 1);
    EXPECT_EQ(tree.child(tree.root(), "a"), a);
}

TEST(Tree, ListingAddsUpdatesAndRemoves) {
    Tree tree;
    tree.apply(tree.root(), {file("c"), file("a"), directory("d")}, now);
    EXPECT_EQ(names(tree.root()), (Names{"a", "c", "d"}));
    const Ino a = tree.child(tree.root(), "a")->ino;
    const Ino d = tree.child(tree.root(), "d")->ino;
    tree.apply(tree.root(), {directory("d"), file("b"), file("a", 7, 2000), file("a", 9)}, now);
    EXPECT_EQ(names(tree.root()), (Names{"a", "b", "d"}));
    EXPECT_EQ(tree.child(tree.root(), "a")->ino, a);
    EXPECT_EQ(tree.child(tree.root(), "a")->listed_size, 7U);
    EXPECT_EQ(tree.child(tree.root(), "a")->listed_mtime, 2000);
    EXPECT_EQ(tree.child(tree.root(), "d")->ino, d);
    EXPECT_TRUE(tree.root().directory->listed);
    EXPECT_EQ(tree.root().directory->fetched, now);
    EXPECT_EQ(tree.size(), 4U);
}

TEST(Tree, AnotherKindIsAnotherNode) {
    Tree tree;
    tree.apply(tree.root(), {file("x")}, now);
    const Ino before = tree.child(tree.root(), "x")->ino;
    tree.apply(tree.root(), {directory("x")}, now);
    EXPECT_NE(tree.child(tree.root(), "x")->ino, before);
    EXPECT_TRUE(tree.child(tree.root(), "x")->is_directory());
    EXPECT_EQ(tree.find(before), nullptr);
}

TEST(Tree, ListingKeepsWhatExistsOnlyHere) {
    Tree tree;
    tree.apply(tree.root(), {file("old"), file("dirty"), directory("d")}, now);
    tree.add(tree.root(), "new", EntryKind::file).on_server = false;
    Node& dirty = *tree.child(tree.root(), "dirty");
    dirty.file = some_file();
    tree.add(*tree.child(tree.root(), "d"), "below", EntryKind::file).on_server = false;
    tree.keep_if([&](const Node& node) { return &node == &dirty; });
    tree.apply(tree.root(), {}, now);
    EXPECT_EQ(names(tree.root()), (Names{"d", "dirty", "new"}));
    tree.keep_if([](const Node&) { return false; });
    tree.apply(tree.root(), {}, now);
    EXPECT_EQ(names(tree.root()), (Names{"d", "new"}));
}

TEST(Tree, TellsWhichOpenFilesChanged) {
    Tree tree;
    tree.apply(tree.root(), {file("a"), file("b"), file("c")}, now);
    tree.child(tree.root(), "a")->file = some_file();
    tree.child(tree.root(), "b")->file = some_file();
    const auto changed =
        tree.apply(tree.root(), {file("a"), file("b", 2), file("c", 2)}, now).changed;
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed.front()->name, "b");
}

TEST(Tree, SetTimesHoldWhileTheListingStaysTheSame) {
    Tree tree;
    tree.apply(tree.root(), {file("a", 1, 1000), file("b", 1, 1000), directory("d")}, now);
    Node& a = *tree.child(tree.root(), "a");
    Node& b = *tree.child(tree.root(), "b");
    Node& d = *tree.child(tree.root(), "d");
    for (Node* const node : {&a, &b, &d}) {
        node->set_mtime_ns = 5;
        node->set_mode = 0600;
    }
    a.listed_mtime = 0;  // just delivered: what the next listing says is the baseline
    auto again =
        tree.apply(tree.root(), {file("a", 1, 4000), file("b", 1, 1000), directory("d")}, now);
    EXPECT_TRUE(again.forgotten.empty());
    EXPECT_EQ(a.listed_mtime, 4000);
    EXPECT_EQ(a.set_mtime_ns, 5);
    again = tree.apply(tree.root(), {file("a", 1, 5000), file("b", 2, 1000)}, now);
    EXPECT_EQ(again.forgotten, (Names{"a", "b", "d"}));
    EXPECT_FALSE(a.set_mtime_ns);
    EXPECT_FALSE(b.set_mode);
}

TEST(Tree, AListingThatShowsOnlyTheDayMeansTheSameTime) {
    Tree tree;
    const std::time_t noon = 86'400 * 100 + 43'200;
    tree.apply(tree.root(), {file("a", 1, noon)}, now);
    Node& a = *tree.child(tree.root(), "a");
    a.set_mode = 0600;
    tree.apply(tree.root(), {file("a", 1, 86'400 * 100)}, now);
    EXPECT_EQ(a.listed_mtime, noon);
    EXPECT_TRUE(a.set_mode);
    tree.apply(tree.root(), {file("a", 1, 86'400 * 101)}, now);
    EXPECT_FALSE(a.set_mode);
}

TEST(Tree, VanishedDirectoryTakesItsChildrenAlong) {
    Tree tree;
    tree.apply(tree.root(), {directory("d")}, now);
    Node& d = *tree.child(tree.root(), "d");
    tree.apply(d, {file("x"), file("y")}, now);
    Node& x = *tree.child(d, "x");
    tree.looked_up(x);
    tree.looked_up(d);
    tree.apply(tree.root(), {}, now);
    EXPECT_EQ(tree.size(), 3U);  // root, d and x
    EXPECT_FALSE(tree.path(x));
    tree.forget(d.ino, 1);
    tree.forget(x.ino, 1);
    EXPECT_EQ(tree.size(), 1U);
}

TEST(Tree, MoveReplacesWhatStoodThere) {
    Tree tree;
    Node& d = tree.add(tree.root(), "d", EntryKind::directory);
    Node& a = tree.add(tree.root(), "a", EntryKind::file);
    const Ino b = tree.add(d, "b", EntryKind::file).ino;
    const auto before = d.directory->generation;
    tree.move(a, d, "b");
    EXPECT_EQ(tree.find(b), nullptr);
    EXPECT_EQ(names(d), Names{"b"});
    EXPECT_EQ(names(tree.root()), Names{"d"});
    EXPECT_EQ(tree.path(a)->text(), "/d/b");
    EXPECT_GT(d.directory->generation, before);
    tree.move(a, d, "b");
    EXPECT_EQ(tree.child(d, "b"), &a);
}

TEST(Tree, DroppedListingGivesMemoryBack) {
    Tree tree;
    std::vector<Entry> many;
    for (int i = 0; i < 1000; ++i) {
        many.push_back(file("f" + std::to_string(i)));
    }
    tree.apply(tree.root(), many, now);
    Node& held = *tree.child(tree.root(), "f5");
    tree.looked_up(held);
    tree.drop_listing(tree.root());
    EXPECT_FALSE(tree.root().directory->listed);
    EXPECT_EQ(names(tree.root()), Names{"f5"});
    EXPECT_EQ(tree.size(), 2U);
}

TEST(Tree, TakesAListingOfAHundredThousand) {
    std::vector<Entry> many;
    for (int i = 0; i < 100'000; ++i) {
        many.push_back(file("entry-" + std::to_string(i * 7919 % 100'000)));
    }
    Tree tree;
    tree.apply(tree.root(), many, now);
    EXPECT_EQ(tree.size(), 100'001U);
    for (int i = 0; i < 100'000; i += 997) {
        EXPECT_NE(tree.child(tree.root(), "entry-" + std::to_string(i)), nullptr);
    }
    tree.apply(tree.root(), {}, now);
    EXPECT_EQ(tree.size(), 1U);
}

}  // namespace
}  // namespace fusefs
