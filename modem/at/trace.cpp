// SPDX-License-Identifier: MIT
#include "modem/at/trace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "modem/at/parse.hpp"

namespace modem {

namespace {

constexpr std::size_t ring_lines = 64;
constexpr std::size_t ring_line_length = 200;
constexpr std::size_t raw_line_bytes = 72;
constexpr std::size_t write_threshold = 4096;

bool is_plain(std::string_view text) {
    return printable(text) == text;
}

}  // namespace

std::string c_escape(std::string_view bytes) {
    std::string result;
    result.reserve(bytes.size() + bytes.size() / 4);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        const auto byte = static_cast<unsigned char>(c);
        const bool last_blank = c == ' ' && i + 1 == bytes.size();
        if (c == '\r') {
            result += "\\r";
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (c == '\\') {
            result += "\\\\";
        } else if (byte < 0x20 || byte >= 0x7f || last_blank) {
            fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    return result;
}

Trace::~Trace() {
    flush();
}

Result<void> Trace::set_file(const std::string& path) {
    flush();
    file_.reset();
    if (path.empty()) {
        return {};
    }
    file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
    if (!file_) {
        return fail(Errc::local_io, fmt::format("{}: cannot write the trace (`log.trace`): {}",
                                                path, std::strerror(errno)));
    }
    return {};
}

void Trace::host(std::string_view masked_line) {
    put(is_plain(masked_line) ? fmt::format("> {}", masked_line)
                              : fmt::format(">> {}\\r", c_escape(masked_line)));
}

void Trace::modem(std::string_view line) {
    put(is_plain(line) ? fmt::format("< {}", line)
                       : fmt::format("<< \\r\\n{}\\r\\n", c_escape(line)));
}

void Trace::modem_exact(std::string_view bytes) {
    put(fmt::format("<< {}", c_escape(bytes)));
}

void Trace::raw(std::span<const char> bytes, Direction direction) {
    if (raw_run_ > 0 && direction != raw_direction_) {
        end_raw_run();
    }
    raw_direction_ = direction;
    raw_run_ += bytes.size();
    if (file_) {
        raw_pending_.append(bytes.data(), bytes.size());
        write_raw_lines(false);
    }
}

void Trace::outcome(std::string_view what) {
    put(fmt::format("! {}", what));
}

void Trace::note(std::string_view text) {
    put(fmt::format("# {}", printable(text)));
}

std::string Trace::tail(std::size_t lines) const {
    std::string result;
    const std::size_t shown = std::min(lines, ring_.size());
    for (auto line = ring_.end() - static_cast<std::ptrdiff_t>(shown); line != ring_.end();
         ++line) {
        result += result.empty() ? "" : " | ";
        result += *line;
    }
    if (raw_run_ > 0) {
        result += fmt::format("{}= {} bytes", result.empty() ? "" : " | ", raw_run_);
    }
    return result;
}

void Trace::put(std::string line) {
    end_raw_run();
    write_out(line);
    flush();
    if (line.size() > ring_line_length) {
        line.resize(ring_line_length);
        line = printable(line) + "...";
    }
    ring_.push_back(std::move(line));
    if (ring_.size() > ring_lines) {
        ring_.pop_front();
    }
}

void Trace::end_raw_run() {
    if (raw_run_ == 0) {
        return;
    }
    write_raw_lines(true);
    ring_.push_back(fmt::format("= {} bytes", raw_run_));
    if (ring_.size() > ring_lines) {
        ring_.pop_front();
    }
    raw_run_ = 0;
}

void Trace::write_raw_lines(bool all) {
    std::string_view rest = raw_pending_;
    while (rest.size() >= raw_line_bytes || (all && !rest.empty())) {
        const auto piece = rest.substr(0, raw_line_bytes);
        write_out(fmt::format("= {}", c_escape(piece)));
        rest.remove_prefix(piece.size());
    }
    raw_pending_.erase(0, raw_pending_.size() - rest.size());
}

void Trace::write_out(std::string_view text) {
    if (file_) {
        out_ += text;
        out_ += '\n';
        if (out_.size() >= write_threshold) {
            flush();
        }
    }
}

void Trace::flush() {
    std::string_view rest = out_;
    while (file_ && !rest.empty()) {
        const auto written = ::write(file_.get(), rest.data(), rest.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {  // a full disk must not stop the modem: the trace ends, the ring says so
            ring_.push_back(fmt::format("# trace ended: {}", std::strerror(errno)));
            file_.reset();
            break;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    out_.clear();
}

}  // namespace modem
