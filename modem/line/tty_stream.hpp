// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "modem/line/fd_stream.hpp"
#include "modem/line/line_lock.hpp"

namespace modem {

/// "/dev/ttyUSB2 115200 8N1 rts-cts", and what should be known about the lock.
[[nodiscard]] std::string describe_tty(const std::string& path, const config::Line& line,
                                       const LineLock& lock);

/// The error for a device that could not be opened, by errno.
[[nodiscard]] Error cannot_open(const std::string& path, int error);

}  // namespace modem
