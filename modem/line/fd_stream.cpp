// SPDX-License-Identifier: MIT
#include "modem/line/fd_stream.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace modem {

namespace {

constexpr short hang_up_events = POLLHUP | POLLERR | POLLNVAL;
constexpr milliseconds flush_step{5};

timespec left_until(Clock::time_point deadline) {
    using std::chrono::nanoseconds;
    const auto left =
        std::max(std::chrono::duration_cast<nanoseconds>(deadline - Clock::now()), nanoseconds(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

/// poll() on {fd, interrupt} that survives signals. Returns the fd's events, 0 at the deadline.
Result<short> poll_line(int fd, short events, Wait wait) {
    std::array<pollfd, 2> fds{
        {{fd, events, 0}, {wait.interrupt != nullptr ? wait.interrupt->fd() : -1, POLLIN, 0}}};
    for (;;) {
        const timespec timeout = left_until(wait.deadline);
        const int ready = ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
        if (ready < 0 && errno != EINTR) {
            return fail(Errc::line_lost, fmt::format("poll: {}", std::strerror(errno)));
        }
        if (ready < 0) {
            continue;
        }
        if (fds[1].revents != 0) {
            return fail(Errc::cancelled, "cancelled");
        }
        return fds[0].revents;
    }
}

}  // namespace

FdStream::FdStream(Fd fd, std::string name, std::string description)
    : fd_(std::move(fd)), name_(std::move(name)), description_(std::move(description)) {}

Error FdStream::lost(int error) const {
    return {Errc::line_lost, error,
            fmt::format("{}: the line hung up{}", name_,
                        error == 0 ? std::string() : fmt::format(" ({})", std::strerror(error)))};
}

Result<short> FdStream::wait_for(short events, Wait wait) const {
    TRY(const short came, poll_line(fd(), events, wait));
    if (came == 0) {
        return fail(Errc::timed_out, fmt::format("{}: nothing within the time allowed", name_));
    }
    return came;
}

Result<std::size_t> FdStream::read(std::span<char> into, Wait wait) {
    for (;;) {
        TRY(const short came, wait_for(POLLIN, wait));
        const auto count = ::read(fd(), into.data(), into.size());
        if (count > 0) {
            return static_cast<std::size_t>(count);
        }
        if (count < 0 && (errno == EINTR || errno == EAGAIN) && (came & hang_up_events) == 0) {
            continue;
        }
        // With VMIN 0 a tty reads 0 bytes both when idle and when hung up: only poll() can tell.
        const bool idle_tty = count == 0 && (came & hang_up_events) == 0 && ::isatty(fd()) == 1;
        if (!idle_tty) {
            return fail(lost(count < 0 ? errno : 0));
        }
    }
}

Result<std::size_t> FdStream::write(std::span<const char> bytes, Wait wait) {
    for (;;) {
        TRY(const short came, wait_for(POLLOUT, wait));
        if ((came & hang_up_events) != 0) {
            return fail(lost(0));
        }
        const auto count = ::write(fd(), bytes.data(), bytes.size());
        if (count > 0 || (count == 0 && bytes.empty())) {
            return static_cast<std::size_t>(count);
        }
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return fail(lost(errno));
        }
    }
}

Result<void> FdStream::flush(Wait wait) {
    // Not tcdrain(): it cannot be interrupted, and flow control may hold the last byte for ever.
    for (;;) {
        int queued = 0;
        if (::ioctl(fd(), TIOCOUTQ, &queued) < 0) {
            return errno == ENOTTY || errno == EINVAL ? Result<void>() : fail(lost(errno));
        }
        if (queued == 0) {
            return {};
        }
        if (Clock::now() >= wait.deadline) {
            return fail(Errc::timed_out,
                        fmt::format("{}: {} bytes could not be sent: does flow control hold them?",
                                    name_, queued));
        }
        CHECK(pause(flush_step, wait.interrupt));
    }
}

Result<void> FdStream::pause(milliseconds time, const Interrupt* interrupt) {
    TRY(const short came, poll_line(fd(), 0, {Clock::now() + time, interrupt}));
    if (came != 0) {
        return fail(lost(0));
    }
    return {};
}

Result<void> FdStream::pulse_dtr(milliseconds time) {
    const int dtr = TIOCM_DTR;
    if (::ioctl(fd(), TIOCMBIC, &dtr) < 0) {
        const bool none = errno == ENOTTY || errno == EINVAL || errno == EOPNOTSUPP;
        return none ? fail(Errc::not_supported, fmt::format("{}: this line has no DTR", name_))
                    : fail(lost(errno));
    }
    auto paused = pause(time, nullptr);
    if (::ioctl(fd(), TIOCMBIS, &dtr) < 0) {
        return fail(lost(errno));
    }
    return paused;
}

Result<void> pause_without_line(Clock::time_point until, const Interrupt* interrupt) {
    TRY(const short came, poll_line(-1, 0, {until, interrupt}));
    static_cast<void>(came);
    return {};
}

}  // namespace modem
