// SPDX-License-Identifier: MIT
#include "tests/emulator/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <memory>
#include <utility>

namespace emulator {

namespace {

bool printable(char c) {
    return c >= 0x20 && c < 0x7F;
}

bool letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool digit(char c) {
    return c >= '0' && c <= '9';
}

/// Where the extended command that starts at `from` ends: the next `;` outside quotes.
std::size_t extended_end(std::string_view line, std::size_t from) {
    bool quoted = false;
    for (auto at = from; at < line.size(); ++at) {
        if (line[at] == '"') {
            quoted = !quoted;
        } else if (line[at] == ';' && !quoted) {
            return at;
        }
    }
    return line.size();
}

Command parse_command(std::string name, std::string_view rest) {
    Command command;
    command.name = std::move(name);
    if (rest == "?") {
        command.kind = Command::Kind::read;
    } else if (rest == "=?") {
        command.kind = Command::Kind::test;
    } else if (!rest.empty() && rest.front() == '=') {
        command.kind = Command::Kind::set;
        command.text = rest.substr(1);
    }
    command.arguments = split_arguments(command.text);
    return command;
}

Command parse_extended(std::string_view text) {
    text = trim(text);
    auto end = std::min(text.find_first_of("=?"), text.size());
    return parse_command(upper(trim(text.substr(0, end))), text.substr(end));
}

/// A basic command: a letter, or `&` and a letter, or `Sn`, and its value.
std::size_t basic_end(std::string_view line, std::size_t from) {
    auto at = from;
    if (line[at] == '&' || line[at] == '\\' || line[at] == '%') {
        ++at;
    }
    bool s_register = at < line.size() && (line[at] == 'S' || line[at] == 's');
    ++at;
    while (at < line.size() && digit(line[at])) {
        ++at;
    }
    if (s_register && at < line.size() && line[at] == '=') {
        ++at;
        while (at < line.size() && digit(line[at])) {
            ++at;
        }
    }
    if (at < line.size() && line[at] == '?') {
        ++at;
    }
    return std::min(at, line.size());
}

Command parse_basic(std::string_view text) {
    std::size_t name_end = letter(text.front()) ? 1 : 2;
    bool s_register = upper(text.substr(0, 1)) == "S";
    while (s_register && name_end < text.size() && digit(text[name_end])) {
        ++name_end;
    }
    name_end = std::min(name_end, text.size());
    auto rest = text.substr(name_end);
    if (!rest.empty() && digit(rest.front())) {
        return parse_command(upper(text.substr(0, name_end)), fmt::format("={}", rest));
    }
    return parse_command(upper(text.substr(0, name_end)), rest);
}

}  // namespace

std::string escape(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (char c : bytes) {
        switch (c) {
            case '\r':
                out += "\\r";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\\':
                out += "\\\\";
                break;
            default:
                if (printable(c)) {
                    out += c;
                } else {
                    fmt::format_to(std::back_inserter(out), "\\x{:02x}",
                                   static_cast<unsigned char>(c));
                }
        }
    }
    return out;
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> out;
    std::string word;
    for (char c : line) {
        if (c != ' ' && c != '\t' && c != '\r') {
            word += c;
        } else if (!word.empty()) {
            out.push_back(std::exchange(word, {}));
        }
    }
    if (!word.empty()) {
        out.push_back(word);
    }
    return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto* end = std::to_address(text.end());
    auto [at, error] = std::from_chars(std::to_address(text.begin()), end, value);
    if (error != std::errc{} || at != end || text.empty()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::vector<Argument>> split_arguments(std::string_view text) {
    std::vector<Argument> out;
    if (text.empty()) {
        return out;
    }
    std::size_t at = 0;
    while (true) {
        Argument argument;
        while (at < text.size() && text[at] == ' ') {
            ++at;
        }
        if (at < text.size() && text[at] == '"') {
            auto close = text.find('"', at + 1);
            if (close == std::string_view::npos) {
                return std::nullopt;
            }
            argument.quoted = true;
            argument.text = text.substr(at + 1, close - at - 1);
            at = close + 1;
            while (at < text.size() && text[at] == ' ') {
                ++at;
            }
            if (at < text.size() && text[at] != ',') {
                return std::nullopt;
            }
        } else {
            auto comma = std::min(text.find(',', at), text.size());
            argument.text = trim(text.substr(at, comma - at));
            at = comma;
        }
        out.push_back(std::move(argument));
        if (at >= text.size()) {
            return out;
        }
        ++at;
    }
}

const Argument& Command::at(std::size_t index) const {
    static const Argument missing;
    if (!arguments || index >= arguments->size()) {
        return missing;
    }
    return (*arguments)[index];
}

std::optional<std::uint64_t> Command::number_at(std::size_t index, std::uint64_t low,
                                                std::uint64_t high,
                                                std::optional<std::uint64_t> missing) const {
    const auto& argument = at(index);
    if (argument.text.empty()) {
        return missing;
    }
    auto value = number(argument.text);
    if (!value || *value < low || *value > high) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::vector<Command>> split_command_line(std::string_view line) {
    std::vector<Command> out;
    std::size_t at = 0;
    while (at < line.size()) {
        char c = line[at];
        if (c == ' ' || c == ';') {
            ++at;
        } else if (c == '+' || c == '^' || c == '*' || c == '$') {
            auto end = extended_end(line, at);
            out.push_back(parse_extended(line.substr(at, end - at)));
            at = end;
        } else if (c == 'D' || c == 'd') {
            // A dial string takes the rest of the line.
            out.push_back(parse_command("D", fmt::format("={}", line.substr(at + 1))));
            at = line.size();
        } else if (letter(c) || c == '&' || c == '\\' || c == '%') {
            auto end = basic_end(line, at);
            out.push_back(parse_basic(line.substr(at, end - at)));
            at = end;
        } else {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace emulator
