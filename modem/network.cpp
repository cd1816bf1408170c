// SPDX-License-Identifier: MIT

// SIM and network, as 3GPP TS 27.007 has them. Part of bring_up.hpp.

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "modem/at/parse.hpp"
#include "modem/bring_up.hpp"

namespace modem::bring_up {
namespace {

constexpr milliseconds sim_answer{20'000};
constexpr milliseconds short_answer{5'000};
constexpr int cme_sim_busy = 14;

bool is_final(const Error& error) {
    return error.code == Errc::line_lost || error.code == Errc::cancelled ||
           error.code == Errc::timed_out;
}

enum class SimState { ready, pin, puk, busy, other };

struct Sim {
    SimState state = SimState::other;
    std::string words;
};

Result<Sim> ask_sim(Channel& channel) {
    const auto answer = channel.command("AT+CPIN?", sim_answer);
    if (!answer) {
        const Error& error = answer.error();
        if (error.number == cme_sim_busy) {
            return Sim{SimState::busy, error.what};
        }
        if (error.code == Errc::refused && error.number == 0) {
            // A bare ERROR: many modules say so while the SIM is being read.
            return Sim{SimState::busy, error.what};
        }
        return fail(error);
    }
    for (const std::string& line : *answer) {
        if (!has_prefix(line, "+CPIN")) {
            continue;
        }
        const std::string words = parse_fields(line).rest;
        if (words == "READY") {
            return Sim{SimState::ready, words};
        }
        if (words == "SIM PIN") {
            return Sim{SimState::pin, words};
        }
        if (words.find("PUK") != std::string::npos) {
            return Sim{SimState::puk, words};
        }
        return Sim{SimState::other, words};
    }
    return Sim{SimState::busy, "no answer to AT+CPIN?"};
}

Result<void> send_pin(Channel& channel, const std::string& pin,
                      std::optional<std::string>& refused_pin) {
    if (pin.empty()) {
        return fail(Errc::pin_required, "the SIM wants a PIN: set `modem.pin-file`");
    }
    if (refused_pin == pin) {
        return fail(Errc::pin_required,
                    "the SIM refused this PIN before and it is not tried again: put the right one "
                    "in `modem.pin-file`, then reload");
    }
    const auto answer = channel.command(Command("AT+CPIN").secret(pin), sim_answer);
    if (!answer && !is_final(answer.error()) && answer.error().number != cme_sim_busy) {
        refused_pin = pin;
        return fail(Errc::pin_required,
                    fmt::format("the SIM refused the PIN ({}): put the right one in "
                                "`modem.pin-file`, then reload; three wrong ones lock the SIM",
                                answer.error().what),
                    answer.error().number);
    }
    if (!answer) {
        return fail(answer.error());
    }
    return {};
}

// Lets time pass, URCs in, and the interrupt end it.
Result<void> let_pass(Channel& channel, milliseconds time, const Interrupt& interrupt) {
    return channel.listen(Wait{Clock::now() + time, &interrupt});
}

// What one of the three questions says; a module without this one says nothing.
Result<Registration> ask_registration(Channel& channel, const char* question) {
    const auto answer = channel.command(question, short_answer);
    if (!answer) {
        if (is_final(answer.error())) {
            return fail(answer.error());
        }
        return Registration::unknown;
    }
    Registration best = Registration::unknown;
    for (const std::string& line : *answer) {
        best = std::max(best, registration(line));
    }
    return best;
}

}  // namespace

Result<void> unlock_sim(Channel& channel, const std::string& pin,
                        std::optional<std::string>& refused_pin, const WorkerTiming& timing,
                        const Interrupt& interrupt) {
    const Clock::time_point end = Clock::now() + timing.sim;
    bool pin_sent = false;
    while (true) {
        TRY(const Sim sim, ask_sim(channel));
        switch (sim.state) {
            case SimState::ready:
                return {};
            case SimState::pin:
                if (pin_sent) {
                    break;  // some modules take a while to notice
                }
                CHECK(send_pin(channel, pin, refused_pin));
                pin_sent = true;
                continue;
            case SimState::puk:
                return fail(Errc::pin_required,
                            fmt::format("the SIM is locked and wants {}: unlock it in a telephone",
                                        printable(sim.words)));
            case SimState::other:
                return fail(Errc::pin_required, fmt::format("the module wants {} before it goes on",
                                                            printable(sim.words)));
            case SimState::busy:
                break;
        }
        if (Clock::now() >= end) {
            return fail(pin_sent ? Errc::pin_required : Errc::sim_missing,
                        fmt::format("the SIM does not get ready: {}", printable(sim.words)));
        }
        CHECK(let_pass(channel, timing.poll_first, interrupt));
    }
}

Registration registration(std::string_view line) {
    if (!has_prefix(line, "+CREG") && !has_prefix(line, "+CGREG") && !has_prefix(line, "+CEREG")) {
        return Registration::unknown;
    }
    const Fields fields = parse_fields(line);
    // "<n>,<stat>" answers the question, "<stat>[,<lac>,<ci>]" comes unasked.
    auto state = fields.number(0);
    if (fields.text(1).size() == 1) {
        state = fields.number(1);
    }
    switch (state.value_or(4)) {
        case 0:
            return Registration::idle;
        case 1:
        case 5:
            return Registration::registered;
        case 2:
            return Registration::searching;
        case 3:
            return Registration::denied;
        default:
            return Registration::unknown;
    }
}

Result<void> await_registration(Channel& channel, const WorkerTiming& timing,
                                const Interrupt& interrupt) {
    const Clock::time_point end = Clock::now() + timing.registration;
    milliseconds interval = timing.poll_first;
    while (true) {
        bool denied = false;
        bool searching = false;
        for (const char* question : {"AT+CEREG?", "AT+CGREG?", "AT+CREG?"}) {
            TRY(const Registration state, ask_registration(channel, question));
            if (state == Registration::registered) {
                return {};
            }
            denied = denied || state == Registration::denied;
            searching = searching || state == Registration::searching;
        }
        if (denied && !searching) {
            return fail(Errc::no_service, "the network denies registration to this SIM");
        }
        if (Clock::now() >= end) {
            return fail(Errc::no_service,
                        fmt::format("not registered in any network after {} s: check antenna and "
                                    "coverage",
                                    timing.registration.count() / 1000));
        }
        CHECK(let_pass(channel, interval, interrupt));
        interval = std::min(interval * 2, timing.poll_most);
    }
}

Result<int> signal_quality(Channel& channel) {
    constexpr int unknown = 99;
    const auto answer = channel.command("AT+CSQ", short_answer);
    if (!answer) {
        if (is_final(answer.error())) {
            return fail(answer.error());
        }
        return unknown;
    }
    for (const std::string& line : *answer) {
        if (has_prefix(line, "+CSQ")) {
            return static_cast<int>(parse_fields(line).number(0).value_or(unknown));
        }
    }
    return unknown;
}

Result<std::string> operator_name(Channel& channel) {
    const auto answer = channel.command("AT+COPS?", short_answer);
    if (!answer) {
        if (is_final(answer.error())) {
            return fail(answer.error());
        }
        return std::string();
    }
    for (const std::string& line : *answer) {
        if (has_prefix(line, "+COPS")) {
            return std::string(parse_fields(line).text(2));
        }
    }
    return std::string();
}

}  // namespace modem::bring_up
