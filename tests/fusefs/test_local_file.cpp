// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "fusefs/disk.hpp"
#include "fusefs/local_file.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;

std::string read_range(const LocalFile& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '?');
    const auto got = file.read(offset, bytes);
    EXPECT_TRUE(got);
    bytes.resize(got.value_or(0));
    return bytes;
}

TEST(LocalFile, IsPrivateAndClosedOnExec) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "f";
    auto file = LocalFile::create(path);
    ASSERT_OK(file);
    struct stat status{};
    ASSERT_EQ(::fstat((*file)->fd(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_NE(::fcntl((*file)->fd(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ((*file)->path(), path);
}

TEST(LocalFile, NeverTakesAnExistingFileOrALinkForNew) {
    const TemporaryDirectory directory;
    write_all(directory.path() / "there", "old");
    std::filesystem::create_symlink(directory.path() / "nowhere", directory.path() / "link");
    for (const auto* name : {"there", "link"}) {
        const auto file = LocalFile::create(directory.path() / name);
        ASSERT_FALSE(file);
        EXPECT_EQ(file.error().code, Errc::local_io);
        EXPECT_EQ(file.error().number, EEXIST);
    }
    EXPECT_EQ(read_all(directory.path() / "there"), "old");
    EXPECT_FALSE(LocalFile::open(directory.path() / "link"));
    const auto missing = LocalFile::open(directory.path() / "missing");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().what.find("missing"), std::string::npos);
}

TEST(LocalFile, ReadsAndWritesAnywhere) {
    const TemporaryDirectory directory;
    auto file = LocalFile::create(directory.path() / "f");
    ASSERT_OK(file);
    const std::string big(3'000'001, 'b');
    ASSERT_OK((*file)->write(1'000'000, big));
    ASSERT_OK((*file)->write(0, std::string_view("begin")));
    EXPECT_EQ(read_range(**file, 0, 6), std::string("begin\0", 6));
    EXPECT_EQ(read_range(**file, 1'000'000, big.size()), big);
    EXPECT_EQ(read_range(**file, 4'000'000, 10), "b");
    EXPECT_EQ(read_range(**file, 4'000'001, 10), "");
    ASSERT_OK((*file)->truncate(3));
    EXPECT_EQ(read_range(**file, 0, 10), "beg");
    ASSERT_OK((*file)->truncate(5));
    EXPECT_EQ(read_range(**file, 0, 10), std::string("beg\0\0", 5));
    ASSERT_OK((*file)->sync());
    auto again = LocalFile::open(directory.path() / "f");
    ASSERT_OK(again);
    (*file)->remove();
    EXPECT_FALSE(std::filesystem::exists(directory.path() / "f"));
    EXPECT_EQ(read_range(**again, 0, 3), "beg");
    ASSERT_OK((*again)->sync());
}

TEST(LocalFile, RefusesOffsetsThatNoFileHas) {
    const TemporaryDirectory directory;
    auto file = LocalFile::create(directory.path() / "f");
    ASSERT_OK(file);
    const auto written = (*file)->write(UINT64_MAX - 1, std::string_view("abc"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::local_no_space);
    EXPECT_FALSE((*file)->truncate(UINT64_MAX));
    std::string into(3, '?');
    EXPECT_FALSE((*file)->read(INT64_MAX - 1, into));
}

TEST(LocalFile, CopiesRangesBetweenFilesAndFileSystems) {
    const TemporaryDirectory directory;
    const SmallDisk other;
    std::string content(300'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) {
        content[i] = static_cast<char>(i * 7 % 251);
    }
    auto source = LocalFile::create(directory.path() / "source");
    ASSERT_OK(source);
    ASSERT_OK((*source)->write(0, content));
    for (const auto& place : {directory.path(), other.path()}) {
        auto target = LocalFile::create(place / "target");
        ASSERT_OK(target);
        ASSERT_OK((*target)->copy_from(**source, 1000, 299'000));
        EXPECT_EQ(read_range(**target, 0, 1000), std::string(1000, '\0'));
        EXPECT_EQ(read_range(**target, 1000, 400'000), content.substr(1000, 298'000));
        ASSERT_OK((*target)->copy_from(**source, 5, 5));
        const auto beyond = (*target)->copy_from(**source, 299'000, 300'001);
        ASSERT_FALSE(beyond);
        EXPECT_EQ(beyond.error().code, Errc::local_io);
    }
}

TEST(LocalFile, AFullDiskIsNamed) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    auto file = LocalFile::create(disk.path() / "f");
    ASSERT_OK(file);
    disk.fill();
    const auto written = (*file)->write(0, std::string(10'000, 'x'));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::local_no_space);
    EXPECT_EQ(written.error().number, ENOSPC);
    EXPECT_NE(written.error().what.find("make room in " + disk.path().string()), std::string::npos)
        << written.error().what;
    const TemporaryDirectory elsewhere;
    auto source = LocalFile::create(elsewhere.path() / "f");
    ASSERT_OK(source);
    ASSERT_OK((*source)->write(0, std::string(10'000, 'x')));
    const auto copied = (*file)->copy_from(**source, 0, 10'000);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Errc::local_no_space);
    disk.free_some();
    EXPECT_TRUE((*file)->write(0, std::string(10'000, 'x')));
}

TEST(LocalFile, AFileSizeLimitIsAFullDisk) {
    const TemporaryDirectory directory;
    auto file = LocalFile::create(directory.path() / "f");
    ASSERT_OK(file);
    struct rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit low{4096, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
    const auto written = (*file)->write(0, std::string(10'000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    ASSERT_NE(std::signal(SIGXFSZ, old_handler), SIG_ERR);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::local_no_space);
    EXPECT_EQ(written.error().number, EFBIG);
}

TEST(Disk, ReplacesAFileAsAWhole) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "f";
    ASSERT_OK(replace_file(path, "one"));
    write_all(directory.path() / "f.tmp", "left by a crash");
    ASSERT_OK(replace_file(path, "two"));
    EXPECT_EQ(read_all(path), "two");
    EXPECT_FALSE(std::filesystem::exists(directory.path() / "f.tmp"));
    const auto content = read_file(path, 3);
    ASSERT_OK(content);
    EXPECT_EQ(*content, "two");
    const auto larger = read_file(path, 2);
    ASSERT_FALSE(larger);
    EXPECT_EQ(larger.error().code, Errc::too_large);
}

TEST(Disk, AFullDiskLeavesTheOldFile) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    const auto path = disk.path() / "f";
    ASSERT_OK(replace_file(path, "old"));
    disk.fill();
    const auto replaced = replace_file(path, std::string(10'000, 'x'));
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code, Errc::local_no_space);
    EXPECT_EQ(read_all(path), "old");
    EXPECT_FALSE(std::filesystem::exists(disk.path() / "f.tmp"));
}

TEST(Disk, MakesPrivateDirectoriesWithTheirParents) {
    const TemporaryDirectory directory;
    const auto deep = directory.path() / "a" / "b";
    ASSERT_OK(make_private_directory(deep));
    ASSERT_OK(make_private_directory(deep));
    struct stat status{};
    ASSERT_EQ(::stat(deep.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
    write_all(directory.path() / "file", "");
    const auto refused = make_private_directory(directory.path() / "file" / "c");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::local_io);
}

}  // namespace
}  // namespace fusefs
