// SPDX-License-Identifier: MIT
#include "tests/emulator/quirks.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

constexpr std::array common{
    Quirk{"blank", "yes|no|mixed", "a blank after the colon of `+NAME: value`"},
    Quirk{"creg-names", "own|creg", "`creg`: +CGREG? and +CEREG? are answered as +CREG:"},
    Quirk{"cme-text", "no|yes", "`yes`: words instead of numbers in +CME ERROR also with CMEE=1"},
    Quirk{"id", "plain|prefixed", "`prefixed`: +CGMI? and its kin answer `+CGMI: \"...\"`"},
    Quirk{"busy", "swallow|queue", "what is typed before a final result"},
    Quirk{"gap", "any|needed",
          "`needed`: a command that begins less than 20 ms after a final result is swallowed"},
    Quirk{"plus", "abort|ignore", "what +++ with its guard times does to a transfer"},
};

std::vector<std::string> readings(std::string_view values) {
    std::vector<std::string> out;
    while (true) {
        auto bar = values.find('|');
        out.emplace_back(values.substr(0, bar));
        if (bar == std::string_view::npos) {
            return out;
        }
        values.remove_prefix(bar + 1);
    }
}

}  // namespace

std::span<const Quirk> common_quirks() {
    return common;
}

void Quirks::add(std::span<const Quirk> table) {
    for (const auto& quirk : table) {
        auto first = readings(quirk.values).front();
        table_[std::string(quirk.name)] = quirk;
        chosen_[std::string(quirk.name)] = first.front() == '#' ? first.substr(1) : first;
    }
}

std::optional<std::string> Quirks::set(std::string_view text) {
    auto equals = text.find('=');
    std::string name(text.substr(0, equals));
    std::string value =
        equals == std::string_view::npos ? "" : std::string(text.substr(equals + 1));
    if (!table_.contains(name) && name.starts_with("no-")) {
        name.erase(0, 3);
        value = "no";
    }
    auto entry = table_.find(name);
    if (entry == table_.end()) {
        return fmt::format("no quirk is called \"{}\"", name);
    }
    auto allowed = readings(entry->second.values);
    if (value.empty()) {
        value = allowed.back() == allowed.front() ? "" : allowed[1];
    }
    if (allowed.front().front() == '#') {
        if (!emulator::number(value)) {
            return fmt::format("quirk {} wants a number", name);
        }
        chosen_[name] = value;
        return std::nullopt;
    }
    for (const auto& reading : allowed) {
        if (value == reading) {
            chosen_[name] = value;
            return std::nullopt;
        }
    }
    return fmt::format("quirk {} is one of {}", name, entry->second.values);
}

bool Quirks::is(std::string_view name, std::string_view value) const {
    auto found = chosen_.find(name);
    return found != chosen_.end() && found->second == value;
}

std::uint64_t Quirks::number(std::string_view name) const {
    auto found = chosen_.find(name);
    return found == chosen_.end() ? 0 : emulator::number(found->second).value_or(0);
}

std::string Quirks::describe() const {
    std::string out;
    for (const auto& [name, quirk] : table_) {
        out += fmt::format("  {}={}\n      {}\n", name, quirk.values, quirk.help);
    }
    return out;
}

}  // namespace emulator
