// SPDX-License-Identifier: MIT
#include "daemon/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace service {
namespace {

std::string message(int error) {
    return std::generic_category().message(error);
}

/// posix_spawn with the signals as a program expects them; errno value, 0: started.
int spawn(const std::vector<std::string>& arguments, pid_t& pid) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    const int error = ::posix_spawnp(&pid, argv.front(), &files, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

}  // namespace

modem::Result<void> Child::start(const std::vector<std::string>& arguments,
                                 modem::UniqueFunction<void(const std::string&)> ended) {
    if (running()) {
        return modem::fail(
            modem::Errc::local_io,
            fmt::format("{} is not started: process {} still runs", arguments.front(), pid_));
    }
    pid_t pid = 0;
    if (const int error = spawn(arguments, pid); error != 0) {
        return modem::fail(modem::Errc::local_io, fmt::format("{} cannot be started: {}",
                                                              arguments.front(), message(error)));
    }
    pid_ = pid;
    ended_ = std::move(ended);
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd_) {
        return modem::fail(modem::Errc::local_io,
                           fmt::format("process {} cannot be watched: {}", pid, message(errno)));
    }
    TRY(source_, loop_.watch(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { reap(); }));
    return {};
}

void Child::reap() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) {
        return;
    }
    pid_ = 0;
    source_.reset();
    pidfd_.reset();
    std::string words;
    if (WIFSIGNALED(status)) {
        words = fmt::format("was killed by signal {}", WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        words = fmt::format("failed with exit code {}", WEXITSTATUS(status));
    }
    auto ended = std::exchange(ended_, {});
    ended(words);
}

}  // namespace service
