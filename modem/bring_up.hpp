// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "modem/at/channel.hpp"
#include "modem/ftp/dialect.hpp"
#include "modem/ftp/types.hpp"
#include "modem/worker.hpp"

/// The steps that are the same for every module, from the first AT to the network. Blocking; modem
/// thread only. Each ends with `cancelled` when the interrupt is raised and with `line_lost` when
/// the device goes.
namespace modem::bring_up {

/// Gets an OK to AT, by "+++" and a pulse of DTR if it must, and settles echo, verbose results and
/// numeric errors. `limit`: how long to go on asking (a module that boots). Errors: timed_out.
Result<void> synchronise(Channel& channel, const WorkerTiming& timing, milliseconds limit);

/// ATI, AT+CGMI, AT+CGMM, AT+CGMR. What the module refuses stays empty.
Result<Identity> identify(Channel& channel);

/// The family that `wanted` names, or with "auto" the one that knows this module or answers to its
/// probe. Errors: not_supported; the message shows the module's answers and how to go on.
Result<const DialectEntry*> choose_family(Channel& channel, const Identity& identity,
                                          std::span<const DialectEntry> families,
                                          std::string_view wanted);

/// Whether this config can work with this module. Errors: not_supported, in words.
Result<void> check_fit(const config::Config& config, const Capabilities& capabilities);

/// Waits for the SIM and unlocks it. `refused_pin` is the PIN that was refused before: it is never
/// sent again, since three wrong ones lock the SIM. Errors: sim_missing, pin_required.
Result<void> unlock_sim(Channel& channel, const std::string& pin,
                        std::optional<std::string>& refused_pin, const WorkerTiming& timing,
                        const Interrupt& interrupt);

/// Waits until the network has the module. Errors: no_service.
Result<void> await_registration(Channel& channel, const WorkerTiming& timing,
                                const Interrupt& interrupt);

/// What an answer to AT+CREG?, AT+CGREG? or AT+CEREG? says, whatever it is called (3GPP TS 27.007
/// section 7.2).
enum class Registration { unknown, idle, searching, denied, registered };
[[nodiscard]] Registration registration(std::string_view line);

/// AT+CSQ: 0..31, 99 unknown.
Result<int> signal_quality(Channel& channel);
/// AT+COPS?: empty when none is chosen.
Result<std::string> operator_name(Channel& channel);

}  // namespace modem::bring_up
