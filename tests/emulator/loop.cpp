// SPDX-License-Identifier: MIT
#include "tests/emulator/loop.hpp"

#include <algorithm>
#include <utility>

namespace emulator {

Timers::Id Timers::after(milliseconds delay, std::function<void()> action) {
    timers_.emplace(Clock::now() + delay, Timer{++last_, std::move(action)});
    return last_;
}

void Timers::cancel(Id id) {
    std::erase_if(timers_, [id](const auto& entry) { return entry.second.id == id; });
}

std::optional<TimePoint> Timers::next() const {
    if (timers_.empty()) {
        return std::nullopt;
    }
    return timers_.begin()->first;
}

void Timers::run() {
    while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
        auto node = timers_.extract(timers_.begin());
        node.mapped().action();
    }
}

void Waiting::descriptor(int fd, short events) {
    if (fd >= 0) {
        descriptors.push_back({fd, events, 0});
    }
}

void Waiting::at(std::optional<TimePoint> when) {
    if (when && (!until || *when < *until)) {
        until = when;
    }
}

short Waiting::found(int fd) const {
    auto entry = std::find_if(descriptors.begin(), descriptors.end(),
                              [fd](const pollfd& item) { return item.fd == fd; });
    return entry == descriptors.end() || fd < 0 ? short{0} : entry->revents;
}

bool Waiting::poll() {
    timespec timeout{};
    timespec* limit = nullptr;
    if (until) {
        auto left =
            std::max(std::chrono::nanoseconds(*until - Clock::now()), std::chrono::nanoseconds(0));
        constexpr std::int64_t second = 1'000'000'000;
        timeout.tv_sec = left.count() / second;
        timeout.tv_nsec = left.count() % second;
        limit = &timeout;
    }
    return ppoll(descriptors.data(), descriptors.size(), limit, nullptr) >= 0;
}

}  // namespace emulator
