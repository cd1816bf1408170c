// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/control.hpp"
#include "tests/emulator/faults.hpp"
#include "tests/emulator/modem.hpp"

namespace emulator {

/// What the command line says.
struct Options {
    std::string family = "fibocom-l610";
    std::string where;    ///< "link:PATH", "unix:PATH", "tcp:PORT"
    std::string stats;    ///< file, or empty
    std::string log;      ///< file, or empty
    std::string control;  ///< "unix:PATH", or empty
    std::vector<std::string> faults;
    std::vector<std::string> quirks;
    Wire::Settings wire;
    Modem::Settings modem;
    FtpClient::Settings ftp;
};

/// The whole emulated module and its main loop.
class Emulator {
public:
    /// Returns what is wrong with the options, or cannot be opened.
    [[nodiscard]] static std::optional<std::string> check(const Options& options, Quirks& quirks);
    Emulator(const Options& options, const Quirks& quirks, const FamilyEntry& family);

    /// Opens line, log and control socket. Returns what went wrong.
    [[nodiscard]] std::optional<std::string> open();
    /// Until SIGTERM, SIGINT or `quit`. The exit status.
    int run();

private:
    void note_ftp(const FtpTrace& trace);
    void handle_signals(const Waiting& waiting);
    void keep_stats(bool now);

    Options options_;
    Quirks quirks_;
    Log log_;
    Stats stats_;
    Stats saved_stats_;
    TimePoint saved_at_{};
    Timers timers_;
    Port port_;
    Wire wire_;
    FtpClient ftp_;
    Modem modem_;
    Faults faults_;
    Control control_;
    int signal_fd_ = -1;
    bool ending_ = false;
};

}  // namespace emulator
