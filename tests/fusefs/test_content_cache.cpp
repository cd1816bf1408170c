// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <iterator>
#include <utility>
#include <vector>

#include "tests/fusefs/content_cache_fixture.hpp"

namespace fusefs {
namespace {

TEST_F(ContentCacheTest, FindsWhatWasFetched) {
    EXPECT_EQ(cache->find("/a", {10, 1}), nullptr);
    const auto content = fetch("/a", {10, 1});
    EXPECT_TRUE(content->complete());
    EXPECT_EQ(cache->find("/a", {10, 1}), content);
    EXPECT_EQ(unwrap(cache->obtain("/a", {10, 1})), content);
    EXPECT_EQ(cache->used(), 10U);
    cache->added(content, 5, 10);
    EXPECT_EQ(cache->used(), 10U);
    cache->drop("/a");
    EXPECT_EQ(cache->find("/a", {10, 1}), nullptr);
    EXPECT_EQ(cache->used(), 0U);
    settle();
    EXPECT_EQ(files(), 0U);
}

TEST_F(ContentCacheTest, AnotherVersionIsAnotherContent) {
    fetch("/a", {10, 1});
    EXPECT_EQ(cache->find("/a", {10, 2}), nullptr);
    EXPECT_EQ(cache->find("/a", {10, 1}), nullptr);
    settle();
    EXPECT_EQ(files(), 0U);
}

TEST_F(ContentCacheTest, AnOldVersionLivesAsLongAsItsUsers) {
    auto old = fetch("/a", {10, 1});
    ++old->users;
    auto fresh = unwrap(cache->obtain("/a", {20, 2}));
    EXPECT_NE(fresh, old);
    EXPECT_EQ(cache->used(), 0U);
    EXPECT_EQ(cache->find("/a", {20, 2}), fresh);
    settle();
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(content_of(*old), std::string(10, 'a'));
    // What still arrives for it is its own business.
    ASSERT_OK(old->file->write(0, std::string(10, 'b')));
    cache->added(old, 0, 10);
    EXPECT_EQ(cache->used(), 0U);
    EXPECT_TRUE(fresh->present.empty());
    --old->users;
}

TEST_F(ContentCacheTest, EvictsTheLeastRecentlyUsed) {
    cache->set_limit(30);
    for (const auto* path : {"/a", "/b", "/c"}) {
        fetch(path, {10, 1});
    }
    EXPECT_TRUE(has("/a", {10, 1}));
    fetch("/d", {10, 1});
    EXPECT_FALSE(has("/b", {10, 1}));
    EXPECT_TRUE(has("/a", {10, 1}));
    EXPECT_TRUE(has("/c", {10, 1}));
    EXPECT_TRUE(has("/d", {10, 1}));
    EXPECT_EQ(cache->used(), 30U);
    settle();
    EXPECT_EQ(files(), 3U);
    cache->set_limit(10);
    EXPECT_EQ(cache->used(), 10U);
    EXPECT_TRUE(has("/d", {10, 1}));
}

TEST_F(ContentCacheTest, CountsBytesThatAreHereNotSizes) {
    cache->set_limit(100);
    const auto partial = fetch("/huge", {std::uint64_t{1} << 40U, 1}, 50);
    EXPECT_EQ(cache->used(), 50U);
    cache->added(partial, mebi, mebi + 10);
    EXPECT_EQ(cache->used(), 60U);
    partial->present.remove(0, 50);  // a transfer proved wrong
    fetch("/a", {50, 1});
    EXPECT_EQ(cache->used(), 60U);
    EXPECT_TRUE(has("/huge", {std::uint64_t{1} << 40U, 1}));
}

TEST_F(ContentCacheTest, NeverEvictsWhatIsInUse) {
    cache->set_limit(10);
    std::vector<std::shared_ptr<CachedContent>> in_use;
    for (int i = 0; i < 100; ++i) {
        in_use.push_back(unwrap(cache->obtain("/" + std::to_string(i), {10, 1})));
        ++in_use.back()->users;
        cache->added(in_use.back(), 0, 10);
    }
    EXPECT_EQ(cache->used(), 1000U);
    for (const auto& content : in_use) {
        EXPECT_EQ(cache->find(content->path, {10, 1}), content);
        --content->users;
    }
    in_use.clear();
    // Nobody has told it, but the next call that adds notices.
    fetch("/new", {10, 1});
    EXPECT_EQ(cache->used(), 10U);
    EXPECT_TRUE(has("/new", {10, 1}));
}

TEST_F(ContentCacheTest, AContentLargerThanTheLimitGoesWhenItIsNoLongerUsed) {
    cache->set_limit(10);
    auto content = unwrap(cache->obtain("/a", {100, 1}));
    ++content->users;
    cache->added(content, 0, 100);
    EXPECT_TRUE(has("/a", {100, 1}));
    --content->users;
    cache->save();
    EXPECT_EQ(cache->used(), 0U);
}

TEST_F(ContentCacheTest, KeepsFewDescriptorsOpen) {
    const auto open_files = [] {
        const std::filesystem::directory_iterator at("/proc/self/fd");
        return std::distance(begin(at), end(at));
    };
    const auto before = open_files();
    for (int i = 0; i < 150; ++i) {
        fetch("/" + std::to_string(i), {3, 1});
    }
    EXPECT_LT(open_files(), before + 90);
    for (int i = 0; i < 150; ++i) {
        const auto content = cache->find("/" + std::to_string(i), {3, 1});
        ASSERT_TRUE(content);
        ASSERT_TRUE(content->file);
        EXPECT_EQ(content_of(*content), std::string(3, content->path.back()));
    }
    EXPECT_LT(open_files(), before + 90);
}

TEST_F(ContentCacheTest, RenameMovesAFileOrATree) {
    for (const auto* path : {"/d_%", "/d_%/x", "/d_%/y/z", "/d_%0", "/dab/x", "/to/old", "/to"}) {
        fetch(path, {5, 1});
    }
    const auto moved = cache->find("/d_%/y/z", {5, 1});
    cache->rename("/d_%", "/to");
    EXPECT_EQ(cache->find("/to/y/z", {5, 1}), moved);
    EXPECT_EQ(moved->path, "/to/y/z");
    EXPECT_TRUE(has("/to", {5, 1}));
    EXPECT_TRUE(has("/to/x", {5, 1}));
    for (const auto* path : {"/d_%", "/d_%/x", "/d_%/y/z", "/to/old"}) {
        EXPECT_FALSE(has(path, {5, 1})) << path;
    }
    for (const auto* path : {"/d_%0", "/dab/x"}) {
        EXPECT_TRUE(has(path, {5, 1})) << path;
    }
    EXPECT_EQ(cache->used(), 25U);
    cache->rename("/to", "/to");
    EXPECT_TRUE(has("/to/x", {5, 1}));
    restart();
    EXPECT_TRUE(has("/to/x", {5, 1}));
}

// ---- adopting what was delivered ------------------------------------------------------------

class AdoptTest : public ContentCacheTest {
protected:
    static std::shared_ptr<LocalFile> spool_file(const std::filesystem::path& path,
                                                 const std::string& content) {
        auto file = unwrap(LocalFile::create(path));
        EXPECT_TRUE(file->write(0, content));
        return file;
    }
    [[nodiscard]] std::filesystem::path spool() const { return directory().parent_path() / "s-1"; }
};

TEST_F(AdoptTest, TheFileIsTheContentAtOnce) {
    cache->adopt("/a", {7, 1}, spool_file(spool(), "content"));
    auto content = cache->find("/a", {7, 1});
    ASSERT_TRUE(content);
    EXPECT_TRUE(content->complete());
    EXPECT_EQ(content_of(*content), "content");
    settle();
    EXPECT_FALSE(std::filesystem::exists(spool()));
    EXPECT_EQ(content->file->path().parent_path(), directory());
    EXPECT_EQ(content_of(*content), "content");
    content.reset();
    restart();
    content = cache->find("/a", {7, 1});
    ASSERT_TRUE(content);
    EXPECT_EQ(content_of(*content), "content");
}

TEST_F(AdoptTest, AFileOfAnotherFileSystemOrAlreadyRemovedIsCopied) {
    const SmallDisk other;
    cache->adopt("/a", {7, 1}, spool_file(other.path() / "s-1", "content"));
    auto removed = spool_file(spool(), "removed");
    removed->remove();
    cache->adopt("/b", {7, 1}, removed);
    removed.reset();
    settle();
    restart();
    for (const auto& [path, bytes] :
         {std::pair("/a", std::string("content")), std::pair("/b", std::string("removed"))}) {
        const auto content = cache->find(path, {7, 1});
        ASSERT_TRUE(content) << path;
        EXPECT_EQ(content_of(*content), bytes);
    }
}

TEST_F(AdoptTest, AFileOfAnotherSizeIsNoContent) {
    fetch("/a", {7, 1});
    cache->adopt("/a", {8, 2}, spool_file(spool(), "content"));
    EXPECT_FALSE(has("/a", {8, 2}));
    EXPECT_FALSE(has("/a", {7, 1}));
    settle();
    EXPECT_TRUE(std::filesystem::exists(spool()));
}

TEST_F(AdoptTest, WhatIsDroppedOrRenamedOnTheWayIsNotForgotten) {
    cache->adopt("/a", {7, 1}, spool_file(spool(), "content"));
    cache->drop("/a");
    cache->adopt("/b", {5, 1}, spool_file(directory().parent_path() / "s-2", "bytes"));
    cache->rename("/b", "/c");
    settle();
    EXPECT_EQ(files(), 1U);
    EXPECT_FALSE(has("/a", {7, 1}));
    EXPECT_TRUE(has("/c", {5, 1}));
    restart();
    EXPECT_TRUE(has("/c", {5, 1}));
    EXPECT_EQ(files(), 1U);
}

TEST_F(AdoptTest, ACopyThatFailsIsNoContent) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    ContentCache small(*storage, disk.path() / "cache", 100 * mebi);
    small.load();
    disk.fill();
    const std::string bytes(100'000, 'x');
    small.adopt("/a", {bytes.size(), 1}, spool_file(spool(), bytes));
    EXPECT_NE(small.find("/a", {bytes.size(), 1}), nullptr);
    settle();
    EXPECT_EQ(small.find("/a", {bytes.size(), 1}), nullptr);
    EXPECT_EQ(small.used(), 0U);
    const auto refused = small.obtain("/b", {1, 1});
    if (!refused) {
        EXPECT_EQ(refused.error().code, modem::Errc::local_no_space);
    }
    disk.free_some();
    EXPECT_TRUE(small.obtain("/c", {1, 1}));
    settle();
}

}  // namespace
}  // namespace fusefs
