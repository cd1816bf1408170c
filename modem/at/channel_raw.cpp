// SPDX-License-Identifier: MIT
// Channel's raw data: blocks, DLE streams, escaping, and the ways back to order.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "modem/at/channel.hpp"

namespace modem {

namespace {

constexpr char dle = 0x10;
constexpr char etx = 0x03;
constexpr std::size_t encode_chunk = 4096;
constexpr std::size_t most_read_while_writing = 32768;
constexpr milliseconds write_slice{250};

/// How many of `bytes` belong to a DLE stream whose state is `escaped`, and whether its bare ETX is
/// among them.
std::pair<std::size_t, bool> dle_end(std::span<const char> bytes, bool escaped) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (!escaped && bytes[i] == etx) {
            return {i + 1, true};
        }
        escaped = !escaped && bytes[i] == dle;
    }
    return {bytes.size(), false};
}

/// Removes DLE escapes (and the bare ETX that may end `bytes`) in place; returns how many bytes
/// are left at the front. `escaped` carries a DLE at the end of one call to the next.
std::size_t unescape(std::span<char> bytes, bool& escaped) {
    std::size_t kept = 0;
    for (const char c : bytes) {
        if (!escaped && (c == dle || c == etx)) {
            escaped = c == dle;
        } else {
            escaped = false;
            bytes[kept++] = c;
        }
    }
    return kept;
}

}  // namespace

Result<void> Channel::fill_raw(milliseconds timeout) {
    auto wait = waiting(timeout);
    if (auto filled = fill(wait); !filled) {
        trace_outcome(filled.error().code);
        return fail(explain(std::move(filled).error(), "data", timeout));
    }
    return {};
}

void Channel::count_received(std::size_t payload) {
    counters_.payload_received += payload;
    if (payload > 0) {
        progressed();
    }
}

Result<void> Channel::read_raw(std::uint64_t length, const Consumer& consumer,
                               milliseconds timeout) {
    while (length > 0) {
        auto bytes = input_.raw();
        if (bytes.empty()) {
            CHECK(fill_raw(timeout));
            continue;
        }
        if (bytes.size() > length) {
            bytes = bytes.first(static_cast<std::size_t>(length));
        }
        length -= bytes.size();
        trace_.raw(bytes, Trace::Direction::to_host);
        input_.consume(bytes.size());
        count_received(bytes.size());
        CHECK(consumer(bytes));
    }
    return {};
}

Result<void> Channel::read_dle(const Consumer& consumer, milliseconds timeout) {
    for (bool escaped = false;;) {
        auto bytes = input_.raw();
        if (bytes.empty()) {
            CHECK(fill_raw(timeout));
            continue;
        }
        const auto [used, end] = dle_end(bytes, escaped);
        bytes = bytes.first(used);
        trace_.raw(bytes, Trace::Direction::to_host);
        input_.consume(used);
        const auto kept = unescape(bytes, escaped);
        count_received(kept);
        if (kept > 0) {
            CHECK(consumer(bytes.first(kept)));
        }
        if (end) {
            return {};
        }
    }
}

Result<void> Channel::scan(const Scanner& scanner, milliseconds timeout) {
    for (bool needs_more = false;;) {
        const auto bytes = input_.raw();
        if (bytes.empty() || needs_more) {
            CHECK(fill_raw(timeout));
            needs_more = false;
            continue;
        }
        TRY(const auto taken, scanner(bytes));
        const auto count = std::min(taken.bytes, bytes.size());
        trace_.raw(bytes.first(count), Trace::Direction::to_host);
        input_.consume(count);
        count_received(count);
        if (!taken.more) {
            return {};
        }
        needs_more = count == 0;
    }
}

Result<void> Channel::write_raw(std::span<const char> bytes, milliseconds timeout) {
    trace_.raw(bytes, Trace::Direction::to_modem);
    if (auto written = write_all(bytes, timeout); !written) {
        return fail(explain(std::move(written).error(), "room to send", timeout));
    }
    counters_.payload_sent += bytes.size();
    return {};
}

Result<void> Channel::write_dle(std::span<const char> bytes, milliseconds timeout) {
    return write_escaped(bytes, dle, std::string_view("\x10\x03", 2), timeout);
}

Result<void> Channel::write_escaped(std::span<const char> bytes, char escape,
                                    std::string_view escaped, milliseconds timeout) {
    std::array<char, 2 * encode_chunk> encoded{};
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), encode_chunk));
        bytes = bytes.subspan(piece.size());
        std::size_t size = 0;
        for (const char c : piece) {
            if (escaped.find(c) != std::string_view::npos) {
                encoded[size++] = escape;
            }
            encoded[size++] = c;
        }
        CHECK(write_raw(std::span(encoded).first(size), timeout));
        counters_.payload_sent -= size - piece.size();
    }
    return {};
}

Result<void> Channel::write_byte(char byte, milliseconds timeout) {
    CHECK(write_raw({&byte, 1}, timeout));
    --counters_.payload_sent;
    return {};
}

Result<void> Channel::write_all(std::span<const char> bytes, milliseconds timeout) {
    auto deadline = Clock::now() + timeout;
    while (!bytes.empty()) {
        const auto slice = std::min(deadline, Clock::now() + write_slice);
        const auto count = stream_.write(bytes, {.deadline = slice, .interrupt = interrupt_});
        if (count) {
            bytes = bytes.subspan(*count);
            counters_.bytes_sent += *count;
            deadline = Clock::now() + timeout;
            progressed();
            continue;
        }
        if (count.error().code != Errc::timed_out || Clock::now() >= deadline) {
            return fail(count.error());
        }
        // A modem that cannot get rid of its output may not take our input: make it some room.
        if (input_.raw().size() < most_read_while_writing) {
            Waiting poll{{.deadline = Clock::now(), .interrupt = interrupt_}};
            const auto filled = fill(poll);
            if (!filled && filled.error().code != Errc::timed_out) {
                return filled;
            }
        }
    }
    return {};
}

Result<void> Channel::drain(milliseconds quiet, milliseconds limit) {
    const auto end = Clock::now() + limit;
    for (;;) {
        const auto bytes = input_.raw();
        trace_.raw(bytes, Trace::Direction::to_host);
        input_.clear();
        Waiting wait{{.deadline = std::min(end, Clock::now() + quiet), .interrupt = interrupt_}};
        wait.has_read = Clock::now() >= end;
        if (auto filled = fill(wait); !filled) {
            form_ = ResultForm::unknown;
            echoes_.clear();
            kept_.clear();
            kept_bytes_ = 0;
            trace_outcome(filled.error().code);
            return filled.error().code == Errc::timed_out ? Result<void>() : filled;
        }
    }
}

Result<void> Channel::escape(milliseconds guard) {
    constexpr std::string_view escape_sequence = "+++";
    // Silence begins when the last byte has left; one that flow control holds back is given up.
    auto flushed = stream_.flush({Clock::now() + guard, interrupt_});
    if (!flushed && flushed.error().code != Errc::timed_out) {
        return flushed;
    }
    CHECK(stream_.pause(guard, interrupt_));
    trace_.raw(escape_sequence, Trace::Direction::to_modem);
    CHECK(write_all(escape_sequence, default_timeout_));
    return stream_.pause(guard, interrupt_);
}

Result<void> Channel::pause(milliseconds time) {
    return stream_.pause(time, interrupt_);
}

}  // namespace modem
