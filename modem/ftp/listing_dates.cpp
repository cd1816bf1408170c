// SPDX-License-Identifier: MIT
#include "modem/ftp/listing_dates.hpp"

#include <array>
#include <charconv>

namespace modem::listing_formats {
namespace {

constexpr std::time_t one_day = 86400;

// 0 for January; negative: no month.
int month_number(std::string_view word) {
    constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
    if (word.size() != 3) {
        return -1;
    }
    std::array<char, 3> lower{};
    for (std::size_t i = 0; i < lower.size(); ++i) {
        lower[i] = static_cast<char>(word[i] | 0x20);
    }
    for (std::size_t i = 0; i < months.size(); ++i) {
        if (months[i] == std::string_view(lower.data(), lower.size())) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool is_valid_day(int year, int month, int day) {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int most = days[static_cast<std::size_t>(month)] + (month == 1 && is_leap(year) ? 1 : 0);
    return day >= 1 && day <= most;
}

// Exactly `digits` digits at the front of `text`, which are taken off.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) {
        return std::nullopt;
    }
    int value = 0;
    for (const char digit : text.substr(0, digits)) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = value * 10 + (digit - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take_char(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

struct TimeOfDay {
    int hour = 0;
    int minute = 0;
    int second = 0;
    bool has_seconds = false;
    bool has_fraction = false;
};

// "9:05", "12:00", "12:00:59", "12:00:59.000000000", "03:15PM".
std::optional<TimeOfDay> parse_time(std::string_view text) {
    TimeOfDay time;
    const std::size_t colon = text.find(':');
    if (colon != 1 && colon != 2) {
        return std::nullopt;
    }
    const auto hour = take_digits(text, colon);
    const bool separated = take_char(text, ':');
    const auto minute = take_digits(text, 2);
    if (!hour || !separated || !minute) {
        return std::nullopt;
    }
    time.hour = *hour;
    time.minute = *minute;
    if (take_char(text, ':')) {
        const auto second = take_digits(text, 2);
        if (!second) {
            return std::nullopt;
        }
        time.second = *second;
        time.has_seconds = true;
        time.has_fraction = take_char(text, '.');
        if (time.has_fraction) {
            text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
        }
    }
    if (text == "AM" || text == "PM" || text == "am" || text == "pm") {
        if (time.hour < 1 || time.hour > 12) {
            return std::nullopt;
        }
        time.hour = time.hour % 12 + ((text.front() | 0x20) == 'p' ? 12 : 0);
        text = {};
    }
    if (!text.empty() || time.hour > 23 || time.minute > 59 || time.second > 60) {
        return std::nullopt;
    }
    return time;
}

std::tm broken_down(int year, int month, int day, const TimeOfDay& time) {
    std::tm tm{};
    tm.tm_year = year - 1900;
    tm.tm_mon = month;
    tm.tm_mday = day;
    tm.tm_hour = time.hour;
    tm.tm_min = time.minute;
    tm.tm_sec = time.second;
    tm.tm_isdst = -1;
    return tm;
}

// "+0100" as seconds east of UTC.
std::optional<std::time_t> zone_offset(std::string_view word) {
    if (word.size() != 5 || (word.front() != '+' && word.front() != '-')) {
        return std::nullopt;
    }
    const bool west = word.front() == '-';
    word.remove_prefix(1);
    const auto hours = take_digits(word, 2);
    const auto minutes = take_digits(word, 2);
    if (!hours || !minutes) {
        return std::nullopt;
    }
    const std::time_t seconds = std::time_t{*hours} * 3600 + std::time_t{*minutes} * 60;
    return west ? -seconds : seconds;
}

std::optional<int> four_digit_year(std::string_view word) {
    const auto year = word.size() == 4 ? take_digits(word, 4) : std::nullopt;
    return year && *year >= 1900 ? year : std::nullopt;
}

}  // namespace

std::string_view Words::next() {
    std::size_t first = rest_.find_first_not_of(' ');
    if (first == std::string_view::npos) {
        first = rest_.size();
    }
    rest_.remove_prefix(first);
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::time_t> Dates::unix_date(std::string_view first, Words& words) const {
    Words ahead = words;
    std::optional<std::time_t> found;
    if (const int month = month_number(first); month >= 0) {
        const auto day = number(ahead.next());
        if (day && *day >= 1 && *day <= 31) {
            found = named_month(month, static_cast<unsigned>(*day), ahead.next(), ahead);
        }
    } else if (first.size() == 10 && first[4] == '-') {
        found = iso_date(first, ahead);
    } else if (first.size() <= 2) {
        const auto day = number(first);
        if (day && *day >= 1 && *day <= 31) {
            const int month_after = month_number(ahead.next());
            if (month_after >= 0) {
                const auto mday = static_cast<unsigned>(*day);
                found = named_month(month_after, mday, ahead.next(), ahead);
            }
        }
    }
    if (found) {
        words = ahead;
    }
    return found;
}

std::optional<std::time_t> Dates::named_month(int month, unsigned day, std::string_view time,
                                              Words& words) const {
    const int mday = static_cast<int>(day);
    if (const auto year = four_digit_year(time)) {
        if (!is_valid_day(*year, month, mday)) {
            return std::nullopt;
        }
        return to_epoch_(broken_down(*year, month, mday, TimeOfDay{}));
    }
    const auto clock = parse_time(time);
    if (!clock || !is_valid_day(2000, month, mday)) {
        return std::nullopt;
    }
    if (clock->has_seconds) {  // "Jan 31 12:00:59 2024", as some `ls -T` print
        Words ahead = words;
        const auto year = four_digit_year(ahead.next());
        if (year && is_valid_day(*year, month, mday)) {
            words = ahead;
            return to_epoch_(broken_down(*year, month, mday, *clock));
        }
    }
    return recent(broken_down(0, month, mday, *clock));
}

// A date without a year is the latest one that is not more than a day in the future: the server's
// clock and time zone may be ahead of ours, also across New Year.
std::time_t Dates::recent(std::tm time) const {
    std::tm today{};
    ::gmtime_r(&now_, &today);
    const int this_year = today.tm_year + 1900;
    const bool new_year_ahead = today.tm_mon == 11 && time.tm_mon == 0;
    constexpr int leap_years_apart = 8;  // 1896 to 1904, 2096 to 2104
    for (int year = this_year + (new_year_ahead ? 1 : 0); year >= this_year - leap_years_apart;
         --year) {
        if (!is_valid_day(year, time.tm_mon, time.tm_mday)) {
            continue;
        }
        std::tm candidate = time;
        candidate.tm_year = year - 1900;
        const std::time_t when = to_epoch_(candidate);
        if (when <= now_ + one_day) {
            return when;
        }
    }
    return now_;
}

std::optional<std::time_t> Dates::iso_date(std::string_view date, Words& words) const {
    const auto year = take_digits(date, 4);
    const bool dash = take_char(date, '-');
    const auto month = take_digits(date, 2);
    const bool second_dash = take_char(date, '-');
    const auto day = take_digits(date, 2);
    if (!year || !dash || !month || !second_dash || !day || *month < 1 || *month > 12 ||
        !is_valid_day(*year, *month - 1, *day)) {
        return std::nullopt;
    }
    const auto time = parse_time(words.next());
    if (!time) {
        return std::nullopt;
    }
    std::tm tm = broken_down(*year, *month - 1, *day, *time);
    if (time->has_fraction) {  // only --full-time prints it, and then the zone follows
        Words ahead = words;
        if (const auto offset = zone_offset(ahead.next())) {
            words = ahead;
            return ::timegm(&tm) - *offset;
        }
    }
    return to_epoch_(tm);
}

std::optional<std::time_t> Dates::dos_date(std::string_view date, std::string_view time) const {
    const auto month = take_digits(date, 2);
    const bool dash = take_char(date, '-') || take_char(date, '/');
    const auto day = take_digits(date, 2);
    const bool second_dash = take_char(date, '-') || take_char(date, '/');
    const std::size_t year_digits = date.size();
    if (!month || !dash || !day || !second_dash || (year_digits != 2 && year_digits != 4)) {
        return std::nullopt;
    }
    auto year = take_digits(date, year_digits);
    const auto clock = parse_time(time);
    if (!year || !clock || *month < 1 || *month > 12) {
        return std::nullopt;
    }
    if (year_digits == 2) {
        *year += *year < 70 ? 2000 : 1900;
    }
    if (!is_valid_day(*year, *month - 1, *day)) {
        return std::nullopt;
    }
    return to_epoch_(broken_down(*year, *month - 1, *day, *clock));
}

}  // namespace modem::listing_formats
