// SPDX-License-Identifier: MIT
#include "modem/ftp/rescue.hpp"

namespace modem {
namespace {

constexpr milliseconds dtr_low{500};
constexpr milliseconds sign_of_life{3000};
constexpr milliseconds last_verdict{10'000};
constexpr milliseconds quiet{300};
constexpr milliseconds time_to_fall_silent{2000};
constexpr milliseconds longest_drain{60'000};
constexpr int attempts = 3;

// True when the module said anything: it has left data mode. An unreadable line is a sign too.
Result<bool> answers(Channel& channel, milliseconds time) {
    auto event = channel.next(time);
    if (event) {
        return true;
    }
    const Errc code = event.error().code;
    if (code == Errc::line_lost || code == Errc::cancelled) {
        return fail(std::move(event).error());
    }
    return code != Errc::timed_out;
}

Result<bool> falls_silent(Channel& channel) {
    CHECK(channel.drain(quiet, time_to_fall_silent));
    const std::uint64_t received = channel.counters().bytes_received;
    CHECK(channel.drain(quiet, quiet));
    return channel.counters().bytes_received == received;
}

}  // namespace

Result<void> leave_receiving(Channel& channel) {
    if (channel.pulse_dtr(dtr_low)) {
        TRY(const bool silent, falls_silent(channel));
        if (silent) {
            return {};
        }
    }
    return channel.escape();
}

Result<void> leave_sending(Channel& channel, char end_of_data) {
    if (channel.pulse_dtr(dtr_low)) {
        TRY(const bool heard, answers(channel, sign_of_life));
        if (heard) {
            return {};
        }
    }
    CHECK(channel.escape());
    TRY(const bool heard, answers(channel, sign_of_life));
    if (!heard) {
        CHECK(channel.write_byte(end_of_data, sign_of_life));
        CHECK(answers(channel, last_verdict));
    }
    return {};
}

Result<void> synchronise(Channel& channel) {
    CHECK(channel.drain(quiet, longest_drain));
    for (int attempt = 1;; ++attempt) {
        auto answer = channel.command("AT", milliseconds(1000));
        if (answer) {
            return {};
        }
        if (answer.error().code != Errc::timed_out || attempt == attempts) {
            return fail(std::move(answer).error());
        }
    }
}

}  // namespace modem
