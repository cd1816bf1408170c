// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "modem/at/channel.hpp"

namespace modem {

/// Ends a download in data mode that was broken off: DTR where the line has it, else the escape
/// with guard times. What still comes is for synchronise() to drop. Errors: cancelled, line_lost.
Result<void> leave_receiving(Channel& channel);

/// Drops DTR. True when the module gave a sign of life then: it has left data mode. Errors:
/// cancelled, line_lost.
Result<bool> leave_by_dtr(Channel& channel);

/// A DLE stream of `bytes` stopped after `sent` bytes on the line: the byte that is missing when
/// that was between a DLE and the byte it escapes (an end of data there would be data). Pure.
[[nodiscard]] std::string cut_dle_pair(std::span<const char> bytes, std::uint64_t sent);

/// Waits for quiet (a stream that nothing stops is read to its end, for a minute at most) and makes
/// sure that the module answers AT. Errors: timed_out, cancelled, line_lost.
Result<void> synchronise(Channel& channel);

}  // namespace modem
