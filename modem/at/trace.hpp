// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "modem/fd.hpp"
#include "modem/result.hpp"

namespace modem {

/// The AT dialogue in transcript syntax (`> ` host line, `< ` modem line, `= ` raw bytes with C
/// escapes, `# ` notes), secrets masked, so that a field log is a new test. Written to a file when
/// one is set; the last lines are always kept for error messages. Modem thread only, except
/// set_file(), which the owner calls through the worker.
class Trace {
public:
    /// Starts (or, with an empty path, ends) writing to a file, appended, mode 0600.
    Result<void> set_file(const std::string& path);

    void host(std::string_view masked_line);
    void modem(std::string_view line);
    /// Payload in either direction; the ring keeps its length only.
    void raw(std::span<const char> bytes);
    void note(std::string_view text);

    /// The last lines of the dialogue, oldest first, joined by " | ", for one log entry.
    [[nodiscard]] std::string tail(std::size_t lines = 8) const;

private:
    void put(std::string line);
    Fd file_;
    std::deque<std::string> ring_;
    std::size_t raw_run_ = 0;
};

}  // namespace modem
