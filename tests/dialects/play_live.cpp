// SPDX-License-Identifier: MIT

// play-live DIALECT DEVICE FILE: makes the calls of a scenario (scenario.hpp, without a dialogue)
// on a live line, and compares what they come to. The trace goes to standard error. A second check
// of a new dialect, against a module on the desk or the emulated one.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "modem/dialects/registry.hpp"
#include "modem/line/byte_stream.hpp"
#include "tests/dialects/player.hpp"

namespace modem::test {
namespace {

int complain(const std::string& what) {
    fmt::print(stderr, "{}\n", what);
    return 1;
}

// What the worker does before a dialect comes into it.
Result<void> wake(Channel& channel) {
    auto answer = channel.command("AT", milliseconds(500));
    for (int attempt = 0; !answer && attempt < 10; ++attempt) {
        answer = channel.command("AT", milliseconds(500));
    }
    CHECK(answer);
    CHECK(channel.command("AT+CMEE=1"));
    return {};
}

int run(const DialectEntry& family, const std::string& device, const Scenario& scenario) {
    auto line = open_line({.device = device}, "/tmp");
    if (!line) {
        return complain(line.error().what);
    }
    Trace trace;
    (void)trace.set_file("/dev/stderr");
    LineCounters counters;
    Channel channel(**line, trace, counters);
    channel.set_default_timeout(milliseconds(30'000));
    const config::Config config;
    const auto dialect = family.make(channel, config);
    channel.set_error_codes(dialect->error_codes());
    channel.set_urc_handler(
        [&](std::string_view text) { return dialect->urc(text) != UrcMeaning::unknown; });
    if (auto awake = wake(channel); !awake) {
        return complain(awake.error().what);
    }
    for (const auto& step : scenario.steps) {
        trace.note(fmt::format("line {}: {}", step.call.line, step.call.name));
        const auto outcome = play(*dialect, step.call);
        const std::string wrong =
            outcome ? mismatch(*outcome, step.expected) : outcome.error().what;
        if (!wrong.empty()) {
            return complain(fmt::format("line {}: {}", step.call.line, wrong.substr(0, 400)));
        }
    }
    return 0;
}

}  // namespace
}  // namespace modem::test

int main(int argc, char** argv) {
    using namespace modem::test;
    if (argc != 4) {
        return complain("usage: play-live DIALECT DEVICE FILE");
    }
    const modem::DialectEntry* const family = modem::find_dialect(argv[1]);
    const std::ifstream file(argv[3]);
    std::ostringstream text;
    text << file.rdbuf();
    const auto scenario = parse_scenario(text.str(), argv[3]);
    if (family == nullptr || !scenario) {
        return complain(family == nullptr ? "no such dialect" : scenario.error().what);
    }
    return run(*family, argv[2], *scenario);
}
