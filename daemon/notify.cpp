// SPDX-License-Identifier: MIT
#include "daemon/notify.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>

#include "daemon/log.hpp"

namespace service {

void Notify::ready() {
    sd_notify(0, "READY=1");
}

void Notify::reloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
    sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}

void Notify::stopping() {
    sd_notify(0, "STOPPING=1");
}

void Notify::status(std::string_view text) {
    // A newline would begin another variable.
    if (const std::string line = printable(text); line != status_) {
        status_ = line;
        sd_notify(0, ("STATUS=" + line).c_str());
    }
}

void Notify::alive() {
    sd_notify(0, "WATCHDOG=1");
}

std::chrono::milliseconds Notify::watchdog_time() {
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) <= 0) {
        return {};
    }
    return std::chrono::milliseconds(microseconds / 1000);
}

}  // namespace service
