// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "modem/result.hpp"

namespace modem {

/// A negative FTP reply (4xx, 5xx) as one of our errors: the code decides, and for 550 and 553 the
/// server's words (ENOENT, permission, exists, not empty, is a directory, in the wordings of the
/// common servers); `what` becomes "the server said: 550 …". RFC 959 section 4.2.
[[nodiscard]] Error reply_error(int reply, std::string_view text);

/// Code and text of a reply line ("550 No such file."), 0 when it is none.
[[nodiscard]] int reply_code(std::string_view line);

}  // namespace modem
