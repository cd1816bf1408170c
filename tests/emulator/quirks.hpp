// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace emulator {

/// A place where a manual can be read in several ways, or where modules are known to differ.
struct Quirk {
    std::string_view name;
    /// The readings, `|` between them, the default first; `#N` is any number, N by default.
    std::string_view values;
    std::string_view help;
};

/// What every family has.
std::span<const Quirk> common_quirks();

/// The chosen reading of each quirk.
class Quirks {
public:
    void add(std::span<const Quirk> table);
    /// `name=value`; `name` alone takes the second reading, `no-name` one named "no". Returns what
    /// is wrong with it.
    [[nodiscard]] std::optional<std::string> set(std::string_view text);
    [[nodiscard]] bool is(std::string_view name, std::string_view value) const;
    [[nodiscard]] std::uint64_t number(std::string_view name) const;
    /// The table for --help.
    [[nodiscard]] std::string describe() const;

private:
    std::map<std::string, Quirk, std::less<>> table_;
    std::map<std::string, std::string, std::less<>> chosen_;
};

}  // namespace emulator
