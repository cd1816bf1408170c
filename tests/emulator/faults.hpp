// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/emulator/modem.hpp"

namespace emulator {

/// Everything that can be made to go wrong, by the words of a control line. Main thread.
class Faults {
public:
    struct Parts {
        Modem& modem;
        Wire& wire;
        Port& port;
        FtpClient& ftp;
        Stats& stats;
        Log& log;
        Timers& timers;
    };

    Faults(const Parts& parts, std::uint64_t seed);

    /// Does what the line says; the answer is "ok", text, or "error: …".
    std::string run(const std::string& line);
    /// For --help: one command a line.
    static std::string_view describe();
    std::function<void()> on_quit;

private:
    using Words = std::vector<std::string>;
    using Answer = std::optional<std::string>;  ///< nothing: not one of these commands

    struct Trigger {
        std::string command;
        std::uint64_t count;
        std::string action;
    };

    Answer run_line_faults(const Words& words);
    Answer run_module_faults(const Words& words);
    Answer run_ftp_faults(const Words& words);
    Answer run_other(const Words& words, const std::string& line);
    std::string damage(const Words& words);
    std::string reply(const Words& words);
    std::string arm(const Words& words, const std::string& line);
    void counted(const std::string& command);

    Parts parts_;
    std::mt19937_64 random_;
    std::vector<Trigger> triggers_;
};

}  // namespace emulator
