// SPDX-License-Identifier: MIT
#include "tests/emulator/faults.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace emulator {

namespace {

constexpr std::uint64_t for_ever = UINT64_MAX;

/// `on`, `off`, a number, or nothing (once).
std::optional<std::uint64_t> times(const std::vector<std::string>& words, std::size_t index) {
    if (words.size() <= index) {
        return 1;
    }
    if (words[index] == "on") {
        return for_ever;
    }
    if (words[index] == "off") {
        return 0;
    }
    return number(words[index]);
}

std::string usage(std::string_view text) {
    return fmt::format("error: usage: {}", text);
}

}  // namespace

std::string_view Faults::describe() {
    return "  silence on|off            neither hears nor speaks\n"
           "  hangup | return           the device disappears, comes back\n"
           "  reset                     the module restarts: banner, defaults, no bearer\n"
           "  dtr                       DTR drops\n"
           "  drop-bearer               the network takes the bearer away\n"
           "  blackhole on|off          the bearer looks well and carries nothing\n"
           "  lose N [AFTER [in]]       N bytes of the line vanish, after AFTER more bytes\n"
           "  double N [AFTER [in]]     the same, but they come twice (in: host to modem)\n"
           "  garble next               the next result line has a wrong character\n"
           "  urc-flood N               N unsolicited lines\n"
           "  reply CODE [COMMAND [N]]  the next N FTP commands COMMAND get this reply\n"
           "  break-data K              the data connection breaks after K bytes\n"
           "  dns-fail [N|on|off]       N logins find no address\n"
           "  connect-fail [N|on|off]   N logins find no server\n"
           "  sim absent|pin|puk|ready  the SIM\n"
           "  creg N                    the registration state\n"
           "  when COMMAND N ACTION     ACTION at the N-th COMMAND (as AT+FTPRECV) from now\n"
           "  clear                     all armed faults and triggers are forgotten\n"
           "  stats | reset-stats       the counters as JSON; back to zero\n"
           "  quit                      end\n";
}

Faults::Faults(const Parts& parts, std::uint64_t seed) : parts_(parts), random_(seed) {
    parts_.modem.on_command = [this](const std::string& command) { counted(command); };
}

std::string Faults::run(const std::string& line) {
    auto list = words(line);
    if (list.empty()) {
        return "ok";
    }
    if (list[0] != "stats") {
        parts_.log.note("control: " + line);
    }
    for (auto answer : {run_line_faults(list), run_module_faults(list), run_ftp_faults(list),
                        run_other(list, line)}) {
        if (answer) {
            return *answer;
        }
    }
    return fmt::format("error: \"{}\" is not known; see --help", list[0]);
}

Faults::Answer Faults::run_line_faults(const Words& words) {
    const auto& what = words[0];
    if (what == "silence") {
        if (words.size() != 2 || (words[1] != "on" && words[1] != "off")) {
            return usage("silence on|off");
        }
        parts_.wire.set_silent(words[1] == "on");
    } else if (what == "hangup") {
        parts_.port.hang_up();
        parts_.modem.line_lost();
    } else if (what == "return") {
        if (auto problem = parts_.port.come_back()) {
            return "error: " + *problem;
        }
    } else if (what == "lose" || what == "double") {
        return damage(words);
    } else if (what == "garble") {
        parts_.modem.garble_next();
    } else if (what == "urc-flood") {
        auto count = times(words, 1);
        if (!count || *count > 100000) {
            return usage("urc-flood N");
        }
        parts_.modem.flood(*count);
    } else {
        return std::nullopt;
    }
    return "ok";
}

std::string Faults::damage(const Words& words) {
    auto count = times(words, 1);
    auto after = words.size() > 2 ? number(words[2]) : random_() % 200;
    if (!count || !after) {
        return usage(words[0] + " N [AFTER [in]]");
    }
    auto kind = words[0] == "lose" ? Wire::Damage::lose : Wire::Damage::duplicate;
    bool in = words.size() > 3 && words[3] == "in";
    parts_.wire.damage(kind, in ? Wire::Direction::from_host : Wire::Direction::to_host,
                       static_cast<std::size_t>(*count), static_cast<std::size_t>(*after));
    return "ok";
}

Faults::Answer Faults::run_module_faults(const Words& words) {
    const auto& what = words[0];
    if (what == "reset") {
        parts_.modem.reboot();
    } else if (what == "dtr") {
        parts_.modem.drop_dtr();
    } else if (what == "drop-bearer") {
        parts_.modem.drop_bearer();
    } else if (what == "creg") {
        auto state = times(words, 1);
        if (!state || *state > 5) {
            return usage("creg N");
        }
        parts_.modem.set_registration(static_cast<int>(*state));
    } else if (what == "sim") {
        static const std::map<std::string, Modem::Sim> states = {{"absent", Modem::Sim::absent},
                                                                 {"pin", Modem::Sim::pin},
                                                                 {"puk", Modem::Sim::puk},
                                                                 {"ready", Modem::Sim::ready}};
        auto found = words.size() > 1 ? states.find(words[1]) : states.end();
        if (found == states.end()) {
            return usage("sim absent|pin|puk|ready");
        }
        parts_.modem.set_sim(found->second);
    } else {
        return std::nullopt;
    }
    return "ok";
}

Faults::Answer Faults::run_ftp_faults(const Words& words) {
    const auto& what = words[0];
    auto faults = parts_.ftp.faults();
    if (what == "reply") {
        return reply(words);
    }
    auto count = times(words, 1);
    if (what == "break-data") {
        if (!count || words.size() < 2) {
            return usage("break-data K");
        }
        faults.break_data_at = static_cast<std::int64_t>(*count);
    } else if (what == "dns-fail" || what == "connect-fail") {
        if (!count) {
            return usage(what + " [N|on|off]");
        }
        (what == "dns-fail" ? faults.dns : faults.connect) = *count;
    } else if (what == "blackhole") {
        faults.black_hole = count && *count > 0;
    } else {
        return std::nullopt;
    }
    parts_.ftp.set_faults(faults);
    return "ok";
}

std::string Faults::reply(const Words& words) {
    auto code = words.size() > 1 ? number(words[1]) : std::nullopt;
    auto count = times(words, 3);
    if (!code || *code < 400 || *code > 599 || !count || *count == 0) {
        return usage("reply CODE [COMMAND [N]]");
    }
    auto verb = words.size() > 2 && words[2] != "any" ? upper(words[2]) : "";
    auto faults = parts_.ftp.faults();
    faults.replies.push_back({static_cast<int>(*code), verb, *count});
    parts_.ftp.set_faults(faults);
    return "ok";
}

Faults::Answer Faults::run_other(const Words& words, const std::string& line) {
    const auto& what = words[0];
    if (what == "when") {
        return arm(words, line);
    }
    if (what == "clear") {
        triggers_.clear();
        parts_.ftp.set_faults({});
        parts_.wire.set_silent(false);
        parts_.wire.forget_damage();
    } else if (what == "stats") {
        return parts_.stats.json();
    } else if (what == "reset-stats") {
        parts_.stats.reset();
    } else if (what == "quit") {
        on_quit();
    } else {
        return std::nullopt;
    }
    return "ok";
}

std::string Faults::arm(const Words& words, const std::string& line) {
    auto count = words.size() > 3 ? number(words[2]) : std::nullopt;
    if (!count || *count == 0) {
        return usage("when COMMAND N ACTION");
    }
    // The action is the rest of the line as it stands.
    std::string_view action = line;
    for (std::size_t i = 0; i < 3; ++i) {
        action = trim(action);
        action.remove_prefix(words[i].size());
    }
    triggers_.push_back({upper(words[1]), *count, std::string(trim(action))});
    return "ok";
}

void Faults::counted(const std::string& command) {
    std::vector<std::string> due;
    for (auto& trigger : triggers_) {
        if (trigger.command == command && --trigger.count == 0) {
            due.push_back(trigger.action);
        }
    }
    std::erase_if(triggers_, [](const Trigger& trigger) { return trigger.count == 0; });
    for (const auto& action : due) {
        run(action);
    }
}

}  // namespace emulator
