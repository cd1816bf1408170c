// SPDX-License-Identifier: MIT
#include "modem/at/input.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace modem {

namespace {

constexpr std::size_t capacity = 65536;   ///< also the longest line
constexpr std::size_t least_room = 4096;  ///< few system calls: never read less than this

bool is_noise(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

Input::Input(ByteStream& stream) : stream_(stream), buffer_(capacity) {}

Result<std::size_t> Input::fill(Wait wait) {
    if (capacity - tail_ < least_room && head_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + head_, tail_ - head_);
        scanned_ -= head_;
        tail_ -= head_;
        head_ = 0;
    }
    if (tail_ == capacity) {
        clear();
        skip_line_ = true;
        return fail(Errc::garbled,
                    "the modem sent 64 KiB without a line end: wrong baud rate, or not a modem");
    }
    TRY(const auto count, stream_.read(std::span(buffer_).subspan(tail_), wait));
    tail_ += count;
    return count;
}

std::optional<std::string> Input::take_line() {
    for (;;) {
        settle();
        const auto* const begin = buffer_.data();
        const auto* const end = std::find_if(begin + scanned_, begin + tail_,
                                             [](char c) { return c == '\r' || c == '\n'; });
        scanned_ = static_cast<std::size_t>(end - begin);
        if (scanned_ == tail_) {
            if (skip_line_) {
                consume(tail_ - head_);
            }
            return {};
        }
        std::string line;
        std::copy_if(begin + head_, end, std::back_inserter(line),
                     [](char c) { return !is_noise(c); });
        line.erase(0, std::min(line.find_first_not_of('\xff'), line.size()));
        line_feed_pending_ = *end == '\r';
        consume(scanned_ + 1 - head_);
        const bool skipped = std::exchange(skip_line_, false);
        if (!skipped && line.find_first_not_of(" \t") != std::string::npos) {
            return line;
        }
    }
}

bool Input::take_prompt(char prompt) {
    settle();
    std::size_t at = head_;
    while (at < tail_ && (buffer_[at] == '\r' || buffer_[at] == '\n' || is_noise(buffer_[at]))) {
        ++at;
    }
    if (at == tail_ || buffer_[at] != prompt) {
        return false;
    }
    consume(at + 1 - head_);
    line_feed_pending_ = false;
    blank_pending_ = true;
    return true;
}

std::span<char> Input::raw() {
    settle();
    return std::span(buffer_).subspan(head_, tail_ - head_);
}

void Input::clear() {
    head_ = tail_ = scanned_ = 0;
    line_feed_pending_ = blank_pending_ = skip_line_ = false;
}

void Input::settle() {
    const bool line_feed = line_feed_pending_;
    const bool blank = blank_pending_;
    if (head_ == tail_ || (!line_feed && !blank)) {
        return;
    }
    line_feed_pending_ = blank_pending_ = false;
    if ((line_feed && buffer_[head_] == '\n') || (blank && buffer_[head_] == ' ')) {
        consume(1);
    }
}

}  // namespace modem
