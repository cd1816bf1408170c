// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

/// Bytes as a person reads them: printable ASCII as it is, the rest as C escapes.
std::string escape(std::string_view bytes);

/// A JSON string literal with its quotes; bytes above 0x7F pass as they are.
std::string json_string(std::string_view text);

std::string upper(std::string_view text);
std::string_view trim(std::string_view text);

/// The words of a control line: separated by blanks.
std::vector<std::string> words(std::string_view line);

/// The whole text as a decimal number, or nothing.
std::optional<std::uint64_t> number(std::string_view text);

/// One value of an AT command's argument list.
struct Argument {
    std::string text;
    bool quoted = false;
    /// An optional field that was left out: `,,`.
    [[nodiscard]] bool empty() const { return text.empty() && !quoted; }
};

/// `"a","b",,21` to its fields; nothing when a quote is not closed or something follows it.
std::optional<std::vector<Argument>> split_arguments(std::string_view text);

/// One AT command as V.250 cuts a command line: `AT+NAME=args` is name "+NAME", kind set.
struct Command {
    enum class Kind { execute, read, test, set };
    std::string name;
    Kind kind = Kind::execute;
    std::string text;  ///< what follows `=`, as it came
    std::optional<std::vector<Argument>> arguments;

    [[nodiscard]] bool is(std::string_view what) const { return name == what; }
    /// Argument `index` or an empty one; only on well-formed arguments.
    [[nodiscard]] const Argument& at(std::size_t index) const;
    [[nodiscard]] std::size_t count() const { return arguments ? arguments->size() : 0; }
    /// Argument `index` as a number within [low, high]; `missing` when it was left out.
    [[nodiscard]] std::optional<std::uint64_t> number_at(
        std::size_t index, std::uint64_t low, std::uint64_t high,
        std::optional<std::uint64_t> missing = std::nullopt) const;
};

/// The commands of one line (after `AT`): basic ones and `;`-separated extended ones. Nothing
/// when the line is no command line.
std::optional<std::vector<Command>> split_command_line(std::string_view line);

}  // namespace emulator
