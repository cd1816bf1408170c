// SPDX-License-Identifier: MIT
#pragma once

#include "modem/result.hpp"

namespace fusefs {

/// The errno that a program sees for a failure (modemftpd(8) has the table). Never 0. Pure.
[[nodiscard]] int to_errno(modem::Errc code);

}  // namespace fusefs
