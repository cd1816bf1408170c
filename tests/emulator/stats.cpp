// SPDX-License-Identifier: MIT
#include "tests/emulator/stats.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

std::string by_name(const std::map<std::string, std::uint64_t>& counts) {
    std::string out = "{";
    std::uint64_t total = 0;
    for (const auto& [name, count] : counts) {
        out += fmt::format("{}: {}, ", json_string(name), count);
        total += count;
    }
    return out + fmt::format("\"total\": {}}}", total);
}

}  // namespace

std::string Stats::json() const {
    return fmt::format(
        "{{\"family\": {}, "
        "\"line\": {{\"to_host\": {}, \"from_host\": {}, \"payload_to_host\": {}, "
        "\"payload_from_host\": {}}}, "
        "\"at\": {}, \"ftp\": {}, "
        "\"air\": {{\"payload_down\": {}, \"payload_up\": {}}}, "
        "\"sessions\": {}, \"reboots\": {}, \"swallowed_bytes\": {}, \"early_commands\": {}, "
        "\"noise_urcs\": {}}}",
        json_string(family), line_to_host, line_from_host, line_payload_to_host,
        line_payload_from_host, by_name(at_commands), by_name(ftp_commands), air_payload_down,
        air_payload_up, sessions, reboots, swallowed_bytes, early_commands, noise_urcs);
}

bool Stats::save(const std::string& path) const {
    auto temporary = path + ".new";
    auto* file = std::fopen(temporary.c_str(), "we");
    if (file == nullptr) {
        return false;
    }
    auto text = json() + "\n";
    bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    good = std::fclose(file) == 0 && good;
    return good && std::rename(temporary.c_str(), path.c_str()) == 0;
}

void Stats::reset() {
    Stats fresh;
    fresh.family = std::move(family);
    fresh.air_base_down = air_base_down + air_payload_down;
    fresh.air_base_up = air_base_up + air_payload_up;
    *this = std::move(fresh);
}

}  // namespace emulator
