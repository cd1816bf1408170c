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
/// escapes, `! ` silence, hang-up or cancel, `# ` notes), secrets masked, so that a field log is a
/// new test. A line that is not plain text is written with C escapes and its line ends, as `>> `
/// or `<< `. Written to a file when one is set; the last lines are always kept for error messages.
/// Modem thread only, except set_file(), which the owner calls through the worker.
class Trace {
public:
    Trace() = default;
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;
    ~Trace();

    /// Starts (or, with an empty path, ends) writing to a file, appended, mode 0600. Errors:
    /// local_io; nothing is written then.
    Result<void> set_file(const std::string& path);

    enum class Direction { either, to_modem, to_host };

    void host(std::string_view masked_line);
    void modem(std::string_view line);
    /// Bytes exactly as they came, shown in one piece (prompts, numeric results).
    void modem_exact(std::string_view bytes);
    /// Payload in either direction; the ring keeps its length only.
    void raw(std::span<const char> bytes, Direction direction = Direction::either);
    /// "silence", "hangup" or "cancel".
    void outcome(std::string_view what);
    void note(std::string_view text);

    /// The last lines of the dialogue, oldest first, joined by " | ", for one log entry.
    [[nodiscard]] std::string tail(std::size_t lines = 8) const;

private:
    void put(std::string line);
    void end_raw_run();
    void write_raw_lines(bool all);
    void write_out(std::string_view text);
    void flush();

    Fd file_;
    std::string out_;          ///< not yet written to file_
    std::string raw_pending_;  ///< payload bytes that do not fill a line yet
    std::deque<std::string> ring_;
    std::size_t raw_run_ = 0;
    Direction raw_direction_ = Direction::either;
};

/// `bytes` with C escapes (\r \n \t \\ \xNN) for everything but printable ASCII; a blank at the
/// end is escaped as well, so that no editor drops it.
[[nodiscard]] std::string c_escape(std::string_view bytes);

}  // namespace modem
