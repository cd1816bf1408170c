// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace service {

/// The readiness protocol of systemd (sd_notify(3)); does nothing where nobody listens. Main
/// thread.
class Notify {
public:
    void ready();
    void reloading();
    void stopping();
    /// One line for `systemctl status`; sent when it changes.
    void status(std::string_view text);
    /// Tells that all is well.
    void alive();
    /// How long systemd waits for alive() before it restarts the daemon; zero: it does not.
    [[nodiscard]] static std::chrono::milliseconds watchdog_time();

private:
    std::string status_;
};

}  // namespace service
