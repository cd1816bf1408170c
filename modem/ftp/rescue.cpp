// SPDX-License-Identifier: MIT
#include "modem/ftp/rescue.hpp"

namespace modem {
namespace {

constexpr milliseconds dtr_low{500};
constexpr milliseconds sign_of_life{3000};
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

Result<bool> leave_by_dtr(Channel& channel) {
    if (!channel.pulse_dtr(dtr_low)) {
        return false;
    }
    return answers(channel, sign_of_life);
}

std::string cut_dle_pair(std::span<const char> bytes, std::uint64_t sent) {
    for (const char byte : bytes) {
        const bool escaped = byte == 0x03 || byte == 0x10;
        if (sent == 0) {
            break;
        }
        if (escaped && sent == 1) {
            return std::string(1, byte);
        }
        sent -= escaped ? 2 : 1;
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
