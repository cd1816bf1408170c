// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <variant>

namespace service {

enum class BusKind { none, system, session };

/// Exit codes of the daemon.
constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;  ///< usage or config

/// modemftpd's command line, checked and with its defaults filled in.
struct Options {
    std::filesystem::path config;
    std::string name;
    std::filesystem::path state_dir;
    std::filesystem::path cache_dir;
    BusKind bus = BusKind::system;
    bool check = false;
};

/// What the command line asks for, or the code to exit with (--help, --version, a mistake), after
/// having said why on standard output or standard error.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace service
