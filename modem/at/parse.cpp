// SPDX-License-Identifier: MIT
#include "modem/at/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace modem {

namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// One field from the front of `text`, quotes removed; `text` loses it and its comma. False when
/// it was the last one. Inside quotes everything counts, outside blanks at the ends do not.
bool take_field(std::string_view& text, std::string& field) {
    bool quoted = false;
    std::size_t blanks = 0;  // at the end of `field`, outside quotes
    std::size_t at = 0;
    for (; at < text.size() && (quoted || text[at] != ','); ++at) {
        const char c = text[at];
        const bool blank = !quoted && (c == ' ' || c == '\t');
        if (c == '"') {
            quoted = !quoted;
            blanks = 0;
        } else if (!blank || !field.empty()) {
            field += c;
            blanks = blank ? blanks + 1 : 0;
        }
    }
    field.resize(field.size() - blanks);
    const bool more = at < text.size();
    text.remove_prefix(more ? at + 1 : at);
    return more;
}

/// Length of the valid UTF-8 sequence at the front of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    // Overlong forms, surrogates, C1 controls and what lies beyond U+10FFFF.
    const auto second = byte(1);
    const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ||
                     (first == 0xc2 && second < 0xa0);
    return bad ? 0 : length;
}

}  // namespace

std::optional<std::int64_t> Fields::number(std::size_t index) const {
    if (index >= fields.size()) {
        return {};
    }
    std::string_view text = fields[index];
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) {
            return {};
        }
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return {};
    }
    return value;
}

std::string_view Fields::text(std::size_t index) const {
    return index < fields.size() ? std::string_view(fields[index]) : std::string_view();
}

Fields parse_fields(std::string_view line) {
    Fields result;
    const auto colon = line.find(':');
    std::string_view prefix = trim(line.substr(0, colon));
    if (prefix.starts_with('+')) {  // "+ FTPREST: 0", as some manuals print it
        result.prefix = "+";
        prefix = trim(prefix.substr(1));
    }
    result.prefix += prefix;
    if (colon == std::string_view::npos) {
        return result;
    }
    std::string_view rest = line.substr(colon + 1);
    if (rest.starts_with(' ')) {
        rest.remove_prefix(1);
    }
    result.rest = rest;
    if (trim(rest).empty()) {
        return result;
    }
    for (bool more = true; more;) {
        more = take_field(rest, result.fields.emplace_back());
    }
    return result;
}

bool has_prefix(std::string_view line, std::string_view prefix) {
    line = trim(line);
    if (line.starts_with('+') && prefix.starts_with('+')) {  // "+ FTPREST: 0" is "+FTPREST: 0"
        line = trim(line.substr(1));
        prefix.remove_prefix(1);
    }
    if (line.size() < prefix.size() ||
        !std::equal(prefix.begin(), prefix.end(), line.begin(),
                    [](char a, char b) { return upper(a) == upper(b); })) {
        return false;
    }
    line = trim(line.substr(prefix.size()));
    return line.empty() || line[0] == ':' || line[0] == '=';
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text[0]);
        const bool control = byte < 0x20 || byte == 0x7f;
        const std::size_t length = control ? 0 : utf8_length(text);
        if (length == 0) {
            fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte);
            text.remove_prefix(1);
        } else {
            result += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return result;
}

}  // namespace modem
