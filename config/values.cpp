// SPDX-License-Identifier: MIT
#include "config/values.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <limits>
#include <span>
#include <system_error>

#include "config/config.hpp"

namespace config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes a number and its unit off the front of `text`: value × factor. Nothing: neither is
/// there, or too large.
std::optional<std::uint64_t> take_quantity(std::string_view& text, std::span<const Unit> units) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return {};
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto letters = std::min(text.find_first_of(" 0123456789"), text.size());
    const auto unit = std::ranges::find(units, text.substr(0, letters), &Unit::name);
    if (unit == units.end() || number > std::numeric_limits<std::int64_t>::max() / unit->factor) {
        return {};
    }
    text.remove_prefix(letters);
    return number * unit->factor;
}

std::string port_problem(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool good =
        error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
    return good ? "" : "has no port from 1 to 65535 at its end; expected \"tcp:host:port\"";
}

bool has_dot_component(const std::string& path) {
    const std::string closed = path + '/';
    return closed.find("/../") != std::string::npos || closed.find("/./") != std::string::npos;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    static constexpr Unit units[] = {
        {"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    constexpr std::uint64_t ten_years = 3650ULL * 86'400'000;
    std::uint64_t sum = 0;
    do {
        const auto part = take_quantity(text, units);
        if (!part || *part > ten_years) {
            return {};
        }
        sum += *part;
        const bool more = text.starts_with(' ');
        if (!more && !text.empty() && !is_digit(text.front())) {
            return {};
        }
        text.remove_prefix(more ? 1 : 0);
        if (more && text.empty()) {
            return {};
        }
    } while (!text.empty());
    if (sum > ten_years) {
        return {};
    }
    return milliseconds(static_cast<std::int64_t>(sum));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    static constexpr Unit units[] = {
        {"", 1}, {"K", 1ULL << 10U}, {"M", 1ULL << 20U}, {"G", 1ULL << 30U}, {"T", 1ULL << 40U}};
    const auto size = take_quantity(text, units);
    return text.empty() ? size : std::nullopt;
}

bool is_instance_name(std::string_view name) {
    const auto allowed = [](char c) {
        return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    // A bus name has at most 255 characters, a file name as well.
    return !name.empty() && name.size() <= 200 && !is_digit(name.front()) &&
           std::ranges::all_of(name, allowed);
}

std::string check_line_text(const std::string& value) {
    if (std::ranges::any_of(value, [](char c) { return is_control(c) || c == '"'; })) {
        return "contains a control character or '\"', which must not reach the module";
    }
    return {};
}

std::string check_line_name(const std::string& value) {
    return value.empty() ? "is empty; expected a value" : check_line_text(value);
}

std::string check_at_command(const std::string& value) {
    const bool at = value.size() >= 2 && (value[0] == 'A' || value[0] == 'a') &&
                    (value[1] == 'T' || value[1] == 't');
    if (!at || std::ranges::any_of(value, is_control)) {
        return "is not an AT command; expected e.g. \"AT+CFUN=1\", without control characters";
    }
    return {};
}

std::string check_device(const std::string& value) {
    constexpr std::string_view expected =
        "is not a line; expected \"/dev/…\", \"unix:/path\" or \"tcp:host:port\"";
    if (std::ranges::any_of(value, is_control)) {
        return std::string(expected);
    }
    if (value.starts_with("tcp:")) {
        const auto colon = value.rfind(':');
        return colon > 4 ? port_problem(std::string_view(value).substr(colon + 1))
                         : std::string(expected);
    }
    const bool path = value.starts_with("unix:/") || value.starts_with('/');
    return path ? std::string() : std::string(expected);
}

std::string check_optional_path(const std::string& value) {
    if (value.empty() || (value.front() == '/' && std::ranges::none_of(value, is_control))) {
        return {};
    }
    return "is not an absolute path; expected \"/…\", or \"\" for none";
}

std::string check_mount_path(const std::string& value) {
    if (!value.starts_with('/') || value.find_first_not_of('/') == std::string::npos ||
        has_dot_component(value) || std::ranges::any_of(value, is_control)) {
        return "is not a mount point; expected an absolute path without \".\" and \"..\", not /";
    }
    return {};
}

std::string check_remote_path(const std::string& value) {
    if (!value.starts_with('/') || has_dot_component(value)) {
        return "is not an absolute path on the server; expected \"/…\" without \".\" and \"..\"";
    }
    return check_line_text(value);
}

std::string check_timezone(const std::string& value) {
    if (value == "UTC") {
        return {};
    }
    std::error_code error;
    if (value.empty() || value.front() == '/' || has_dot_component('/' + value) ||
        !std::filesystem::is_regular_file("/usr/share/zoneinfo/" + value, error)) {
        return "is not a time zone in /usr/share/zoneinfo; expected e.g. \"UTC\" or "
               "\"Europe/Berlin\" (package tzdata)";
    }
    return {};
}

std::string check_encoding(const std::string& value) {
    const iconv_t converter = iconv_open("UTF-8", value.c_str());
    const bool opened = std::bit_cast<std::intptr_t>(converter) != -1;
    if (opened) {
        iconv_close(converter);
    }
    // "" is what iconv takes for "that of the locale"; '\0' would hide the rest.
    const bool known = opened && !value.empty() && value.find('\0') == std::string::npos;
    return known ? ""
                 : "is not an encoding that iconv knows; expected e.g. \"UTF-8\", "
                   "\"ISO-8859-1\" (see iconv -l)";
}

std::string check_temporary_prefix(const std::string& value) {
    constexpr std::size_t longest = 32;
    if (value.empty() || value.size() > longest || value.front() == '-' ||
        value.find_first_of("/*?[]{}\\ ") != std::string::npos || !check_line_text(value).empty()) {
        return "cannot begin a temporary name; expected 1 to 32 characters without '/', blanks, "
               "'\"', control and glob characters, not beginning with '-'";
    }
    return {};
}

std::string check_unit(const std::string& value) {
    const auto allowed = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view(":-_.\\@").find(c) != std::string_view::npos;
    };
    const auto dot = value.rfind('.');
    const bool good = dot != std::string::npos && dot > 0 && dot + 1 < value.size() &&
                      value.size() < 256 && std::ranges::all_of(value, allowed);
    return value.empty() || good ? "" : "is not a unit name; expected e.g. \"modem-reset.service\"";
}

std::string check_program(const std::string& value) {
    return value.find('\0') == std::string::npos ? "" : "contains a NUL character";
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::size_t cut = std::min(text.size(), longest);
    while (cut > 0 && cut < text.size() && (static_cast<unsigned char>(text[cut]) >> 6U) == 2U) {
        --cut;  // not in the middle of a UTF-8 character
    }
    std::string out = "\"";
    for (const char c : text.substr(0, cut)) {
        if (is_control(c)) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + (cut < text.size() ? "…\"" : "\"");
}

}  // namespace config
