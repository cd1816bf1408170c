// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "modem/interrupt.hpp"
#include "modem/line/byte_stream.hpp"
#include "modem/result.hpp"

namespace modem {

/// What has arrived from the modem and is not claimed yet, and where its lines end. A line ends at
/// CR, LF or both; a CR is enough to take the line, and the LF that belongs to it is dropped when
/// it comes, also when raw data follows. Modem thread only.
class Input {
public:
    explicit Input(ByteStream& stream);

    /// Reads what the stream has, at least one byte. Errors: the stream's; garbled when the buffer
    /// is full (its content is dropped then, up to the next line end).
    Result<std::size_t> fill(Wait wait);

    /// One line that is not blank, without its end and without the control characters that noise
    /// and broken wakes-up leave (NUL, XON, a leading 0xFF). Nothing: no line end has come yet.
    std::optional<std::string> take_line();
    /// True, and the byte is gone (with the blank that may follow it), when a line begins with
    /// `prompt`.
    bool take_prompt(char prompt);
    /// A numeric result ends at a bare CR: raw data that begins with LF may follow it.
    void expect_no_line_feed() { line_feed_pending_ = false; }

    /// The bytes that are there, as raw data. Drops the LF of the line before.
    std::span<char> raw();
    void consume(std::size_t bytes) {
        head_ += bytes;
        scanned_ = head_;
    }
    /// Forgets everything, and how the last line ended.
    void clear();

private:
    void settle();

    ByteStream& stream_;
    std::vector<char> buffer_;
    std::size_t head_ = 0;     ///< first byte not consumed
    std::size_t tail_ = 0;     ///< one past the last byte received
    std::size_t scanned_ = 0;  ///< no line end in [head_, scanned_)
    bool line_feed_pending_ = false;
    bool blank_pending_ = false;  ///< after a prompt
    bool skip_line_ = false;      ///< the rest of an over-long line is dropped
};

}  // namespace modem
