// SPDX-License-Identifier: MIT
#include "modem/bring_up.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "modem/at/parse.hpp"
#include "modem/transfer_run.hpp"

namespace modem::bring_up {
namespace {

constexpr milliseconds short_answer{5'000};

// An error that no further question can get around.
bool is_final(const Error& error) {
    return error.code == Errc::line_lost || error.code == Errc::cancelled;
}

Result<bool> answers(Channel& channel, const WorkerTiming& timing, int tries) {
    for (int i = 0; i < tries; ++i) {
        const auto answer = channel.command("AT", timing.sync_answer);
        if (answer) {
            return true;
        }
        if (is_final(answer.error())) {
            return fail(answer.error());
        }
    }
    return false;
}

// Out of a data mode that something before us left behind: the module may be in the middle of a
// download that nobody reads any more.
Result<void> leave_data_mode(Channel& channel, const WorkerTiming& timing, bool with_dtr) {
    if (with_dtr) {
        const auto pulsed = channel.pulse_dtr(timing.sync_answer);
        if (!pulsed && is_final(pulsed.error())) {
            return pulsed;
        }
    }
    CHECK(channel.escape(timing.guard));
    return channel.drain(timing.sync_answer, timing.guard * 3);
}

// An answer's lines, or nothing when the module does not like the question.
Result<std::string> ask(Channel& channel, const char* question) {
    auto answer = channel.command(question, short_answer);
    if (!answer) {
        if (is_final(answer.error()) || answer.error().code == Errc::timed_out) {
            return fail(std::move(answer).error());
        }
        return std::string();
    }
    std::string text;
    for (const std::string& line : *answer) {
        if (!text.empty()) {
            text += '\n';
        }
        text += line;
    }
    return text;
}

std::string joined_names(std::span<const DialectEntry> families) {
    std::string names;
    for (const DialectEntry& family : families) {
        if (!names.empty()) {
            names += ", ";
        }
        names += family.name;
    }
    return names;
}

std::string shown(std::string_view answer) {
    return answer.empty() ? "nothing" : '"' + printable(answer) + '"';
}

bool is_dotted_address(std::string_view host) {
    return std::count(host.begin(), host.end(), '.') == 3 &&
           host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Whether some transfer of this config would be streamed.
bool would_stream(const config::Config& config, const Capabilities& capabilities) {
    const auto streams = [&](const WayChoice& choice) {
        return choose_way(choice, capabilities) == Way::stream;
    };
    WayChoice choice{.configured = config.modem.transfer, .flow_control = config.line.flow_control};
    choice.download = true;
    if (streams(choice)) {
        return true;
    }
    choice.bytes = 1;
    if (streams(choice)) {
        return true;
    }
    choice.download = false;
    return capabilities.store && streams(choice);
}

}  // namespace

Result<void> synchronise(Channel& channel, const WorkerTiming& timing, milliseconds limit) {
    constexpr int tries = 4;
    constexpr int least_rounds = 3;
    const Clock::time_point end = Clock::now() + limit;
    for (int round = 0; round < least_rounds || Clock::now() < end; ++round) {
        TRY(const bool awake, answers(channel, timing, tries));
        if (!awake) {
            CHECK(leave_data_mode(channel, timing, round % 2 == 1));
            continue;
        }
        for (const char* setting : {"ATE0V1", "AT+CMEE=1"}) {
            const auto done = channel.command(setting, short_answer);
            if (!done && (is_final(done.error()) || done.error().code == Errc::timed_out)) {
                return fail(done.error());
            }
        }
        return {};
    }
    return fail(Errc::timed_out,
                fmt::format("no answer to AT on {}: is the module powered, are `line.device` and "
                            "`line.baud` right, and are TX, RX (and RTS, CTS with `line.flow-"
                            "control = \"rts-cts\"`) wired?",
                            channel.stream().describe()));
}

Result<Identity> identify(Channel& channel) {
    Identity identity;
    TRY(identity.ati, ask(channel, "ATI"));
    TRY(identity.manufacturer, ask(channel, "AT+CGMI"));
    TRY(identity.model, ask(channel, "AT+CGMM"));
    TRY(identity.revision, ask(channel, "AT+CGMR"));
    return identity;
}

Result<const DialectEntry*> choose_family(Channel& channel, const Identity& identity,
                                          std::span<const DialectEntry> families,
                                          std::string_view wanted) {
    if (wanted != "auto") {
        for (const DialectEntry& family : families) {
            if (family.name == wanted) {
                return &family;
            }
        }
        return fail(Errc::not_supported,
                    fmt::format("`modem.dialect = \"{}\"` is not known; known are: {}",
                                printable(wanted), joined_names(families)));
    }
    for (const DialectEntry& family : families) {
        if (family.matches != nullptr && family.matches(identity)) {
            return &family;
        }
    }
    for (const DialectEntry& family : families) {
        if (family.probe_command.empty()) {
            continue;
        }
        const auto answer = channel.command(Command(family.probe_command), short_answer);
        if (answer) {
            return &family;
        }
        if (is_final(answer.error())) {
            return fail(answer.error());
        }
    }
    return fail(Errc::not_supported,
                fmt::format("the module is of no known family: it answered {} to ATI, {} to "
                            "AT+CGMI and {} to AT+CGMM; if it speaks like one of them, set "
                            "`modem.dialect` to {}",
                            shown(identity.ati), shown(identity.manufacturer),
                            shown(identity.model), joined_names(families)));
}

Result<void> check_fit(const config::Config& config, const Capabilities& capabilities) {
    if (!capabilities.host_names && !is_dotted_address(config.ftp.host)) {
        return fail(Errc::not_supported,
                    fmt::format("this module cannot resolve names: give `ftp.host` as an address "
                                "like 192.0.2.1 instead of \"{}\"",
                                printable(config.ftp.host)));
    }
    if (config.ftp.security == config::Security::ftps && !capabilities.ftps) {
        return fail(Errc::not_supported, "this module has no FTPS: set `ftp.security` to \"none\"");
    }
    if (config.ftp.security == config::Security::sftp && !capabilities.sftp) {
        return fail(Errc::not_supported, "this module has no SFTP: set `ftp.security` to \"none\"");
    }
    if (config.line.flow_control == config::FlowControl::xon_xoff && !capabilities.xon_xoff &&
        would_stream(config, capabilities)) {
        return fail(Errc::not_supported,
                    "XON and XOFF would be lost in this module's data mode: set "
                    "`line.flow-control` to \"rts-cts\" or \"none\", or `modem.transfer` to "
                    "\"paced\"");
    }
    return {};
}

}  // namespace modem::bring_up
