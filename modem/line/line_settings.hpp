// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "modem/result.hpp"

namespace modem {

/// A tty's settings as far as they matter here.
struct LineSettings {
    unsigned baud = 0;
    config::FlowControl flow_control = config::FlowControl::none;
    bool raw_8n1 = false;  ///< nothing is translated, eight bits, no parity, one stop bit
};

/// Sets raw 8N1, baud rate and flow control at once (termios2, so that any rate can be asked for);
/// modem control lines are ignored. Errors: line_lost.
Result<void> apply_settings(int fd, unsigned baud, config::FlowControl flow_control);

/// Changes flow control alone. Errors: line_lost.
Result<void> apply_flow_control(int fd, config::FlowControl flow_control);

/// What the line really does. Errors: line_lost.
Result<LineSettings> read_settings(int fd);

/// Compares what was asked for with read_settings(). Errors: invalid_argument, in words that say
/// what the line does instead; line_lost.
Result<void> verify_settings(int fd, const config::Line& asked, const std::string& path);

/// "none", "rts-cts", "xon-xoff".
[[nodiscard]] std::string_view flow_control_name(config::FlowControl flow_control);

}  // namespace modem
