// SPDX-License-Identifier: MIT
#include "tests/emulator/wire.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace emulator {

namespace {

using std::chrono::duration;
using std::chrono::duration_cast;

constexpr double bits_per_byte = 10;
constexpr double slice = 0.005;  // seconds
/// What is taken in ahead of the line's pace, in seconds of it; the rest stays in the operating
/// system's buffer, so that a host that waits for its output to drain waits for the line.
constexpr double receive_ahead = 0.02;
constexpr std::size_t smallest_window = 64;
constexpr std::size_t unpaced_window = 65536;

double seconds(TimePoint when) {
    return duration_cast<duration<double>>(when.time_since_epoch()).count();
}

}  // namespace

void BaudClock::set_baud(unsigned baud) {
    byte_time_ = baud == 0 ? 0 : bits_per_byte / baud;
    running_ = false;
}

std::size_t BaudClock::allowance(TimePoint now, std::size_t waiting) {
    if (waiting == 0) {
        running_ = false;
        return 0;
    }
    if (!paced()) {
        return waiting;
    }
    auto at = seconds(now);
    if (!running_) {
        running_ = true;
        free_ = std::max(free_, at);
    }
    auto can = std::floor((at - free_) / byte_time_);
    return can <= 0 ? 0 : std::min(waiting, static_cast<std::size_t>(can));
}

TimePoint BaudClock::due(std::size_t waiting) const {
    auto wanted = std::min(static_cast<double>(waiting) * byte_time_, std::max(slice, byte_time_));
    auto at = duration_cast<Clock::duration>(duration<double>(free_ + wanted));
    return TimePoint(at + std::chrono::microseconds(1));
}

void BaudClock::passed(std::size_t count) {
    free_ += static_cast<double>(count) * byte_time_;
}

void BaudClock::stood_still(TimePoint now) {
    free_ = std::max(free_, seconds(now));
}

Wire::Wire(Port& port, Stats& stats, Log& log, const Settings& settings)
    : port_(port),
      stats_(stats),
      log_(log),
      split_(settings.split),
      split_random_(settings.split_seed) {
    set_baud(settings.baud);
}

void Wire::set_baud(unsigned baud) {
    out_clock_.set_baud(baud);
    in_clock_.set_baud(baud);
    window_ = baud == 0 ? unpaced_window
                        : std::max(smallest_window,
                                   static_cast<std::size_t>(receive_ahead * baud / bits_per_byte));
}

void Wire::send(std::string_view bytes) {
    if (silent_ || port_.fd() < 0) {
        return;
    }
    out_ += out_faults_.empty() ? std::string(bytes) : apply(out_faults_, bytes);
}

void Wire::set_silent(bool silent) {
    silent_ = silent;
    if (silent) {
        drop_queues();
    }
}

void Wire::drop_queues() {
    out_.clear();
    in_.clear();
}

void Wire::damage(Damage kind, Direction direction, std::size_t count, std::size_t after) {
    auto& faults = direction == Direction::to_host ? out_faults_ : in_faults_;
    faults.push_back({kind, count, after});
}

void Wire::forget_damage() {
    out_faults_.clear();
    in_faults_.clear();
}

std::string Wire::apply(std::deque<Fault>& faults, std::string_view bytes) {
    std::string out;
    for (char c : bytes) {
        bool lost = false;
        bool doubled = false;
        for (auto& fault : faults) {
            if (fault.after > 0) {
                --fault.after;
            } else if (fault.count > 0) {
                --fault.count;
                (fault.kind == Damage::lose ? lost : doubled) = true;
            }
        }
        if (!lost) {
            out.append(doubled ? 2 : 1, c);
        }
    }
    std::erase_if(faults, [](const Fault& fault) { return fault.count == 0; });
    return out;
}

void Wire::prepare(Waiting& waiting) {
    auto now = Clock::now();
    short events = 0;
    if (in_.size() < window_ && !held_) {
        events |= POLLIN;
    }
    if (!in_.empty() && !held_) {
        static_cast<void>(in_clock_.allowance(now, in_.size()));
        waiting.at(in_clock_.paced() ? in_clock_.due(in_.size()) : now);
    }
    if (!out_.empty() && blocked_) {
        events |= POLLOUT;
    } else if (!out_.empty()) {
        static_cast<void>(out_clock_.allowance(now, out_.size()));
        waiting.at(std::max(out_clock_.paced() ? out_clock_.due(out_.size()) : now, split_pause_));
    }
    waiting.descriptor(port_.fd(), events);
}

void Wire::service(const Waiting& waiting) {
    auto found = waiting.found(port_.fd());
    if ((found & POLLOUT) != 0) {
        blocked_ = false;
        // A UART does not catch up after flow control held it.
        out_clock_.stood_still(Clock::now());
    }
    if ((found & (POLLIN | POLLHUP | POLLERR)) != 0) {
        read_more();
    }
    auto now = Clock::now();
    deliver(now);
    transmit(now);
}

void Wire::read_more() {
    char buffer[4096];
    auto got = read(port_.fd(), buffer, std::min(window_, sizeof buffer));
    if (got > 0) {
        in_.append(buffer, static_cast<std::size_t>(got));
        return;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        port_.lost();
        drop_queues();
    }
}

void Wire::deliver(TimePoint now) {
    if (held_) {
        in_clock_.stood_still(now);
        return;
    }
    auto count = in_clock_.allowance(now, in_.size());
    if (count == 0) {
        return;
    }
    in_clock_.passed(count);
    auto bytes = in_.substr(0, count);
    in_.erase(0, count);
    log_.from_host(bytes);
    stats_.line_from_host += count;
    if (!in_faults_.empty()) {
        bytes = apply(in_faults_, bytes);
    }
    if (!silent_) {
        on_receive(bytes);
    }
}

std::size_t Wire::piece(std::size_t allowed, TimePoint now) {
    if (!split_ || allowed == 0) {
        return allowed;
    }
    // Mostly a handful of bytes, sometimes one, sometimes much; now and then a rest, so that the
    // reader really sees the pieces apart.
    constexpr std::size_t sizes[] = {1, 2, 3, 7, 16, 64, 300, 2000};
    auto size = sizes[split_random_() % std::size(sizes)];
    if (split_random_() % 8 == 0) {
        split_pause_ = now + std::chrono::microseconds(500);
    }
    return std::min(allowed, size);
}

void Wire::transmit(TimePoint now) {
    if (port_.fd() < 0) {
        out_.clear();
        return;
    }
    std::size_t sent_now = 0;
    auto allowed = now < split_pause_ ? 0 : out_clock_.allowance(now, out_.size());
    while (allowed > sent_now && !blocked_) {
        auto count = piece(allowed - sent_now, now);
        auto sent = write(port_.fd(), out_.data() + sent_now, count);
        if (sent < 0) {
            blocked_ = errno == EAGAIN;
            if (!blocked_ && errno != EINTR) {
                port_.lost();
                drop_queues();
                return;
            }
            break;
        }
        sent_now += static_cast<std::size_t>(sent);
        if (now < split_pause_) {
            break;
        }
    }
    out_clock_.passed(sent_now);
    stats_.line_to_host += sent_now;
    log_.to_host(std::string_view(out_).substr(0, sent_now));
    out_.erase(0, sent_now);
}

}  // namespace emulator
