// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

/// Checks of single values. Each returns what is wrong with it, to be put after the value ("is not
/// …; expected …"), or an empty string.
namespace config {

using Check = std::string (*)(const std::string& value);

/// Sent to the module between quotation marks: no control characters, no '"'.
[[nodiscard]] std::string check_line_text(const std::string& value);
/// The same, not empty.
[[nodiscard]] std::string check_line_name(const std::string& value);
/// An AT command: begins with AT, no control characters.
[[nodiscard]] std::string check_at_command(const std::string& value);
[[nodiscard]] std::string check_device(const std::string& value);
/// Absolute, or empty for "none".
[[nodiscard]] std::string check_optional_path(const std::string& value);
[[nodiscard]] std::string check_mount_path(const std::string& value);
/// An absolute path on the server.
[[nodiscard]] std::string check_remote_path(const std::string& value);
[[nodiscard]] std::string check_timezone(const std::string& value);
[[nodiscard]] std::string check_encoding(const std::string& value);
[[nodiscard]] std::string check_temporary_prefix(const std::string& value);
[[nodiscard]] std::string check_unit(const std::string& value);
[[nodiscard]] std::string check_program(const std::string& value);

/// The value as an error message shows it: quoted, control characters escaped, not too long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace config
