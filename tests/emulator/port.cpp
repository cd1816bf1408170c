// SPDX-License-Identifier: MIT
#include "tests/emulator/port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

std::string failure(std::string_view what, std::string_view where) {
    return fmt::format("{} {}: {}", what, where, std::strerror(errno));
}

void close_fd(int& fd) {
    if (fd >= 0) {
        close(fd);
        fd = -1;
    }
}

}  // namespace

std::optional<std::string> Port::open(std::string where) {
    where_ = std::move(where);
    return come_back();
}

std::optional<std::string> Port::come_back() {
    if (present()) {
        return std::nullopt;
    }
    std::string_view where = where_;
    if (where.starts_with("link:")) {
        return open_pty(std::string(where.substr(5)));
    }
    if (where.starts_with("unix:")) {
        return listen_unix(std::string(where.substr(5)));
    }
    if (where.starts_with("tcp:")) {
        return listen_tcp(where.substr(4));
    }
    return fmt::format("\"{}\" is neither unix:PATH nor tcp:PORT", where_);
}

std::optional<std::string> Port::open_pty(const std::string& link) {
    pty_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    char device[64] = {};
    if (pty_ < 0 || grantpt(pty_) != 0 || unlockpt(pty_) != 0 ||
        ptsname_r(pty_, device, sizeof device) != 0) {
        auto problem = failure("cannot make", "a pseudo-terminal");
        close_fd(pty_);
        return problem;
    }
    keep_open_ = ::open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios settings{};
    if (keep_open_ < 0 || tcgetattr(keep_open_, &settings) != 0) {
        auto problem = failure("cannot open", device);
        hang_up();
        return problem;
    }
    // A tty's own echo would talk to the module until the host has set its modes.
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    tcsetattr(keep_open_, TCSANOW, &settings);
    device_ = device;
    auto temporary = fmt::format("{}.{}", link, getpid());
    unlink(temporary.c_str());
    if (symlink(device, temporary.c_str()) != 0 || rename(temporary.c_str(), link.c_str()) != 0) {
        auto problem = failure("cannot make the link", link);
        unlink(temporary.c_str());
        hang_up();
        return problem;
    }
    name_ = link;
    return std::nullopt;
}

std::optional<std::string> Port::listen_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return fmt::format("the socket name {} is longer than {} bytes", path,
                           sizeof address.sun_path - 1);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        unlink(path.c_str());
    }
    if (listener_ < 0 ||
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4) != 0) {
        auto problem = failure("cannot listen on", path);
        close_fd(listener_);
        return problem;
    }
    name_ = path;
    return std::nullopt;
}

std::optional<std::string> Port::listen_tcp(std::string_view port) {
    auto wanted = number(port);
    if (!wanted || *wanted > 65535) {
        return fmt::format("tcp:{} is not a port number", port);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(*wanted));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener_ < 0 ||
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4) != 0) {
        auto problem = failure("cannot listen on", where_);
        close_fd(listener_);
        return problem;
    }
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    where_ = fmt::format("tcp:{}", ntohs(address.sin_port));
    return std::nullopt;
}

void Port::hang_up() {
    // The name first: whoever is woken by the hang-up must not find the dead device again. Another
    // module may have taken the name since, so it is only removed while it is still ours.
    char target[64] = {};
    auto length = name_.empty() ? -1 : readlink(name_.c_str(), target, sizeof target - 1);
    if (!name_.empty() && (length < 0 || device_ == target)) {
        unlink(name_.c_str());
    }
    name_.clear();
    close_fd(keep_open_);
    close_fd(pty_);
    close_fd(caller_);
    close_fd(listener_);
}

std::string Port::address() const {
    return where_.starts_with("link:") ? fmt::format("{} ({})", where_.substr(5), device_) : where_;
}

void Port::prepare(Waiting& waiting) const {
    waiting.descriptor(listener_, POLLIN);
}

bool Port::service(const Waiting& waiting) {
    if ((waiting.found(listener_) & POLLIN) == 0) {
        return false;
    }
    int fresh = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fresh < 0) {
        return false;
    }
    close_fd(caller_);
    caller_ = fresh;
    int on = 1;
    // Fails on unix sockets, which need no such thing.
    static_cast<void>(setsockopt(caller_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    return true;
}

void Port::lost() {
    if (pty_ < 0) {
        close_fd(caller_);
    }
}

}  // namespace emulator
