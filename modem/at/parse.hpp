// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace modem {

/// An information line taken apart: `+FTPGET: 1,"a b",3` → prefix "+FTPGET", fields
/// {"1","a b","3"}. Blanks after ':' and around ',' do not matter; quotes are removed; a line
/// without ':' has only a prefix. `rest` is everything after ':' (leading blank dropped) for text
/// answers that are no list.
struct Fields {
    std::string prefix;
    std::vector<std::string> fields;
    std::string rest;

    /// Field as an integer (sign allowed), or nothing when absent or no number.
    [[nodiscard]] std::optional<std::int64_t> number(std::size_t index) const;
    /// Field as text, empty when absent.
    [[nodiscard]] std::string_view text(std::size_t index) const;
};

[[nodiscard]] Fields parse_fields(std::string_view line);

/// True when `line` is `prefix` followed by ':' (with or without blanks), '=' or nothing.
[[nodiscard]] bool has_prefix(std::string_view line, std::string_view prefix);

/// Text shown to a person or a log: control characters, DEL and invalid UTF-8 as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace modem
