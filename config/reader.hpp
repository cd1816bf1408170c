// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace config {

/// A value of no type that any key takes, by its name ("a date", "a table").
struct OtherValue {
    std::string kind;
};
/// The header of a section: `[cache]`.
struct SectionValue {};
using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>, SectionValue,
                           OtherValue>;

/// One `key = value` of a file, or the header of a section.
struct Setting {
    std::string key;  ///< "section.key", or "section" alone
    Position key_at;
    Position value_at;
    Value value;
};

/// Flattens TOML text into settings in the order of the text. Knows nothing of any key. Errors:
/// what is not TOML.
[[nodiscard]] Result<std::vector<Setting>> read_toml(std::string_view text,
                                                     const std::filesystem::path& file);

}  // namespace config
