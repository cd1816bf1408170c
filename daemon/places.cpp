// SPDX-License-Identifier: MIT
#include "daemon/places.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "fusefs/mount_point.hpp"

namespace service {
namespace {

namespace fs = std::filesystem;
using modem::Errc;
using modem::fail;

std::string message(int error) {
    return std::generic_category().message(error);
}

/// The process id that a lock file's owner wrote into it.
std::string owner_of(const modem::Fd& lock) {
    std::array<char, 16> text{};
    const ssize_t size = ::pread(lock.get(), text.data(), text.size(), 0);
    std::string_view pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    pid = pid.substr(0, pid.find('\n'));
    return pid.empty() ? std::string() : fmt::format(" (process {})", pid);
}

/// True for the errno of a mount whose daemon has gone, or whose connection was aborted.
bool is_dead_mount(const std::error_code& error) {
    return error == std::errc::not_connected || error == std::errc::connection_aborted;
}

/// The kernel may still know the attributes of a dead mount's root, so stat() tells nothing.
bool has_dead_mount(const std::string& path) {
    std::error_code error;
    const fs::directory_iterator entries(path, error);
    return is_dead_mount(error);
}

modem::Result<void> check_empty_directory(const std::string& path) {
    std::error_code error;
    const fs::directory_iterator entries(path, error);
    if (error == std::errc::no_such_file_or_directory) {
        return fail(Errc::local_io,
                    fmt::format("mount.path {} does not exist; run: mkdir -p {}", path, path));
    }
    if (error == std::errc::not_a_directory) {
        return fail(Errc::local_io,
                    fmt::format("mount.path {} is not a directory; expected an empty one", path));
    }
    if (error) {
        return fail(Errc::local_io,
                    fmt::format("mount.path {} cannot be read: {}", path, error.message()));
    }
    if (entries != fs::directory_iterator()) {
        return fail(Errc::local_io,
                    fmt::format("mount.path {} is not empty ({} is in it) and a mount would hide "
                                "that; empty it, or unmount what is mounted there",
                                path, entries->path().filename().string()));
    }
    return {};
}

}  // namespace

modem::Result<void> make_directory(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (!error && !fs::is_directory(path, error) && !error) {
        error = std::make_error_code(std::errc::not_a_directory);
    }
    if (error) {
        return fail(Errc::local_io,
                    fmt::format("directory {} cannot be used: {}", path.string(), error.message()));
    }
    return {};
}

modem::Result<modem::Fd> claim(const fs::path& state_directory) {
    const std::string file = state_directory / "lock";
    modem::Fd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) {
        return fail(Errc::local_io, fmt::format("{} cannot be opened: {}", file, message(errno)));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        if (error == EWOULDBLOCK) {
            return fail(Errc::exists,
                        fmt::format("state directory {} is in use by another modemftpd{}; stop it, "
                                    "or give --name or --state-dir",
                                    state_directory.string(), owner_of(lock)));
        }
        return fail(Errc::local_io, fmt::format("{} cannot be locked: {}", file, message(error)));
    }
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::pwrite(lock.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return fail(Errc::local_io, fmt::format("{} cannot be written: {}", file, message(errno)));
    }
    return lock;
}

modem::Result<std::string> prepare_mount_point(const std::string& path) {
    constexpr int most = 8;  // dead mounts may lie on one another
    std::string done;
    for (int i = 0; i < most && has_dead_mount(path); ++i) {
        if (!fusefs::unmount_path(path, true)) {
            return fail(Errc::local_io,
                        fmt::format("{} is the mount of a daemon that has died and cannot be "
                                    "unmounted; run: umount -l {}",
                                    path, path));
        }
        done = fmt::format("unmounted {}, which a daemon that has died had left behind", path);
    }
    CHECK(check_empty_directory(path));
    return done;
}

}  // namespace service
