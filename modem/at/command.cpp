// SPDX-License-Identifier: MIT
#include "modem/at/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace modem {

namespace {

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool is_bare(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-' || c == '/';
}

}  // namespace

Command::Command(std::string_view head) {
    check_program_text(head);
    append(head, head);
}

Command Command::verbatim(std::string_view line) {
    return Command(line);
}

Command& Command::number(std::uint64_t value) {
    separate();
    const auto text = fmt::format("{}", value);
    return append(text, text);
}

Command& Command::quoted(std::string_view text) {
    separate();
    if (!check_quoted(text)) {
        return *this;
    }
    const auto whole = fmt::format("\"{}\"", text);
    return append(whole, whole);
}

Command& Command::bare(std::string_view text) {
    separate();
    return check_bare(text) ? append(text, text) : *this;
}

Command& Command::secret(std::string_view text) {
    separate();
    if (!check_quoted(text)) {
        return *this;
    }
    secrets_.emplace_back(text);
    return append(fmt::format("\"{}\"", text), "\"***\"");
}

Command& Command::bare_secret(std::string_view text) {
    separate();
    if (!check_bare(text)) {
        return *this;
    }
    secrets_.emplace_back(text);
    return append(text, "***");
}

Command& Command::empty() {
    separate();
    return *this;
}

Command& Command::raw(std::string_view program_text) {
    check_program_text(program_text);
    glue_next_ = true;
    return append(program_text, program_text);
}

Result<std::string_view> Command::text() const {
    if (bad_) {
        return fail(*bad_);
    }
    return text_;
}

std::string_view Command::counter_name() const {
    return std::string_view(text_).substr(0, text_.find_first_of("=?\""));
}

Command& Command::append(std::string_view text, std::string_view shown) {
    text_ += text;
    masked_ += shown;
    return *this;
}

void Command::separate() {
    const bool first = !std::exchange(has_arguments_, true);
    if (std::exchange(glue_next_, false) || (first && text_.ends_with('='))) {
        return;
    }
    const bool list_begun = !first || text_.find('=') != std::string::npos;
    append(list_begun ? "," : "=", list_begun ? "," : "=");
}

void Command::reject(std::string_view what, char byte) {
    if (!bad_) {
        bad_ = Error{Errc::invalid_name, 0,
                     fmt::format("{}: {} with byte 0x{:02x} cannot be sent to the modem",
                                 counter_name(), what, static_cast<unsigned char>(byte))};
    }
}

void Command::check_program_text(std::string_view text) {
    const auto bad = std::find_if(text.begin(), text.end(), is_control);
    if (bad != text.end()) {
        reject("a command line", *bad);
    }
}

bool Command::check_quoted(std::string_view text) {
    const auto bad =
        std::find_if(text.begin(), text.end(), [](char c) { return is_control(c) || c == '"'; });
    if (bad != text.end()) {
        reject("a quoted argument", *bad);
        return false;
    }
    return true;
}

bool Command::check_bare(std::string_view text) {
    const auto bad = std::find_if_not(text.begin(), text.end(), is_bare);
    if (bad != text.end()) {
        reject("an unquoted argument", *bad);
        return false;
    }
    return true;
}

}  // namespace modem
