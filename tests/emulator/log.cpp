// SPDX-License-Identifier: MIT
#include "tests/emulator/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

constexpr std::size_t record_limit = 4096;

double seconds_since_start() {
    static const auto start = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Log::~Log() {
    flush_pending();
    if (fd_ >= 0) {
        close(fd_);
    }
}

bool Log::open(const std::string& path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    seconds_since_start();
    return fd_ >= 0;
}

void Log::note(std::string_view text) {
    if (fd_ < 0) {
        return;
    }
    flush_pending();
    record('#', escape(text));
}

// A record ends with the line it shows, so that a dialogue reads like one; a piece without a line
// end waits for the rest, but not longer than until the other side speaks.
void Log::bytes_record(char sign, std::string_view bytes) {
    if (fd_ < 0 || bytes.empty()) {
        return;
    }
    if (pending_sign_ != sign) {
        flush_pending();
        pending_sign_ = sign;
    }
    for (char c : bytes) {
        pending_ += c;
        if (c == '\n' || (c == '\r' && sign == '>') || pending_.size() >= record_limit) {
            flush_pending();
            pending_sign_ = sign;
        }
    }
    flush_pending();
}

void Log::flush_pending() {
    if (!pending_.empty()) {
        record(pending_sign_, escape(pending_));
        pending_.clear();
    }
}

void Log::record(char sign, std::string_view text) {
    auto line = fmt::format("{:.3f} {} {}\n", seconds_since_start(), sign, text);
    if (write(fd_, line.data(), line.size()) < 0) {
        // A full disk must not change what the modem does; the record is simply not there.
        return;
    }
}

}  // namespace emulator
