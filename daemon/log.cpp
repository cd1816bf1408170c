// SPDX-License-Identifier: MIT
#include "daemon/log.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// The macros would put this file's own line into every entry.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace service {
namespace {

constexpr std::array<std::string_view, 8> level_names = {"emerg",   "alert",  "crit", "err",
                                                         "warning", "notice", "info", "debug"};

/// One write(), so that lines of several processes do not mix. What standard error does not take
/// is lost: there is nowhere to say so.
void write_line(const std::string& line) {
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (written <= 0) {
            return;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

void send_to_journal(const std::vector<std::string>& fields) {
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (const std::string& field : fields) {
        parts.push_back({const_cast<char*>(field.data()), field.size()});
    }
    sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

Log::Log(std::string identifier, std::string instance)
    : identifier_(std::move(identifier)),
      instance_(std::move(instance)),
      target_(detect_target()) {}

LogTarget Log::detect_target() {
    struct stat status{};
    const char* stream = std::getenv("JOURNAL_STREAM");
    if (stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
        fmt::format("{}:{}", status.st_dev, status.st_ino) == stream) {
        return LogTarget::journal;
    }
    return ::isatty(STDERR_FILENO) == 1 ? LogTarget::plain : LogTarget::prefixed;
}

void Log::write(int level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level > level_) {
        return;
    }
    const std::string text = printable(message);
    if (target_ != LogTarget::journal) {
        const std::string mark = target_ == LogTarget::prefixed ? fmt::format("<{}>", level)
                                 : level <= LOG_WARNING ? fmt::format("{}: ", level_name(level))
                                                        : "";
        write_line(fmt::format("{}{}\n", mark, text));
        return;
    }
    std::vector<std::string> all = {
        "MESSAGE=" + text,
        fmt::format("PRIORITY={}", level),
        "SYSLOG_IDENTIFIER=" + identifier_,
        "MODEMFTP_INSTANCE=" + instance_,
    };
    for (const LogField& field : fields) {
        all.push_back(fmt::format("{}={}", field.name, field.value));
    }
    send_to_journal(all);
}

int syslog_level(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::error:
            return LOG_ERR;
        case config::LogLevel::warning:
            return LOG_WARNING;
        case config::LogLevel::notice:
            return LOG_NOTICE;
        case config::LogLevel::info:
            return LOG_INFO;
        case config::LogLevel::debug:
            return LOG_DEBUG;
    }
    return LOG_INFO;
}

std::string_view level_name(int level) {
    return level >= 0 && level < 8 ? level_names.at(static_cast<std::size_t>(level))
                                   : std::string_view();
}

int level_by_name(std::string_view name) {
    const auto* const found = std::ranges::find(level_names, name);
    return found != level_names.end() ? static_cast<int>(found - level_names.begin()) : -1;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace service
