// SPDX-License-Identifier: MIT
#include "modem/watched_stream.hpp"

#include <algorithm>
#include <utility>

namespace modem {

WatchedStream::WatchedStream(std::unique_ptr<ByteStream> stream, milliseconds slice,
                             std::function<void()> alive)
    : stream_(std::move(stream)), slice_(slice), alive_(std::move(alive)) {}

template <typename T>
Result<T> WatchedStream::sliced(Wait wait, const std::function<Result<T>(Wait)>& once) {
    if (end_) {
        wait.deadline = std::min(wait.deadline, *end_);
    }
    while (true) {
        alive_();
        const Clock::time_point slice = std::min(wait.deadline, Clock::now() + slice_);
        Result<T> result = once(Wait{slice, wait.interrupt});
        if (result || result.error().code != Errc::timed_out || slice >= wait.deadline) {
            return result;
        }
    }
}

Result<std::size_t> WatchedStream::read(std::span<char> into, Wait wait) {
    return sliced<std::size_t>(wait, [&](Wait slice) { return stream_->read(into, slice); });
}

Result<std::size_t> WatchedStream::write(std::span<const char> bytes, Wait wait) {
    return sliced<std::size_t>(wait, [&](Wait slice) { return stream_->write(bytes, slice); });
}

Result<void> WatchedStream::flush(Wait wait) {
    return sliced<void>(wait, [&](Wait slice) { return stream_->flush(slice); });
}

Result<void> WatchedStream::pause(milliseconds time, const Interrupt* interrupt) {
    if (end_) {
        const auto left = std::chrono::duration_cast<milliseconds>(*end_ - Clock::now());
        time = std::min(time, std::max(left, milliseconds(0)));
    }
    while (time > slice_) {
        alive_();
        CHECK(stream_->pause(slice_, interrupt));
        time -= slice_;
    }
    alive_();
    return stream_->pause(time, interrupt);
}

}  // namespace modem
