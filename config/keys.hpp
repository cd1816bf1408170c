// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "config/reader.hpp"
#include "config/values.hpp"

namespace config {

/// A size in bytes and octal permission bits: integers of the Config that are written as strings.
struct SizeField {
    std::uint64_t* value;
};
struct OctalField {
    unsigned* value;
};

/// Where a key's value goes; its type says how it is written.
using Field = std::variant<std::string*, std::vector<std::string>*, bool*, std::uint16_t*,
                           unsigned*, milliseconds*, SizeField, OctalField, FlowControl*,
                           TransferWay*, FtpMode*, Security*, UploadMode*, LogLevel*>;

enum class Effect { live, restart };

/// One key of the file.
struct Key {
    std::string_view name;  ///< "section.key"
    Effect effect = Effect::restart;
    Field (*field)(Config& config) = nullptr;
    Check check = nullptr;      ///< of a string, or of each string of a list
    std::uint64_t minimum = 0;  ///< of a number, a duration (milliseconds) or a size (bytes)
    std::uint64_t maximum = UINT64_MAX;
};

/// The one key whose value is never shown.
constexpr std::string_view secret_key = "ftp.password";

/// Every key there is, section by section.
[[nodiscard]] std::span<const Key> keys();
/// nullptr: no such key.
[[nodiscard]] const Key* find_key(std::string_view name);

/// Puts a value into the config. Error: what was found and what was expected.
[[nodiscard]] tl::expected<void, std::string> assign(const Key& key, const Value& value,
                                                     Config& config);
/// Says that a name is no key, and which one may have been meant.
[[nodiscard]] std::string unknown_key(std::string_view name);
[[nodiscard]] bool is_section(std::string_view name);

}  // namespace config
