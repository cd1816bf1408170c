// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "config/config.hpp"
#include "modem/interrupt.hpp"
#include "modem/result.hpp"

namespace modem {

/// The one seam under everything: a line that carries bytes both ways. Implementations: a tty
/// through libserialport, a pty through termios, a stream socket, and the scripted line of the
/// tests. Used by the modem thread only; every call is one poll() on {line, interrupt}.
class ByteStream {
public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    /// Reads what is there, at least one byte. Errors: timed_out at the deadline, cancelled when
    /// the interrupt is raised, line_lost on hang-up.
    virtual Result<std::size_t> read(std::span<char> into, Wait wait) = 0;

    /// Writes some of `bytes`, at least one. Errors as read().
    virtual Result<std::size_t> write(std::span<const char> bytes, Wait wait) = 0;

    /// Waits until everything written has left this machine. Errors as read().
    virtual Result<void> flush(Wait wait) = 0;

    /// Lets time pass without reading (guard times, the gap between commands). The scripted line
    /// of the tests returns at once. Errors: cancelled, line_lost.
    virtual Result<void> pause(milliseconds time, const Interrupt* interrupt) = 0;

    /// Drops and raises DTR (some modules leave data mode on it). not_supported where the line
    /// has no modem control signals.
    virtual Result<void> pulse_dtr(milliseconds time) = 0;

    /// Says what was opened and how, for logs: "/dev/ttyUSB2 115200 8N1 rts-cts".
    [[nodiscard]] virtual std::string describe() const = 0;
    /// True when the line is a USB tty (some modules pace their output there on a timer).
    [[nodiscard]] virtual bool is_usb() const = 0;
};

/// Opens what `line.device` names: a tty (stable links are resolved first), a pty, `unix:/path`
/// or `tcp:host:port`. The device is taken exclusively (TIOCEXCL and a lock file). Errors:
/// line_lost when it is absent or in use (the message names the holder if it can), invalid_argument
/// when the line did not take the baud rate or flow control asked for, cancelled (a socket that
/// does not answer is given 10 s). `lock_dir` is where lock files go; one that cannot be written
/// is told by describe(), not an error.
Result<std::unique_ptr<ByteStream>> open_line(const config::Line& line,
                                              const std::string& lock_dir = "/run/lock",
                                              const Interrupt* interrupt = nullptr);

/// Waits until the device named may exist again (inotify on its directories for devices and
/// unix sockets; the time given for tcp). Returns at the deadline as well, and after a second at
/// most when the device exists already (it may be busy). Errors: cancelled.
Result<void> await_device(const config::Line& line, Wait wait);

}  // namespace modem
