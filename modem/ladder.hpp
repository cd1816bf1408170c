// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "modem/interrupt.hpp"
#include "modem/result.hpp"

namespace modem {

/// What an error says about the state in which it left module and line.
enum class Damage {
    none,     ///< a clean verdict: command mode, session as it was
    unclear,  ///< the dialect has to find its way back to command mode
    session,  ///< the FTP session is gone
    bearer,   ///< the data connection is gone, and the session with it
    module,   ///< the module has restarted, or wants something before it goes on
    line,     ///< the device is gone
};
[[nodiscard]] Damage damage_of(Errc code);

/// What can be done to heal the link, from cheap to drastic.
enum class Rung { none, resync, end_session, drop_bearer, soft_reset, power_cycle };
[[nodiscard]] std::string_view name(Rung rung);

/// Decides from the failures in a row how high to climb, and how long to wait first. Pure: time is
/// an argument.
class Ladder {
public:
    struct Limits {
        milliseconds back_off_first{1'000};
        milliseconds back_off_most{30'000};
        milliseconds reset_spacing{300'000};
        milliseconds power_spacing{1'800'000};
        bool can_power_cycle = false;
    };
    explicit Ladder(Limits limits) : limits_(limits) {}

    struct Step {
        Rung rung = Rung::none;
        milliseconds delay{0};
    };
    /// A failure that the link (or the server) is to blame for.
    Step failed(Errc code, Clock::time_point now);
    /// Module and server have answered: down to the ground again.
    void succeeded();
    [[nodiscard]] int failures() const { return failures_; }
    /// Whether power can be cycled may change with the config.
    void set_can_power_cycle(bool can) { limits_.can_power_cycle = can; }

private:
    [[nodiscard]] Rung by_evidence(Errc code) const;
    Rung within_spacing(Rung rung, Clock::time_point now);
    Limits limits_;
    int failures_ = 0;
    std::optional<Clock::time_point> last_reset_;
    std::optional<Clock::time_point> last_power_;
};

}  // namespace modem
