// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace emulator {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

/// Timers of the main thread.
class Timers {
public:
    using Id = std::uint64_t;
    /// Calls `action` once, `delay` from now. Ids are never 0 and never used again.
    Id after(milliseconds delay, std::function<void()> action);
    void cancel(Id id);
    [[nodiscard]] std::optional<TimePoint> next() const;
    /// Calls what is due.
    void run();

private:
    struct Timer {
        Id id;
        std::function<void()> action;
    };
    std::multimap<TimePoint, Timer> timers_;
    Id last_ = 0;
};

/// What a part of the emulator waits for; the main loop asks each part before it polls.
struct Waiting {
    std::vector<pollfd> descriptors;
    std::optional<TimePoint> until;

    void descriptor(int fd, short events);
    void at(std::optional<TimePoint> when);
    /// What poll() found on `fd`.
    [[nodiscard]] short found(int fd) const;
    /// Polls; false when a signal interrupted it.
    bool poll();
};

}  // namespace emulator
