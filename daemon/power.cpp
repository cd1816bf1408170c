// SPDX-License-Identifier: MIT
#include "daemon/power.hpp"

#include <fmt/format.h>

namespace service {

void Power::cycle(const config::Modem& config) {
    if (config.reset_unit.empty() || !bus_.connected()) {
        if (config.reset_command.empty()) {
            log_.warning(config.reset_unit.empty()
                             ? "the module does not answer and nothing can power-cycle it; see "
                               "modem.reset-unit and modem.reset-command"
                             : fmt::format("the module does not answer; {} cannot be started "
                                           "without a bus, and there is no modem.reset-command",
                                           config.reset_unit));
        } else {
            run(config.reset_command);
        }
        return;
    }
    log_.notice(fmt::format("power-cycling the module: starting {}", config.reset_unit));
    bus_.start_unit(config.reset_unit, [this, unit = config.reset_unit,
                                        command = config.reset_command](modem::Result<void> done) {
        if (done) {
            return;
        }
        log_.error(fmt::format("{} could not be started: {}", unit, done.error().what));
        if (!command.empty()) {
            run(command);
        }
    });
}

void Power::run(const std::vector<std::string>& command) {
    const auto started =
        child_.start(command, [this, program = command.front()](const std::string& problem) {
            if (problem.empty()) {
                log_.info(fmt::format("{} has ended", program));
            } else {
                log_.error(fmt::format("{} {}", program, problem));
            }
        });
    if (started) {
        log_.notice(fmt::format("power-cycling the module: running {}", command.front()));
    } else {
        log_.error(started.error().what);
    }
}

}  // namespace service
