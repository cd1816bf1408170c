// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "modem/fd.hpp"
#include "modem/line/byte_stream.hpp"

namespace modem {

/// A line that is one non-blocking descriptor: everything the kinds of lines have in common.
class FdStream : public ByteStream {
public:
    /// `name` stands at the front of messages ("/dev/ttyUSB2"), `description` for describe().
    FdStream(Fd fd, std::string name, std::string description);

    Result<std::size_t> read(std::span<char> into, Wait wait) override;
    Result<std::size_t> write(std::span<const char> bytes, Wait wait) override;
    Result<void> flush(Wait wait) override;
    Result<void> pause(milliseconds time, const Interrupt* interrupt) override;
    Result<void> pulse_dtr(milliseconds time) override;
    [[nodiscard]] std::string describe() const override { return description_; }
    [[nodiscard]] bool is_usb() const override { return false; }

protected:
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// For those who hold a lock on the device: it has to go after the descriptor.
    void close() { fd_.reset(); }
    [[nodiscard]] Error lost(int error) const;

private:
    /// Waits for `events`; returns what came, hang-up included. Errors: cancelled, timed_out.
    Result<short> wait_for(short events, Wait wait) const;

    Fd fd_;
    std::string name_;
    std::string description_;
};

/// Lets time pass without a line; the interrupt ends it. Errors: cancelled.
Result<void> pause_without_line(Clock::time_point until, const Interrupt* interrupt);

}  // namespace modem
