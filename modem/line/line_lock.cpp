// SPDX-License-Identifier: MIT
#include "modem/line/line_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "modem/fd.hpp"

namespace modem {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view dev = "/dev/";
constexpr int most_attempts = 5;  ///< others may take and leave the lock at the same moment

std::string read_small_file(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    std::array<char, 256> text{};
    const auto count = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

std::optional<pid_t> parse_pid(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return error == std::errc() && pid > 0 ? std::optional(pid) : std::nullopt;
}

bool is_alive(pid_t pid) {
    return ::kill(pid, 0) == 0 || errno != ESRCH;
}

std::string describe_process(pid_t pid) {
    auto command = read_small_file(fmt::format("/proc/{}/comm", pid));
    command.resize(std::min(command.find('\n'), command.size()));
    std::replace_if(command.begin(), command.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return command.empty() ? fmt::format("pid {}", pid) : fmt::format("{} (pid {})", command, pid);
}

/// Creates the lock file whole: its pid is there before its name is. Errors are errno, 0: done.
int create(const std::string& file, const std::string& lock_dir) {
    const auto temporary = fmt::format("{}/LTMP.{}", lock_dir, ::getpid());
    ::unlink(temporary.c_str());
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd) {
        return errno;
    }
    const auto text = fmt::format("{:10d}\n", ::getpid());
    const bool written =
        ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    int error = written ? 0 : ENOSPC;
    if (written && ::link(temporary.c_str(), file.c_str()) < 0) {
        error = errno;
    }
    ::unlink(temporary.c_str());
    return error;
}

/// How many of the process's descriptors are `path`, as far as /proc shows them to us.
int count_open(const fs::path& process, const std::string& path) {
    int count = 0;
    std::error_code error;
    fs::directory_iterator descriptors(process / "fd", error);
    while (!error && descriptors != fs::directory_iterator()) {
        std::error_code unreadable;
        count += fs::read_symlink(descriptors->path(), unreadable) == path ? 1 : 0;
        descriptors.increment(error);
    }
    return count;
}

}  // namespace

Result<LineLock> LineLock::take(const std::string& path, const std::string& lock_dir) {
    std::string name = path.starts_with(dev) ? path.substr(dev.size()) : path;
    std::replace(name.begin(), name.end(), '/', '_');
    const auto file = fmt::format("{}/LCK..{}", lock_dir, name);
    LineLock lock;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        const int error = create(file, lock_dir);
        if (error == 0) {
            lock.file_ = file;
            return lock;
        }
        if (error != EEXIST) {
            lock.note_ = fmt::format("no lock file in {}: {}", lock_dir, std::strerror(error));
            return lock;
        }
        const auto owner = parse_pid(read_small_file(file));
        // Our own pid is that of a predecessor which died: flock() tells a living rival apart.
        if (owner && *owner != ::getpid() && is_alive(*owner)) {
            return fail(in_use(path, describe_process(*owner)));
        }
        if (::unlink(file.c_str()) < 0 && errno != ENOENT) {
            lock.note_ = fmt::format("stale {} cannot be removed: {}", file, std::strerror(errno));
            return lock;
        }
    }
    return fail(in_use(path, ""));
}

LineLock::LineLock(LineLock&& other) noexcept
    : file_(std::exchange(other.file_, {})), note_(std::move(other.note_)) {}

LineLock& LineLock::operator=(LineLock&& other) noexcept {
    if (this != &other) {
        release();
        file_ = std::exchange(other.file_, {});
        note_ = std::move(other.note_);
    }
    return *this;
}

LineLock::~LineLock() {
    release();
}

void LineLock::release() {
    if (!file_.empty()) {
        ::unlink(file_.c_str());
        file_.clear();
    }
}

Result<void> take_exclusively(int fd, const std::string& path) {
    if (::flock(fd, LOCK_EX | LOCK_NB) < 0) {
        return fail(in_use(path, find_holder(path, 1)));
    }
    // Refused for root's rivals only by the lock file: TIOCEXCL does not stop CAP_SYS_ADMIN.
    if (::ioctl(fd, TIOCEXCL) < 0) {
        return fail(Errc::line_lost, fmt::format("{}: TIOCEXCL: {}", path, std::strerror(errno)));
    }
    return {};
}

std::string find_holder(const std::string& path, int own) {
    std::error_code error;
    for (fs::directory_iterator process("/proc", error);
         !error && process != fs::directory_iterator(); process.increment(error)) {
        const auto pid = parse_pid(process->path().filename().string());
        if (pid && *pid != ::getpid() && count_open(process->path(), path) > 0) {
            return describe_process(*pid);
        }
    }
    return count_open("/proc/self", path) > own ? "this process" : "";
}

Error in_use(const std::string& path, const std::string& holder) {
    return {Errc::line_lost, EBUSY,
            fmt::format("{}: in use by {}; only one program can talk to the modem", path,
                        holder.empty() ? "another program" : holder)};
}

}  // namespace modem
