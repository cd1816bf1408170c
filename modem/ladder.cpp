// SPDX-License-Identifier: MIT
#include "modem/ladder.hpp"

#include <algorithm>

namespace modem {
namespace {

constexpr int tries_per_rung = 2;

// The server or the network between may be to blame: resetting the module would not help, and
// costs a registration each time.
bool blames_the_far_end(Errc code) {
    return code == Errc::dns_failed || code == Errc::connect_failed ||
           code == Errc::data_connection || code == Errc::server_busy;
}

// The network's coverage is to blame.
bool blames_the_network(Errc code) {
    return code == Errc::no_service || code == Errc::sim_missing || code == Errc::link_down;
}

Rung higher(Rung rung, int steps) {
    const int top = static_cast<int>(Rung::power_cycle);
    return static_cast<Rung>(std::min(static_cast<int>(rung) + steps, top));
}

}  // namespace

Damage damage_of(Errc code) {
    switch (code) {
        case Errc::line_lost:
            return Damage::line;
        case Errc::module_restarted:
        case Errc::sim_missing:
        case Errc::pin_required:
            return Damage::module;
        case Errc::bearer_lost:
        case Errc::no_service:
        case Errc::link_down:
            return Damage::bearer;
        case Errc::session_lost:
        case Errc::login_refused:
            return Damage::session;
        case Errc::cancelled:
        case Errc::gave_way:
        case Errc::shutting_down:
        case Errc::timed_out:
        case Errc::garbled:
        case Errc::size_mismatch:
        case Errc::changed:
        case Errc::local_io:
        case Errc::local_no_space:
        case Errc::invalid_argument:
        case Errc::too_large:
            return Damage::unclear;
        default:
            return Damage::none;
    }
}

std::string_view name(Rung rung) {
    switch (rung) {
        case Rung::none:
            return "";
        case Rung::resync:
            return "re-sync";
        case Rung::end_session:
            return "end the FTP session";
        case Rung::drop_bearer:
            return "drop the bearer";
        case Rung::soft_reset:
            return "soft reset";
        case Rung::power_cycle:
            return "power cycle";
    }
    return "";
}

Rung Ladder::by_evidence(Errc code) const {
    const int climbed = (failures_ - 1) / tries_per_rung;
    if (blames_the_far_end(code)) {
        // A module whose TCP stack broke fails the same way, so a reset is tried after long.
        constexpr int patience = 12;
        if (failures_ >= patience) {
            return Rung::soft_reset;
        }
        return climbed == 0 ? Rung::none
                            : std::min(higher(Rung::resync, climbed), Rung::drop_bearer);
    }
    if (blames_the_network(code)) {
        return std::min(higher(Rung::drop_bearer, climbed), Rung::soft_reset);
    }
    switch (damage_of(code)) {
        case Damage::bearer:
            return higher(Rung::drop_bearer, climbed);
        case Damage::session:
            return higher(Rung::end_session, climbed);
        default:
            return higher(Rung::resync, climbed);
    }
}

Rung Ladder::within_spacing(Rung rung, Clock::time_point now) {
    if (rung == Rung::power_cycle) {
        if (limits_.can_power_cycle &&
            (!last_power_ || now - *last_power_ >= limits_.power_spacing)) {
            last_power_ = now;
            return rung;
        }
        rung = Rung::soft_reset;
    }
    if (rung == Rung::soft_reset) {
        if (!last_reset_ || now - *last_reset_ >= limits_.reset_spacing) {
            last_reset_ = now;
            return rung;
        }
        rung = Rung::drop_bearer;
    }
    return rung;
}

Ladder::Step Ladder::failed(Errc code, Clock::time_point now) {
    ++failures_;
    Step step;
    step.rung = code == Errc::line_lost ? Rung::none : within_spacing(by_evidence(code), now);
    if (failures_ > 1) {
        // The first failure is healed at once; then 1, 2, 4 ... times the first delay.
        constexpr int most_doublings = 16;
        const auto factor = 1U << static_cast<unsigned>(std::min(failures_ - 2, most_doublings));
        step.delay = std::min(limits_.back_off_first * factor, limits_.back_off_most);
    }
    return step;
}

void Ladder::succeeded() {
    failures_ = 0;
}

}  // namespace modem
