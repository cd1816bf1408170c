// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace emulator {

/// What a run has cost so far, the first measure of every test. Main thread.
struct Stats {
    std::string family;
    std::uint64_t line_to_host = 0;            ///< bytes, everything
    std::uint64_t line_from_host = 0;          ///< bytes, everything
    std::uint64_t line_payload_to_host = 0;    ///< file bytes alone, without escapes
    std::uint64_t line_payload_from_host = 0;  ///< file bytes alone, without escapes
    std::uint64_t swallowed_bytes = 0;         ///< typed before a final result had come
    std::uint64_t early_commands = 0;          ///< began less than 20 ms after a final result
    std::uint64_t noise_urcs = 0;
    std::uint64_t sessions = 0;  ///< FTP logins that succeeded
    std::uint64_t reboots = 0;
    std::uint64_t air_payload_down = 0;  ///< FTP data bytes from the server
    std::uint64_t air_payload_up = 0;    ///< FTP data bytes to the server
    std::uint64_t air_base_down = 0;     ///< what was counted before the last reset()
    std::uint64_t air_base_up = 0;
    std::map<std::string, std::uint64_t> at_commands;
    std::map<std::string, std::uint64_t> ftp_commands;

    bool operator==(const Stats&) const = default;

    /// One line of JSON.
    [[nodiscard]] std::string json() const;
    /// Replaces the file by one with the present figures; false with errno.
    [[nodiscard]] bool save(const std::string& path) const;
    /// Back to zero, the family stays.
    void reset();
};

}  // namespace emulator
