// SPDX-License-Identifier: MIT
#include "fusefs/mount_point.hpp"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace fusefs {

using modem::Errc;
using modem::fail;

namespace {

/// Mounts of dead predecessors may lie on one another.
constexpr int most_dead_mounts = 8;

/// fusermount3 is set-uid: it unmounts what its caller has mounted.
bool run_fusermount(const std::string& path, bool lazily) {
    std::string program = "fusermount3";
    std::string options = lazily ? "-uzq" : "-uq";
    std::string end = "--";
    std::string place = path;
    const std::vector<char*> arguments{program.data(), options.data(), end.data(), place.data(),
                                       nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) != 0) {
        return false;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

bool unmount_path(const std::string& path, bool lazily) {
    if (::umount2(path.c_str(), lazily ? MNT_DETACH : 0) == 0) {
        return true;
    }
    return errno == EPERM && run_fusermount(path, lazily);
}

modem::Result<void> prepare_mount_point(const std::string& path) {
    struct stat st{};
    int result = ::stat(path.c_str(), &st);
    for (int i = 0; i < most_dead_mounts && result != 0 && errno == ENOTCONN; ++i) {
        if (!unmount_path(path, true)) {
            return fail(Errc::local_io,
                        fmt::format("a dead mount of an earlier run is at {} and cannot be "
                                    "unmounted: run `umount -l {}` as root",
                                    path, path));
        }
        result = ::stat(path.c_str(), &st);
    }
    if (result != 0) {
        return fail(Errc::local_io, fmt::format("mount.path {}: {}: create the directory first",
                                                path, std::system_category().message(errno)));
    }
    if (!S_ISDIR(st.st_mode)) {
        return fail(Errc::local_io, fmt::format("mount.path {} is not a directory", path));
    }
    return {};
}

}  // namespace fusefs
