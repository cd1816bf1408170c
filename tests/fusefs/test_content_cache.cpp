// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "fusefs/content_cache.hpp"
#include "fusefs/content_index.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

constexpr std::uint64_t mebi = std::uint64_t{1} << 20U;

class ContentCacheTest : public testing::Test {
protected:
    void SetUp() override { restart(); }
    void TearDown() override { stop(); }
    /// The daemon ends in good order and starts again.
    void restart(std::uint64_t limit = mebi) {
        stop();
        storage.emplace(loop.post());
        cache.emplace(*storage, directory(), limit);
        cache->load();
    }
    void stop() {
        cache.reset();
        storage.reset();
    }
    /// kill -9: nothing more is saved.
    void die() {
        settle();
        storage->close();
        cache.reset();
        storage.reset();
    }
    /// Everything given to the storage thread is done and has been answered.
    void settle() {
        bool settled = false;
        storage->run({}, [&] { settled = true; });
        loop.run_until([&] { return settled; });
    }
    /// The file's bytes are here, as the end of a download leaves them.
    std::shared_ptr<CachedContent> fetch(const std::string& path, ContentVersion version,
                                         std::optional<std::uint64_t> end = {}) {
        auto content = unwrap(cache->obtain(path, version));
        const auto size = end.value_or(version.size);
        EXPECT_TRUE(content->file->write(0, std::string(size, path.back())));
        cache->added(content, 0, size);
        return content;
    }
    static std::string content_of(const CachedContent& content) {
        std::string bytes(content.version.size, '?');
        bytes.resize(unwrap(content.file->read(0, bytes)));
        return bytes;
    }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory())) {
            count += content_number(entry.path().filename().string()) ? 1 : 0;
        }
        return count;
    }
    [[nodiscard]] bool has(const std::string& path, ContentVersion version) {
        return cache->find(path, version) != nullptr;
    }
    [[nodiscard]] std::filesystem::path directory() const { return temporary_.path() / "cache"; }

    MainLoop loop;
    std::optional<Storage> storage;
    std::optional<ContentCache> cache;

private:
    TemporaryDirectory temporary_;
};

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

// ---- restarts -------------------------------------------------------------------------------

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
