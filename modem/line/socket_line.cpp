// SPDX-License-Identifier: MIT
// Lines that are stream sockets: unix:/path and tcp:host:port.
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "modem/line/fd_stream.hpp"
#include "modem/line/open_line.hpp"

namespace modem {

namespace {

constexpr milliseconds connect_timeout{10'000};
constexpr milliseconds retry_step{20};

Error cannot_connect(std::string_view where, std::string_view why) {
    return {Errc::line_lost, 0, fmt::format("{}: cannot connect: {}", where, why)};
}

/// poll() for one event of `fd` and the interrupt. Errors: cancelled; false: the deadline.
Result<bool> wait_for(int fd, short event, Wait wait) {
    for (;;) {
        std::array<pollfd, 2> fds{
            {{fd, event, 0}, {wait.interrupt != nullptr ? wait.interrupt->fd() : -1, POLLIN, 0}}};
        const auto left = std::chrono::ceil<milliseconds>(wait.deadline - Clock::now()).count();
        ::poll(fds.data(), fds.size(), static_cast<int>(std::max<long>(left, 0)));
        if (fds[1].revents != 0) {
            return fail(Errc::cancelled, "cancelled");
        }
        if (fds[0].revents != 0 || left <= 0) {
            return fds[0].revents != 0;
        }
    }
}

/// connect() of a non-blocking socket up to its verdict.
Result<void> connect_socket(const Fd& fd, const sockaddr* address, socklen_t length,
                            std::string_view where, Wait wait) {
    int error = 0;
    while ((error = ::connect(fd.get(), address, length) < 0 ? errno : 0) == EAGAIN) {
        if (Clock::now() >= wait.deadline) {  // a unix socket whose owner does not accept
            return fail(cannot_connect(where, "its owner does not answer"));
        }
        CHECK(pause_without_line(Clock::now() + retry_step, wait.interrupt));
    }
    if (error == EINPROGRESS || error == EINTR) {
        TRY(const bool answered, wait_for(fd.get(), POLLOUT, wait));
        if (!answered) {
            return fail(cannot_connect(where, "no answer"));
        }
        socklen_t size = sizeof error;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    return error == 0 ? Result<void>() : fail(cannot_connect(where, std::strerror(error)));
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// A name look-up in a thread of its own, since getaddrinfo() can neither be interrupted nor given
/// a time. Whoever gives up leaves it to the thread.
struct Lookup {
    Interrupt done;
    std::mutex mutex;
    Addresses addresses;
    int error = 0;
};

Result<Addresses> look_up(const std::string& host, const std::string& port, Wait wait) {
    const auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, host, port] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
        addrinfo* list = nullptr;
        const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
        const std::lock_guard lock(lookup->mutex);
        lookup->error = error;
        lookup->addresses.reset(error == 0 ? list : nullptr);
        lookup->done.raise();
    }).detach();
    TRY(const bool answered, wait_for(lookup->done.fd(), POLLIN, wait));
    if (!answered) {
        return fail(cannot_connect(host, "the name server does not answer"));
    }
    const std::lock_guard lock(lookup->mutex);
    if (lookup->error != 0) {
        return fail(cannot_connect(host, ::gai_strerror(lookup->error)));
    }
    return std::move(lookup->addresses);
}

void set_option(const Fd& fd, int level, int option, int value) {
    ::setsockopt(fd.get(), level, option, &value, sizeof value);
}

/// A dead peer must be noticed although we may only listen for days: after about 90 s.
void tune(const Fd& fd) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Result<Fd> new_socket(int family, std::string_view where) {
    Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return fail(cannot_connect(where, std::strerror(errno)));
    }
    return fd;
}

}  // namespace

Result<std::unique_ptr<ByteStream>> open_unix(const std::string& path, const Interrupt* interrupt) {
    const std::string where = "unix:" + path;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fail(Errc::invalid_argument, fmt::format("{}: a socket's path has 1 to {} bytes",
                                                        where, sizeof address.sun_path - 1));
    }
    path.copy(address.sun_path, path.size());
    TRY(auto fd, new_socket(AF_UNIX, where));
    CHECK(connect_socket(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address, where,
                         {Clock::now() + connect_timeout, interrupt}));
    return std::make_unique<FdStream>(std::move(fd), where, where);
}

Result<std::unique_ptr<ByteStream>> open_tcp(std::string_view address, const Interrupt* interrupt) {
    const std::string where = fmt::format("tcp:{}", address);
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == address.size()) {
        return fail(Errc::invalid_argument, where + ": expected tcp:HOST:PORT");
    }
    std::string host(address.substr(0, colon));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    const Wait wait{Clock::now() + connect_timeout, interrupt};
    TRY(const auto addresses, look_up(host, std::string(address.substr(colon + 1)), wait));
    Error last = cannot_connect(where, "no address");
    for (const auto* one = addresses.get(); one != nullptr; one = one->ai_next) {
        TRY(auto fd, new_socket(one->ai_family, where));
        tune(fd);
        auto connected = connect_socket(fd, one->ai_addr, one->ai_addrlen, where, wait);
        if (connected) {
            return std::make_unique<FdStream>(std::move(fd), where, where);
        }
        last = std::move(connected).error();
        if (last.code == Errc::cancelled) {
            break;
        }
    }
    return fail(std::move(last));
}

}  // namespace modem
