// SPDX-License-Identifier: MIT
#pragma once

#include <syslog.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace service {

/// Where log entries go.
enum class LogTarget {
    journal,   ///< the native protocol, with fields
    prefixed,  ///< standard error, `<N>` before each line for whoever collects it
    plain,     ///< standard error, for eyes
};

/// One more field of a journal entry, `{"PATH", "/data/log.csv"}`.
struct LogField {
    std::string_view name;
    std::string_view value;
};

/// The daemon's log. Control characters in messages (from servers, modems, programs) are escaped.
/// Main thread.
class Log {
public:
    /// `identifier` is the program's name, `instance` the modem's.
    Log(std::string identifier, std::string instance);

    /// `level` is a syslog priority (LOG_ERR …); what lies above the limit is dropped.
    void write(int level, std::string_view message, std::initializer_list<LogField> fields = {});
    void error(std::string_view message) { write(LOG_ERR, message); }
    void warning(std::string_view message) { write(LOG_WARNING, message); }
    void notice(std::string_view message) { write(LOG_NOTICE, message); }
    void info(std::string_view message) { write(LOG_INFO, message); }

    void set_level(int level) { level_ = level; }
    [[nodiscard]] int level() const { return level_; }
    void set_target(LogTarget target) { target_ = target; }
    [[nodiscard]] LogTarget target() const { return target_; }
    [[nodiscard]] const std::string& identifier() const { return identifier_; }

    /// What suits this process's standard error: the journal if it is connected to it.
    [[nodiscard]] static LogTarget detect_target();

private:
    std::string identifier_;
    std::string instance_;
    LogTarget target_;
    int level_ = LOG_INFO;
};

[[nodiscard]] int syslog_level(config::LogLevel level);
/// "err", "warning", … as systemd names priorities; nothing for other numbers.
[[nodiscard]] std::string_view level_name(int level);
/// The inverse; -1: not a level.
[[nodiscard]] int level_by_name(std::string_view name);
/// The text with control characters as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace service
