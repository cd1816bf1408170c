// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "modem/ftp/dialect.hpp"

namespace modem {

/// All families, in the order in which they are tried. Explicit: a static library's linker would
/// drop self-registering objects.
[[nodiscard]] std::span<const DialectEntry> dialects();
[[nodiscard]] const DialectEntry* find_dialect(std::string_view name);

}  // namespace modem
