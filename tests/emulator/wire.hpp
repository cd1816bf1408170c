// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/emulator/log.hpp"
#include "tests/emulator/loop.hpp"
#include "tests/emulator/port.hpp"
#include "tests/emulator/stats.hpp"

namespace emulator {

/// When bytes at `10 bits / baud` each may pass. A late wake-up is made good by the next one, so
/// the mean rate is the nominal one; an idle line saves up nothing.
class BaudClock {
public:
    void set_baud(unsigned baud);
    [[nodiscard]] bool paced() const { return byte_time_ > 0; }
    /// How many of `waiting` bytes may have passed by now.
    [[nodiscard]] std::size_t allowance(TimePoint now, std::size_t waiting);
    /// When it is worth looking again (a slice of at most 5 ms).
    [[nodiscard]] TimePoint due(std::size_t waiting) const;
    void passed(std::size_t count);
    /// The line stood still for a reason of its own: what it could have carried is gone.
    void stood_still(TimePoint now);

private:
    double byte_time_ = 0;  ///< seconds; 0: no pacing
    double free_ = 0;       ///< when the last byte had passed, seconds of the steady clock
    bool running_ = false;
};

/// The line itself: pacing, splitting, counting, the log, and faults of single bytes. Knows
/// nothing of AT. Main thread.
class Wire {
public:
    struct Settings {
        unsigned baud = 0;
        bool split = false;
        std::uint64_t split_seed = 0;
    };

    Wire(Port& port, Stats& stats, Log& log, const Settings& settings);

    /// Takes what the host has sent, as it arrives at the module's receiver.
    std::function<void(std::string_view)> on_receive;

    void send(std::string_view bytes);
    /// Bytes that wait for the line.
    [[nodiscard]] std::size_t queued() const { return out_.size(); }
    void set_baud(unsigned baud);
    /// A module that neither hears nor speaks; what waited for the line is lost.
    void set_silent(bool silent);
    [[nodiscard]] bool silent() const { return silent_; }
    /// Everything queued either way is gone (hang-up, reboot).
    void drop_queues();
    /// The module cannot take more: what the host sends stays in the operating system's buffer.
    void hold_input(bool hold) { held_ = hold; }

    enum class Damage { lose, duplicate };
    enum class Direction { to_host, from_host };
    /// `count` bytes are lost or doubled, after `after` more bytes have passed that way.
    void damage(Damage kind, Direction direction, std::size_t count, std::size_t after);

    void forget_damage();

    void prepare(Waiting& waiting);
    void service(const Waiting& waiting);

private:
    struct Fault {
        Damage kind;
        std::size_t count;
        std::size_t after;
    };

    static std::string apply(std::deque<Fault>& faults, std::string_view bytes);
    void read_more();
    void deliver(TimePoint now);
    void transmit(TimePoint now);
    std::size_t piece(std::size_t allowed, TimePoint now);

    Port& port_;
    Stats& stats_;
    Log& log_;
    BaudClock out_clock_;
    BaudClock in_clock_;
    std::string out_;
    std::string in_;
    std::size_t window_ = 0;  ///< how much in_ may hold
    bool silent_ = false;
    bool held_ = false;
    bool blocked_ = false;
    bool split_;
    std::mt19937_64 split_random_;
    TimePoint split_pause_{};
    std::deque<Fault> out_faults_;
    std::deque<Fault> in_faults_;
};

}  // namespace emulator
