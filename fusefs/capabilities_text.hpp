// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "modem/ftp/types.hpp"

namespace fusefs {

/// Capabilities as one line for the ledger ("list store rename max_name=255 …"), so that the next
/// start knows them before the module has been identified. Pure.
[[nodiscard]] std::string to_text(const modem::Capabilities& capabilities);
/// Nothing when a word is not understood: then the identification will tell.
[[nodiscard]] std::optional<modem::Capabilities> capabilities_from_text(std::string_view text);

}  // namespace fusefs
