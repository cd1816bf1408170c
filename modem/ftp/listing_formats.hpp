// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "modem/ftp/listing_dates.hpp"
#include "modem/ftp/types.hpp"

/// The formats that servers print, one function each. Pure. Nothing: not this format.
namespace modem::listing_formats {

/// `ls -l`: "-rw-r--r--   1 ftp  ftp   1234 Jan 31 12:00 name".
[[nodiscard]] std::optional<Entry> unix_style(std::string_view line, const Dates& dates);
/// MS-DOS and IIS: "02-29-24  03:15PM       <DIR>          name".
[[nodiscard]] std::optional<Entry> dos(std::string_view line, const Dates& dates);
/// Easily Parsed LIST Format: "+i8388621.48594,m825718503,r,s280,\tname".
[[nodiscard]] std::optional<Entry> eplf(std::string_view line);

}  // namespace modem::listing_formats
