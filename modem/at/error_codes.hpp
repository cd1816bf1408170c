// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "modem/result.hpp"

namespace modem {

/// One row of a table of module errors: number, our code, words.
struct ErrorCode {
    int number;
    Errc code;
    std::string_view words;
};

/// +CME ERROR numbers of 3GPP TS 27.007 section 9.2 and those vendors share.
[[nodiscard]] std::span<const ErrorCode> cme_errors();
/// +CMS ERROR numbers (3GPP TS 27.005): words only ever show up in messages.
[[nodiscard]] std::span<const ErrorCode> cms_errors();

/// Looks a number up; the words become "SIM not inserted (+CME ERROR: 10)".
/// Unknown numbers: Errc::refused.
[[nodiscard]] Error cme_error(int number, std::span<const ErrorCode> vendor = {});
/// The same for the verbose form (AT+CMEE=2), by its words, whatever their case.
[[nodiscard]] Error cme_error(std::string_view words, std::span<const ErrorCode> vendor = {});
/// "SIM PIN required (+CMS ERROR: 311)".
[[nodiscard]] Error cms_error(int number);

}  // namespace modem
