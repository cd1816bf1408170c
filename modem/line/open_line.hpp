// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "modem/line/byte_stream.hpp"

namespace modem {

/// The kinds behind open_line(); each takes its own part of `line.device`.

/// A stream socket of this machine. Errors: line_lost, cancelled.
Result<std::unique_ptr<ByteStream>> open_unix(const std::string& path, const Interrupt* interrupt);
/// `host:port` or `[v6]:port` (ser2net raw, QEMU). Errors: line_lost, invalid_argument, cancelled.
Result<std::unique_ptr<ByteStream>> open_tcp(std::string_view address, const Interrupt* interrupt);
/// A pty, or any tty without an entry in /sys/class/tty, through termios.
Result<std::unique_ptr<ByteStream>> open_pty(const config::Line& line, const std::string& path,
                                             const std::string& lock_dir);
/// A tty that the kernel knows by name, through libserialport.
Result<std::unique_ptr<ByteStream>> open_serial_port(const config::Line& line,
                                                     const std::string& path,
                                                     const std::string& lock_dir);

/// What follows "unix:" or "tcp:", when `device` begins with it.
[[nodiscard]] std::string_view after_scheme(std::string_view device, std::string_view scheme);

}  // namespace modem
