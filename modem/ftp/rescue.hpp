// SPDX-License-Identifier: MIT
#pragma once

#include "modem/at/channel.hpp"

namespace modem {

/// Ends a download in data mode that was broken off: DTR where the line has it, else the escape
/// with guard times. What still comes is for synchronise() to drop. Errors: cancelled, line_lost.
Result<void> leave_receiving(Channel& channel);

/// Ends an upload in data mode that was broken off: DTR, then the escape, and last of all
/// `end_of_data`. That byte makes the server take what it has for a whole file, so it comes when
/// nothing else gives a sign of life. Errors: cancelled, line_lost.
Result<void> leave_sending(Channel& channel, char end_of_data);

/// Waits for quiet (a stream that nothing stops is read to its end, for a minute at most) and makes
/// sure that the module answers AT. Errors: timed_out, cancelled, line_lost.
Result<void> synchronise(Channel& channel);

}  // namespace modem
