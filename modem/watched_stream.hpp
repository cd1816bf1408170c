// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "modem/line/byte_stream.hpp"

namespace modem {

/// A line whose long waits are cut into slices, so that the thread that waits can show that it is
/// alive, and which can be given an end beyond which no wait lasts. Modem thread only.
class WatchedStream final : public ByteStream {
public:
    WatchedStream(std::unique_ptr<ByteStream> stream, milliseconds slice,
                  std::function<void()> alive);

    /// From now on every wait ends there at the latest, as timed_out.
    void set_end(Clock::time_point end) { end_ = end; }

    Result<std::size_t> read(std::span<char> into, Wait wait) override;
    Result<std::size_t> write(std::span<const char> bytes, Wait wait) override;
    Result<void> flush(Wait wait) override;
    Result<void> pause(milliseconds time, const Interrupt* interrupt) override;
    Result<void> pulse_dtr(milliseconds time) override { return stream_->pulse_dtr(time); }
    [[nodiscard]] std::string describe() const override { return stream_->describe(); }
    [[nodiscard]] bool is_usb() const override { return stream_->is_usb(); }

private:
    template <typename T>
    Result<T> sliced(Wait wait, const std::function<Result<T>(Wait)>& once);
    std::unique_ptr<ByteStream> stream_;
    milliseconds slice_;
    std::function<void()> alive_;
    std::optional<Clock::time_point> end_;
};

}  // namespace modem
