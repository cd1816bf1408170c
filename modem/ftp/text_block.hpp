// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string_view>

#include "modem/at/channel.hpp"

namespace modem {

/// Reads text that a module sends in data mode, of a length that only its content tells, line by
/// line: `line` returns false when it was the last one. Lines end in LF, CR LF or ETX; blank ones
/// are dropped. DLE before DLE or ETX is an escape (some firmwares escape listings as they escape
/// files, some do not). `silence` is the longest pause allowed. Errors: as Channel::scan(), those
/// of `line`, and too_large for a line beyond any listing's.
Result<void> read_text_block(Channel& channel,
                             const std::function<Result<bool>(std::string_view)>& line,
                             milliseconds silence);

}  // namespace modem
