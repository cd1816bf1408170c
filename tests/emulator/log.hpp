// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace emulator {

/// The record of a run: every byte of the dialogue, both ways, and what else happened. One record
/// a line: seconds since the start, a sign, the text. `>` are bytes from the host, `<` bytes of
/// the modem (both with C escapes: joined in order they are the byte stream), `#` is a remark.
/// Main thread.
class Log {
public:
    Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log();

    /// False when the file cannot be written; errno tells why.
    bool open(const std::string& path);

    void from_host(std::string_view bytes) { bytes_record('>', bytes); }
    void to_host(std::string_view bytes) { bytes_record('<', bytes); }
    void note(std::string_view text);

private:
    void bytes_record(char sign, std::string_view bytes);
    void record(char sign, std::string_view text);
    void flush_pending();

    int fd_ = -1;
    char pending_sign_ = 0;
    std::string pending_;
};

}  // namespace emulator
