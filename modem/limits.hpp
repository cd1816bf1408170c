// SPDX-License-Identifier: MIT
#pragma once

#include "modem/ftp/types.hpp"
#include "modem/job.hpp"
#include "modem/result.hpp"

namespace modem {

/// Whether this module can do what is asked, by its capabilities alone: not a byte is sent for what
/// it cannot. Errors: not_supported, name_too_long, not_representable. Pure.
[[nodiscard]] Result<void> check_limits(const Request& request, const Capabilities& capabilities);

}  // namespace modem
