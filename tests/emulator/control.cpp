// SPDX-License-Identifier: MIT
#include "tests/emulator/control.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace emulator {

Control::~Control() {
    for (const auto& [fd, buffer] : callers_) {
        close(fd);
    }
    if (listener_ >= 0) {
        close(listener_);
        unlink(path_.c_str());
    }
}

std::optional<std::string> Control::open(const std::string& where) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto path = where.starts_with("unix:") ? where.substr(5) : where;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fmt::format("the control socket \"{}\" is no usable name", path);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        unlink(path.c_str());
    }
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener_ < 0 ||
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 8) != 0) {
        auto problem = fmt::format("cannot listen on {}: {}", path, std::strerror(errno));
        if (listener_ >= 0) {
            close(listener_);
        }
        listener_ = -1;
        return problem;
    }
    path_ = path;
    return std::nullopt;
}

void Control::prepare(Waiting& waiting) const {
    waiting.descriptor(listener_, POLLIN);
    for (const auto& [fd, buffer] : callers_) {
        waiting.descriptor(fd, POLLIN);
    }
}

void Control::service(const Waiting& waiting) {
    for (auto at = callers_.begin(); at != callers_.end();) {
        bool open = waiting.found(at->first) == 0 || read_from(at->first, at->second);
        if (!open) {
            close(at->first);
        }
        at = open ? std::next(at) : callers_.erase(at);
    }
    if ((waiting.found(listener_) & POLLIN) != 0) {
        int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            callers_[fd];
        }
    }
}

bool Control::read_from(int fd, std::string& buffer) {
    char bytes[1024];
    auto got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    buffer.append(bytes, static_cast<std::size_t>(got));
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
        auto answer = on_line(buffer.substr(0, end)) + "\n";
        buffer.erase(0, end + 1);
        if (send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) {
            return false;
        }
    }
    return true;
}

}  // namespace emulator
