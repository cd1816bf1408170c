// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "modem/at/error_codes.hpp"
#include "modem/at/event.hpp"

namespace modem {

/// A line as an Event: a final result code, CONNECT, NO CARRIER, or just a line. `form` is
/// updated. `vendor` are the family's own error numbers. Pure.
[[nodiscard]] Event classify(std::string_view line, ResultForm& form,
                             std::span<const ErrorCode> vendor);

}  // namespace modem
