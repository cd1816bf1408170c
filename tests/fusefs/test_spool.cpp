// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "fusefs/local_file.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;

constexpr std::uint64_t mebi = std::uint64_t{1} << 20U;

class SpoolTest : public testing::Test {
protected:
    std::unique_ptr<Spool> open(std::uint64_t limit = mebi) {
        auto spool = Spool::open(directory(), limit);
        EXPECT_TRUE(spool) << spool.error().what;
        return spool ? *std::move(spool) : nullptr;
    }
    /// A new file's name, with `size` bytes in it.
    static std::string make(Spool& spool, std::size_t size = 0) {
        auto file = spool.create();
        EXPECT_TRUE(file) << file.error().what;
        EXPECT_TRUE((*file)->write(0, std::string(size, 'x')));
        EXPECT_TRUE((*file)->sync());
        return (*file)->path().filename();
    }
    [[nodiscard]] std::filesystem::path directory() const { return temporary_.path() / "spool"; }

private:
    TemporaryDirectory temporary_;
};

TEST_F(SpoolTest, NumbersItsFiles) {
    auto spool = open();
    EXPECT_EQ(make(*spool), "s-000001");
    EXPECT_EQ(make(*spool), "s-000002");
    EXPECT_EQ(*spool->names(), (std::vector<std::string>{"s-000001", "s-000002"}));
}

TEST_F(SpoolTest, ANameNeverReturns) {
    std::set<std::string> seen;
    for (int run = 0; run < 4; ++run) {
        auto spool = open();
        for (int i = 0; i < 70; ++i) {
            const auto name = make(*spool);
            EXPECT_TRUE(seen.insert(name).second) << name;
            spool->remove(name);
        }
    }
    // Without the counter, the files that are there still count.
    const auto last = make(*open());
    std::filesystem::remove(directory() / "next-number");
    EXPECT_GT(make(*open()), last);
    write_all(directory() / "next-number", "18446744073709551999 rubbish");
    EXPECT_GT(make(*open()), last);
}

TEST_F(SpoolTest, HeadersAreReplacedAsAWhole) {
    auto spool = open();
    const auto name = make(*spool);
    EXPECT_FALSE(spool->header(name));
    ASSERT_OK(spool->put_header(name, "path /a\nsize 1\n"));
    ASSERT_OK(spool->put_header(name, "path /b\n"));
    EXPECT_EQ(*spool->header(name), "path /b\n");
    EXPECT_EQ(*spool->names(), std::vector<std::string>{name});
    EXPECT_EQ(*open()->header(name), "path /b\n");
    const auto huge = spool->put_header(name, std::string(mebi, 'x'));
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().code, Errc::too_large);
    spool->remove(name);
    EXPECT_FALSE(spool->header(name));
    EXPECT_FALSE(spool->open_file(name));
    EXPECT_TRUE(spool->names()->empty());
}

TEST_F(SpoolTest, ClearsAwayWhatACrashLeftHalfMade) {
    {
        auto spool = open();
        const auto kept = make(*spool, 10);
        ASSERT_OK(spool->put_header(kept, "kept"));
        write_all(directory() / (kept + ".head.tmp"), "half a head");
        write_all(directory() / "s-000050.head", "a header whose file is gone");
        write_all(directory() / "notes.txt", "somebody else's");
    }
    auto spool = open();
    EXPECT_EQ(*spool->names(), std::vector<std::string>{"s-000001"});
    EXPECT_EQ(*spool->header("s-000001"), "kept");
    EXPECT_FALSE(std::filesystem::exists(directory() / "s-000001.head.tmp"));
    EXPECT_FALSE(std::filesystem::exists(directory() / "s-000050.head"));
    EXPECT_TRUE(std::filesystem::exists(directory() / "notes.txt"));
    EXPECT_GT(make(*spool), "s-000050");
}

TEST_F(SpoolTest, NamesDoNotLeadOutOfTheDirectory) {
    auto spool = open();
    write_all(directory().parent_path() / "s-7", "outside");
    for (const auto* name : {"../s-7", "", ".", "s-", "s-1/../../s-7", "s-1x", "next-number"}) {
        const auto opened = spool->open_file(name);
        ASSERT_FALSE(opened) << name;
        EXPECT_EQ(opened.error().code, Errc::invalid_argument);
        EXPECT_FALSE(spool->header(name));
        EXPECT_FALSE(spool->put_header(name, "x"));
        spool->remove(name);
    }
    EXPECT_EQ(read_all(directory().parent_path() / "s-7"), "outside");
}

TEST_F(SpoolTest, CountsAgainstItsLimit) {
    auto spool = open(1000);
    EXPECT_EQ(spool->room().size, 1000U);
    EXPECT_EQ(spool->room().free, 1000U);
    EXPECT_TRUE(spool->reserve(600));
    EXPECT_FALSE(spool->reserve(401));
    EXPECT_TRUE(spool->reserve(400));
    EXPECT_TRUE(spool->reserve(0));
    EXPECT_FALSE(spool->reserve(1));
    EXPECT_FALSE(spool->reserve(UINT64_MAX));
    EXPECT_EQ(spool->room().free, 0U);
    EXPECT_EQ(spool->room().size, 1000U);
    spool->release(100);
    EXPECT_EQ(spool->room().free, 100U);
    spool->release(5000);
    EXPECT_EQ(spool->room().free, 1000U);
}

TEST_F(SpoolTest, CountsTheFilesThatItFinds) {
    std::string name;
    {
        auto spool = open();
        name = make(*spool, 5000);
    }
    auto spool = open(8000);
    EXPECT_EQ(spool->room().free, 3000U);
    EXPECT_EQ(spool->room().size, 8000U);
    EXPECT_FALSE(spool->reserve(3001));
    ASSERT_TRUE(spool->reserve(1000));
    const auto later = make(*spool, 1000);
    spool->remove(name);
    spool->remove(name);
    EXPECT_EQ(spool->room().free, 7000U);
    // What was reserved is released by who reserved it.
    spool->remove(later);
    EXPECT_EQ(spool->room().free, 7000U);
    spool->release(1000);
    EXPECT_EQ(spool->room().free, 8000U);
    make(*spool, 10);
    // More than the limit allows by now: nothing is free, nothing wraps around.
    auto smaller = open(5);
    EXPECT_EQ(smaller->room().free, 0U);
    EXPECT_FALSE(smaller->reserve(1));
}

TEST_F(SpoolTest, ASparseFileCountsWhatItTakes) {
    {
        auto spool = open();
        auto file = spool->create();
        ASSERT_OK(file);
        ASSERT_OK((*file)->write(std::uint64_t{1} << 30U, std::string_view("appended")));
        ASSERT_OK((*file)->sync());
    }
    EXPECT_GE(open()->room().free, mebi - 65536U);
}

TEST(SpoolDisk, TheDiskIsALimitToo) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    auto opened = Spool::open(disk.path() / "spool", 1000 * mebi);
    ASSERT_OK(opened);
    auto& spool = **opened;
    EXPECT_LT(spool.room().free, mebi);
    EXPECT_FALSE(spool.reserve(mebi));
    EXPECT_TRUE(spool.reserve(4096));
    auto file = spool.create();
    ASSERT_OK(file);
    const auto name = (*file)->path().filename().string();
    ASSERT_OK(spool.put_header(name, "old"));
    disk.fill();
    EXPECT_EQ(spool.room().free, 0U);
    EXPECT_FALSE(spool.reserve(1));
    const auto header = spool.put_header(name, std::string(5000, 'x'));
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, Errc::local_no_space);
    EXPECT_EQ(*spool.header(name), "old");
    disk.free_some();
    EXPECT_TRUE(spool.put_header(name, "new"));
}

TEST(SpoolDisk, ADirectoryThatCannotBeWrittenIsAnError) {
    const TemporaryDirectory directory;
    write_all(directory.path() / "file", "");
    const auto opened = Spool::open(directory.path() / "file" / "spool", mebi);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::local_io);
    EXPECT_NE(opened.error().what.find(directory.path().string()), std::string::npos);
}

}  // namespace
}  // namespace fusefs
