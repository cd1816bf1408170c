// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "modem/ftp/types.hpp"

namespace modem {

/// Turns the text of a LIST into entries, line by line as it arrives. Unix `ls -l` in its variants,
/// MS-DOS/IIS, EPLF; `total` lines are ignored, anything else is skipped and counted. Pure: no
/// clock, no environment.
class ListingParser {
public:
    /// `now` decides the year of `MMM dd hh:mm`; `to_epoch` turns the server's broken-down local
    /// time into UTC seconds (timegm for "UTC", mktime under TZ otherwise).
    using ToEpoch = std::function<std::time_t(std::tm)>;
    ListingParser(std::time_t now, ToEpoch to_epoch);

    /// Any cut of the text; lines may end in LF or CR LF. Errors: too_large beyond max_entries
    /// or a line longer than max_line.
    Result<void> feed(std::string_view text);
    /// The last line without an end, and the result. The parser is spent.
    Result<Listing> finish();

    static constexpr std::size_t max_entries = 1'000'000;
    static constexpr std::size_t max_line = 8192;

private:
    Result<void> line(std::string_view text);
    std::time_t now_;
    ToEpoch to_epoch_;
    std::string partial_;
    Listing listing_;
};

/// One line, for tests and for answers about a single file (where the name may be a whole path, as
/// the server was asked for it: it is given as printed, unchecked). Nothing: not understood.
[[nodiscard]] std::optional<Entry> parse_listing_line(std::string_view line, std::time_t now,
                                                      const ListingParser::ToEpoch& to_epoch);

}  // namespace modem
