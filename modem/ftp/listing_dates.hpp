// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "modem/ftp/listing.hpp"

namespace modem::listing_formats {

/// Takes a line apart at its blanks, from the left, without copying.
class Words {
public:
    explicit Words(std::string_view line) : rest_(line) {}
    /// The next word, empty at the end.
    std::string_view next();
    /// What follows the last word, its separator included.
    [[nodiscard]] std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// All of `text` as a decimal number.
[[nodiscard]] std::optional<std::uint64_t> number(std::string_view text);

/// Turns the dates of listings into UTC seconds.
class Dates {
public:
    Dates(std::time_t now, const ListingParser::ToEpoch& to_epoch)
        : now_(now), to_epoch_(to_epoch) {}

    /// `day` begins a date, its remaining words are taken from `words`: "Jan 31 12:00",
    /// "Jan 31  2024", "31 Jan 12:00", "2024-01-31 12:00", or as `ls --full-time` prints it.
    /// Nothing: no date here; `words` is then as it was.
    [[nodiscard]] std::optional<std::time_t> unix_date(std::string_view first, Words& words) const;
    /// "02-29-24 03:15PM", "02-29-2024 15:15".
    [[nodiscard]] std::optional<std::time_t> dos_date(std::string_view date,
                                                      std::string_view time) const;

private:
    [[nodiscard]] std::optional<std::time_t> iso_date(std::string_view date, Words& words) const;
    [[nodiscard]] std::optional<std::time_t> named_month(int month, unsigned day,
                                                         std::string_view time, Words& words) const;
    [[nodiscard]] std::time_t recent(std::tm time) const;
    std::time_t now_;
    const ListingParser::ToEpoch& to_epoch_;
};

}  // namespace modem::listing_formats
