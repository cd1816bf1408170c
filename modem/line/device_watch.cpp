// SPDX-License-Identifier: MIT
// await_device(): inotify on the directories in which the device has to appear.
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string>

#include "modem/fd.hpp"
#include "modem/line/fd_stream.hpp"
#include "modem/line/open_line.hpp"

namespace modem {

namespace {

namespace fs = std::filesystem;

constexpr unsigned watched_events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE |
                                    IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr milliseconds retry_existing{1000};
constexpr int most_links = 16;

fs::path nearest_directory(fs::path path) {
    std::error_code error;
    do {
        path = path.parent_path();
    } while (!fs::is_directory(path, error) && path != path.parent_path());
    return path.empty() ? fs::path(".") : path;
}

/// The directories of the link, of what it points to, and so on; those that do not exist are
/// stood in for by the nearest that does.
std::set<fs::path> directories_of(fs::path path) {
    std::set<fs::path> result;
    for (int links = 0; links < most_links; ++links) {
        result.insert(nearest_directory(path));
        std::error_code error;
        const auto target = fs::read_symlink(path, error);
        if (error) {
            break;
        }
        path = (path.parent_path() / target).lexically_normal();
    }
    return result;
}

bool exists(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

/// An inotify descriptor on all of them; none when the system has no more watches to give.
Fd watch_directories(const std::string& path) {
    Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    for (const auto& directory : directories_of(path)) {
        if (watch && ::inotify_add_watch(watch.get(), directory.c_str(), watched_events) < 0) {
            watch.reset();
        }
    }
    return watch;
}

Result<void> await_path(const std::string& path, Wait wait) {
    const bool existed = exists(path);
    if (existed) {  // busy, or a permission that udev is about to give
        wait.deadline = std::min(wait.deadline, Clock::now() + retry_existing);
    }
    while (Clock::now() < wait.deadline) {
        auto watch = watch_directories(path);
        if (!existed && exists(path)) {
            return {};
        }
        if (!watch) {
            CHECK(pause_without_line(std::min(wait.deadline, Clock::now() + retry_existing),
                                     wait.interrupt));
            continue;
        }
        FdStream events(std::move(watch), path, path);
        std::array<char, 4096> ignored{};
        const auto changed = events.read(ignored, wait);
        if (!changed && changed.error().code == Errc::cancelled) {
            return fail(changed.error());
        }
        if (changed && existed) {
            return {};
        }
    }
    return {};
}

}  // namespace

Result<void> await_device(const config::Line& line, Wait wait) {
    if (line.device.starts_with("tcp:")) {
        return pause_without_line(wait.deadline, wait.interrupt);
    }
    const auto socket = after_scheme(line.device, "unix:");
    return await_path(socket.empty() ? line.device : std::string(socket), wait);
}

}  // namespace modem
