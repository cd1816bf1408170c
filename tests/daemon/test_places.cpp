// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/places.hpp"
#include "tests/config/temporary_directory.hpp"

namespace service {
namespace {

using Places = TemporaryDirectory;

TEST_F(Places, AStateDirectoryHasOneOwner) {
    ASSERT_TRUE(make_directory(path() / "a/state"));
    {
        const auto first = claim(path() / "a/state");
        ASSERT_TRUE(first);
        const auto second = claim(path() / "a/state");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, modem::Errc::exists);
        EXPECT_EQ(second.error().what,
                  fmt::format("state directory {} is in use by another modemftpd (process {}); "
                              "stop it, or give --name or --state-dir",
                              (path() / "a/state").string(), ::getpid()));
    }
    EXPECT_TRUE(claim(path() / "a/state"));
}

TEST_F(Places, AFileIsNoDirectory) {
    const auto file = write("file", "");
    EXPECT_FALSE(make_directory(file));
    EXPECT_FALSE(make_directory(file / "below"));
}

TEST_F(Places, AMountPointIsAnEmptyDirectory) {
    const std::string point = path() / "mnt";
    EXPECT_EQ(prepare_mount_point(point).error().what,
              fmt::format("mount.path {0} does not exist; run: mkdir -p {0}", point));
    std::filesystem::create_directory(point);
    EXPECT_EQ(*prepare_mount_point(point), "");
    write("mnt/log.csv", "");
    EXPECT_EQ(prepare_mount_point(point).error().what,
              fmt::format("mount.path {} is not empty (log.csv is in it) and a mount would hide "
                          "that; empty it, or unmount what is mounted there",
                          point));
    EXPECT_EQ(
        prepare_mount_point(point + "/log.csv").error().what,
        fmt::format("mount.path {}/log.csv is not a directory; expected an empty one", point));
}

}  // namespace
}  // namespace service
