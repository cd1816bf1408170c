// SPDX-License-Identifier: MIT
// modemftp-emulator: the other end of a modem's serial line, and a real FTP client.
#include <fmt/format.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "tests/emulator/emulator.hpp"

namespace {

using emulator::Options;

/// What the command line library cannot express in one field.
struct Raw {
    std::string link;
    std::string listen;
    std::string echo = "on";
    std::uint64_t urc = 0;
    std::uint64_t split = 0;
    unsigned rtt = 0;
    unsigned boot_time = 300;
    unsigned patience = 75;
};

std::string footer() {
    std::string out = "Faults (--fault, and one a line on the control socket):\n";
    out += emulator::Faults::describe();
    out += "\nQuirks, the default first (NAME alone takes the second):\n";
    emulator::Quirks common;
    common.add(emulator::common_quirks());
    out += common.describe();
    for (const auto& family : emulator::families()) {
        emulator::Quirks own;
        own.add(family.quirks);
        out += fmt::format("\nQuirks of {}:\n{}", family.name, own.describe());
    }
    return out;
}

void add_options(CLI::App& app, Options& options, Raw& raw) {
    app.add_option("--family", options.family, "which module to be")->capture_default_str();
    app.add_option("--link", raw.link, "make a pseudo-terminal and this symlink to it");
    app.add_option("--listen", raw.listen, "unix:PATH or tcp:PORT (on loopback) instead");
    app.add_option("--server", options.ftp.server,
                   "HOST:PORT that every FTPOPEN reaches, whatever it asks for");
    app.add_option("--baud", options.wire.baud, "pace the line, both ways; 0: do not")
        ->capture_default_str();
    app.add_option("--rtt", raw.rtt, "milliseconds for each FTP round trip")->capture_default_str();
    app.add_option("--echo", raw.echo, "echo after a boot")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
    app.add_option("--split", raw.split, "SEED: split what is sent at random places");
    app.add_option("--urc", raw.urc, "SEED: unsolicited lines between lines");
    app.add_option("--seed", options.modem.fault_seed, "for faults and quirks that come and go")
        ->capture_default_str();
    app.add_option("--stats", options.stats, "keep the counters in this JSON file");
    app.add_option("--log", options.log, "record every byte of the dialogue in this file");
    app.add_option("--control", options.control, "unix:PATH of a socket that takes faults");
    app.add_option("--fault", options.faults, "arm a fault at the start (repeatable)")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--quirk", options.quirks, "choose a reading of the manual (repeatable)")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--pin", options.modem.pin, "the SIM's PIN")->capture_default_str();
    app.add_option("--boot-time", raw.boot_time, "milliseconds that a restart takes")
        ->capture_default_str();
    app.add_option("--patience", raw.patience,
                   "seconds that the module waits for a server that says nothing")
        ->capture_default_str();
    app.set_version_flag("--version", std::string("modemftp-emulator ") + MODEMFTP_VERSION);
    app.footer(footer());
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("An emulated cellular modem with an FTP client, on a serial line");
    Options options;
    Raw raw;
    add_options(app, options, raw);
    CLI11_PARSE(app, argc, argv);
    if (raw.link.empty() == raw.listen.empty()) {
        fmt::print(stderr, "modemftp-emulator: one of --link and --listen is needed\n");
        return 2;
    }
    options.where = raw.link.empty() ? raw.listen : "link:" + raw.link;
    options.wire.split = app.count("--split") > 0;
    options.wire.split_seed = raw.split;
    options.modem.noise = app.count("--urc") > 0;
    options.modem.noise_seed = raw.urc;
    options.modem.echo = raw.echo == "on";
    options.modem.boot_time = std::chrono::milliseconds(raw.boot_time);
    options.modem.baud = options.wire.baud;
    options.ftp.rtt = std::chrono::milliseconds(raw.rtt);
    options.ftp.patience = std::chrono::seconds(raw.patience);

    emulator::Quirks quirks;
    if (auto problem = emulator::Emulator::check(options, quirks)) {
        fmt::print(stderr, "modemftp-emulator: {}\n", *problem);
        return 2;
    }
    // Before any thread starts: all of them shall leave these signals to the main loop.
    sigset_t signals;
    sigemptyset(&signals);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE}) {
        sigaddset(&signals, number);
    }
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    // A line is paced in slices of a few milliseconds: the kernel shall not round them up.
    prctl(PR_SET_TIMERSLACK, 50'000UL);

    emulator::Emulator machine(options, quirks, *emulator::find_family(options.family));
    if (auto problem = machine.open()) {
        fmt::print(stderr, "modemftp-emulator: {}\n", *problem);
        return 1;
    }
    return machine.run();
}
