// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>

#include "tests/fusefs/content_cache_fixture.hpp"

namespace fusefs {
namespace {

TEST_F(ContentCacheTest, SurvivesARestart) {
    fetch("/a", {10, 1});
    fetch("/part", {100, 2}, 40);
    fetch("/\xff\n", {3, 3});
    restart();
    EXPECT_EQ(cache->used(), 53U);
    const auto content = cache->find("/a", {10, 1});
    ASSERT_TRUE(content);
    EXPECT_EQ(content_of(*content), std::string(10, 'a'));
    const auto part = cache->find("/part", {100, 2});
    ASSERT_TRUE(part);
    EXPECT_EQ(part->present.to_text(), "0-39");
    EXPECT_TRUE(has("/\xff\n", {3, 3}));
    EXPECT_FALSE(has("/a", {10, 2}));
}

TEST_F(ContentCacheTest, KeepsItsOrderOverARestart) {
    for (const auto* path : {"/a", "/b", "/c"}) {
        fetch(path, {10, 1});
    }
    EXPECT_TRUE(has("/a", {10, 1}));
    restart(20);
    EXPECT_FALSE(has("/b", {10, 1}));
    EXPECT_TRUE(has("/a", {10, 1}));
    EXPECT_TRUE(has("/c", {10, 1}));
}

TEST_F(ContentCacheTest, ASavedIndexSurvivesKill) {
    fetch("/saved", {10, 1});
    cache->save();
    settle();
    fetch("/late", {10, 1});
    die();
    restart();
    EXPECT_TRUE(has("/saved", {10, 1}));
    EXPECT_FALSE(has("/late", {10, 1}));
    EXPECT_EQ(files(), 1U);
}

TEST_F(ContentCacheTest, WhatIsRacyOrStillArrivingIsNotSaved) {
    fetch("/racy", {10, 1})->racy = true;
    auto arriving = fetch("/arriving", {10, 1}, 5);
    ++arriving->users;
    auto reading = fetch("/reading", {10, 1});
    ++reading->users;
    cache->save();
    settle();
    die();
    restart();
    EXPECT_FALSE(has("/racy", {10, 1}));
    EXPECT_FALSE(has("/arriving", {10, 1}));
    EXPECT_TRUE(has("/reading", {10, 1}));
}

TEST_F(ContentCacheTest, TheLastUseEndingIsAChangeToo) {
    auto content = fetch("/a", {10, 1}, 5);
    ++content->users;
    cache->save();
    settle();
    --content->users;
    restart();
    EXPECT_TRUE(has("/a", {10, 1}));
}

TEST_F(ContentCacheTest, SavesNotTooOften) {
    const auto start = std::chrono::steady_clock::now();
    std::set<std::size_t> seen;
    for (int i = 0; i < 50; ++i) {
        fetch("/" + std::to_string(i), {10, 1});
        cache->save();
        settle();
        seen.insert(read_index(directory()).entries.size());
    }
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LE(seen.size(), 1U + static_cast<std::size_t>(took / std::chrono::seconds(2)));
    stop();
    EXPECT_EQ(read_index(directory()).entries.size(), 50U);
}

TEST_F(ContentCacheTest, AnUnchangedCacheWritesNothing) {
    fetch("/a", {10, 1});
    restart();
    std::filesystem::remove(directory() / "index");
    cache->save();
    EXPECT_TRUE(has("/a", {10, 1}));
    stop();
    EXPECT_FALSE(std::filesystem::exists(directory() / "index"));
}

TEST_F(ContentCacheTest, AfterARebootOnlyWhatWasSyncedCounts) {
    fetch("/synced", {10, 1});
    fetch("/unsynced", {10, 1});
    stop();
    auto index = read_index(directory());
    ASSERT_EQ(index.entries.size(), 2U);
    for (auto& entry : index.entries) {
        EXPECT_TRUE(entry.durable);
        entry.durable = entry.path == "/synced";
    }
    ASSERT_OK(write_index(directory(), index));
    restart();
    EXPECT_TRUE(has("/unsynced", {10, 1}));
    stop();
    index.boot = "another boot";
    ASSERT_OK(write_index(directory(), index));
    restart();
    EXPECT_TRUE(has("/synced", {10, 1}));
    EXPECT_FALSE(has("/unsynced", {10, 1}));
}

TEST_F(ContentCacheTest, DeletesItsOwnFilesThatNoIndexKnows) {
    fetch("/a", {10, 1});
    stop();
    write_all(directory() / "c-000777", "stranger");
    write_all(directory() / "notes.txt", "somebody else's");
    restart();
    EXPECT_FALSE(std::filesystem::exists(directory() / "c-000777"));
    EXPECT_TRUE(std::filesystem::exists(directory() / "notes.txt"));
    EXPECT_TRUE(has("/a", {10, 1}));
    // Its number is not given again.
    const auto content = unwrap(cache->obtain("/b", {1, 1}));
    EXPECT_GT(content->file->path().filename(), "c-000777");
}

TEST_F(ContentCacheTest, DoesNotTrustAFileThatCannotHoldWhatTheIndexSays) {
    fetch("/short", {10, 1});
    fetch("/long", {10, 1});
    fetch("/gone", {10, 1});
    std::map<std::string, std::filesystem::path> at;
    for (const auto* path : {"/short", "/long", "/gone"}) {
        at[path] = cache->find(path, {10, 1})->file->path();
    }
    stop();
    std::filesystem::resize_file(at["/short"], 9);
    std::filesystem::resize_file(at["/long"], 11);
    std::filesystem::remove(at["/gone"]);
    restart();
    for (const auto* path : {"/short", "/long", "/gone"}) {
        EXPECT_FALSE(has(path, {10, 1})) << path;
    }
    EXPECT_EQ(cache->used(), 0U);
}

TEST_F(ContentCacheTest, AnEmptiedDirectoryIsAnEmptyCache) {
    fetch("/a", {10, 1});
    restart();
    std::filesystem::remove_all(directory());
    EXPECT_EQ(cache->find("/a", {10, 1}), nullptr);
    EXPECT_EQ(cache->used(), 0U);
    fetch("/b", {10, 1});
    restart();
    EXPECT_TRUE(has("/b", {10, 1}));
}

TEST_F(ContentCacheTest, ADamagedIndexIsAnEmptyCache) {
    fetch("/a", {10, 1});
    fetch("/b", {10, 1});
    stop();
    const auto whole = read_all(directory() / "index");
    ASSERT_EQ(read_index(directory()).entries.size(), 2U);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        write_all(directory() / "index", damaged);
        EXPECT_TRUE(read_index(directory()).entries.empty()) << at;
        write_all(directory() / "index", whole.substr(0, at));
        EXPECT_TRUE(read_index(directory()).entries.empty()) << at;
    }
    write_all(directory() / "index", whole + 'x');
    restart();
    EXPECT_EQ(cache->used(), 0U);
    EXPECT_EQ(files(), 0U);
    fetch("/c", {10, 1});
    restart();
    EXPECT_TRUE(has("/c", {10, 1}));
}

}  // namespace
}  // namespace fusefs
