// SPDX-License-Identifier: MIT
#include "tests/emulator/emulator.hpp"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace emulator {

namespace {

/// The statistics file is written at most this often, and once after the last change.
constexpr milliseconds save_interval{20};

}  // namespace

std::optional<std::string> Emulator::check(const Options& options, Quirks& quirks) {
    const auto* family = find_family(options.family);
    if (family == nullptr) {
        std::string known;
        for (const auto& entry : families()) {
            known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
        }
        return fmt::format("family \"{}\" is not known, only {}", options.family, known);
    }
    quirks.add(common_quirks());
    quirks.add(family->quirks);
    for (const auto& text : options.quirks) {
        if (auto problem = quirks.set(text)) {
            return problem;
        }
    }
    if (options.where.empty()) {
        return "one of --link and --listen is needed";
    }
    return std::nullopt;
}

Emulator::Emulator(const Options& options, const Quirks& quirks, const FamilyEntry& family)
    : options_(options),
      quirks_(quirks),
      wire_(port_, stats_, log_, options.wire),
      ftp_(options.ftp),
      modem_(wire_, ftp_, timers_, stats_, log_, quirks_, family, options.modem),
      faults_({modem_, wire_, port_, ftp_, stats_, log_, timers_}, options.modem.fault_seed) {
    stats_.family = family.name;
    wire_.on_receive = [this](std::string_view bytes) { modem_.receive(bytes); };
    ftp_.on_trace = [this](const FtpTrace& trace) { note_ftp(trace); };
    control_.on_line = [this](const std::string& line) { return faults_.run(line); };
    faults_.on_quit = [this] { ending_ = true; };
}

std::optional<std::string> Emulator::open() {
    if (!options_.log.empty() && !log_.open(options_.log)) {
        return fmt::format("cannot write {}: {}", options_.log, std::strerror(errno));
    }
    if (!options_.control.empty()) {
        if (auto problem = control_.open(options_.control)) {
            return problem;
        }
    }
    if (auto problem = port_.open(options_.where)) {
        return problem;
    }
    for (const auto& fault : options_.faults) {
        auto answer = faults_.run(fault);
        if (answer.starts_with("error")) {
            return fmt::format("--fault \"{}\": {}", fault, answer);
        }
    }
    sigset_t signals;
    sigemptyset(&signals);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
        sigaddset(&signals, number);
    }
    signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    fmt::print("{} on {}\n", options_.family, port_.address());
    std::fflush(stdout);
    keep_stats(true);
    return std::nullopt;
}

void Emulator::note_ftp(const FtpTrace& trace) {
    switch (trace.kind) {
        case FtpTrace::Kind::command:
            ++stats_.ftp_commands[trace.text.substr(0, trace.text.find(' '))];
            log_.note("ftp > " + trace.text);
            break;
        case FtpTrace::Kind::reply:
            log_.note("ftp < " + trace.text);
            break;
        case FtpTrace::Kind::remark:
            log_.note("ftp: " + trace.text);
            break;
    }
    modem_.ftp_trace(trace);
}

void Emulator::keep_stats(bool now) {
    stats_.air_payload_down = ftp_.payload_down() - stats_.air_base_down;
    stats_.air_payload_up = ftp_.payload_up() - stats_.air_base_up;
    if (options_.stats.empty() || (stats_ == saved_stats_ && !now)) {
        return;
    }
    if (!now && Clock::now() < saved_at_ + save_interval) {
        return;
    }
    if (!stats_.save(options_.stats)) {
        fmt::print(stderr, "modemftp-emulator: cannot write {}: {}\n", options_.stats,
                   std::strerror(errno));
    }
    saved_stats_ = stats_;
    saved_at_ = Clock::now();
}

void Emulator::handle_signals(const Waiting& waiting) {
    signalfd_siginfo info{};
    if (waiting.found(signal_fd_) == 0 || read(signal_fd_, &info, sizeof info) != sizeof info) {
        return;
    }
    if (info.ssi_signo == SIGUSR1) {
        keep_stats(true);
    } else {
        ending_ = true;
    }
}

int Emulator::run() {
    while (!ending_) {
        Waiting waiting;
        waiting.descriptor(signal_fd_, POLLIN);
        waiting.descriptor(ftp_.event_fd(), POLLIN);
        waiting.at(timers_.next());
        if (!options_.stats.empty() && !(stats_ == saved_stats_)) {
            waiting.at(saved_at_ + save_interval);
        }
        port_.prepare(waiting);
        wire_.prepare(waiting);
        control_.prepare(waiting);
        if (!waiting.poll() && errno != EINTR) {
            fmt::print(stderr, "modemftp-emulator: poll: {}\n", std::strerror(errno));
            return 1;
        }
        handle_signals(waiting);
        if (port_.service(waiting)) {
            modem_.line_lost();
        }
        control_.service(waiting);
        timers_.run();
        ftp_.dispatch();
        wire_.service(waiting);
        modem_.pump();
        keep_stats(false);
    }
    keep_stats(true);
    log_.note("ended");
    return 0;
}

}  // namespace emulator
