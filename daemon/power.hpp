// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "config/config.hpp"
#include "daemon/bus.hpp"
#include "daemon/child.hpp"
#include "daemon/log.hpp"

namespace service {

/// Power-cycles the module by the integrator's means: `modem.reset-unit` where systemd can be
/// asked, else `modem.reset-command`. Main thread.
class Power {
public:
    Power(EventLoop& loop, Bus& bus, Log& log) : bus_(bus), log_(log), child_(loop) {}
    /// Starts it and returns; the outcome is logged.
    void cycle(const config::Modem& config);

private:
    void run(const std::vector<std::string>& command);
    Bus& bus_;
    Log& log_;
    Child child_;
};

}  // namespace service
