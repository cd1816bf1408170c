// SPDX-License-Identifier: MIT
#include "modem/ftp/listing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>

namespace modem {
namespace {

std::time_t utc(std::tm tm) {
    return ::timegm(&tm);
}

std::time_t at(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
    std::tm tm{};
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    return ::timegm(&tm);
}

const std::time_t now = at(2024, 6, 15, 12, 0);

struct Row {
    const char* line;
    const char* name;
    EntryKind kind;
    std::uint64_t size;
    std::time_t mtime;
    const char* target = "";
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.line;
}

class Lines : public testing::TestWithParam<Row> {};

TEST_P(Lines, BecomeEntries) {
    const Row& row = GetParam();
    const auto entry = parse_listing_line(row.line, now, utc);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->name, row.name);
    EXPECT_EQ(entry->kind, row.kind);
    EXPECT_EQ(entry->size, row.size);
    EXPECT_EQ(entry->mtime, row.mtime);
    EXPECT_EQ(entry->target, row.target);
}

constexpr auto file = EntryKind::file;
constexpr auto directory = EntryKind::directory;
constexpr auto symlink = EntryKind::symlink;
constexpr auto other = EntryKind::other;

const Row unix_lines[] = {
    // vsftpd, ProFTPD, Pure-FTPd, pyftpdlib, FileZilla Server
    {"-rw-r--r--    1 1000     1000           12 Jun 14 11:23 hello.txt", "hello.txt", file, 12,
     at(2024, 6, 14, 11, 23)},
    {"drwxr-xr-x    2 0        0            4096 Jan 31  2023 pub", "pub", directory, 4096,
     at(2023, 1, 31)},
    {"-rw-r--r--   1 alice    users     5368709120 Jun  1 09:05 big.img", "big.img", file,
     5368709120, at(2024, 6, 1, 9, 5)},
    {"drwxr-xr-x    3 0          0                4096 Jun 14 11:23 .", ".", directory, 4096,
     at(2024, 6, 14, 11, 23)},
    {"-rw-rw-rw- 1 ftp ftp             1234 Feb 29  2024 leap.log", "leap.log", file, 1234,
     at(2024, 2, 29)},
    {"-rwxrwxrwx   1 owner    group            1234 Feb 29 12:34 iis.txt", "iis.txt", file, 1234,
     at(2024, 2, 29, 12, 34)},
    // without group; without owner and group
    {"-rw-r--r--   1 alice     77 May  2 10:00 nogroup", "nogroup", file, 77,
     at(2024, 5, 2, 10, 0)},
    {"-rw-r--r-- 77 May  2 10:00 bare", "bare", file, 77, at(2024, 5, 2, 10, 0)},
    // owners with blanks, an owner that is a month's name
    {"-rw-r--r--   1 Domain Users staff of it 9 May  2 10:00 x", "x", file, 9,
     at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 may      jun             9 May  2 10:00 x", "x", file, 9,
     at(2024, 5, 2, 10, 0)},
    // names
    {"-rw-r--r--   1 a b 9 May  2 10:00 two words.txt", "two words.txt", file, 9,
     at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2 10:00   leading", "  leading", file, 9, at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2  2020  one", " one", file, 9, at(2020, 5, 2)},
    {"-rw-r--r--   1 a b 9 May  2 10:00 trailing ", "trailing ", file, 9, at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2 10:00 7 Jan 31 12:00 x", "7 Jan 31 12:00 x", file, 9,
     at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2 10:00 2020 report", "2020 report", file, 9,
     at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2 10:00 a -> b", "a -> b", file, 9, at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--   1 a b 9 May  2 10:00 \xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", file, 9,
     at(2024, 5, 2, 10, 0)},
    // symlinks
    {"lrwxrwxrwx   1 a b 7 May  2 10:00 link -> target/x", "link", symlink, 7,
     at(2024, 5, 2, 10, 0), "target/x"},
    {"lrwxrwxrwx   1 a b 7 May  2 10:00 lost", "lost", symlink, 7, at(2024, 5, 2, 10, 0)},
    // devices, sockets, pipes
    {"brw-rw----   1 root disk 8, 0 May  2 10:00 sda", "sda", other, 0, at(2024, 5, 2, 10, 0)},
    {"crw-rw-rw-   1 root root 1,   3 May  2 10:00 null", "null", other, 0, at(2024, 5, 2, 10, 0)},
    {"crw-rw-rw-   1 root root 1,3 May  2 10:00 null", "null", other, 0, at(2024, 5, 2, 10, 0)},
    {"prw-r--r--   1 root root 0 May  2 10:00 pipe", "pipe", other, 0, at(2024, 5, 2, 10, 0)},
    {"srwxr-xr-x   1 root root 0 May  2 10:00 sock", "sock", other, 0, at(2024, 5, 2, 10, 0)},
    // sticky, setuid, ACL and context marks
    {"drwxrwxrwt   1 root root 40 May  2 10:00 tmp", "tmp", directory, 40, at(2024, 5, 2, 10, 0)},
    {"drwxrwx--T   1 root root 40 May  2 10:00 t", "t", directory, 40, at(2024, 5, 2, 10, 0)},
    {"-rwsr-Sr-x   1 root root 40 May  2 10:00 su", "su", file, 40, at(2024, 5, 2, 10, 0)},
    {"-rw-rw-r--+  1 root root 40 May  2 10:00 acl", "acl", file, 40, at(2024, 5, 2, 10, 0)},
    {"-rw-r--r--.  1 root root 40 May  2 10:00 se", "se", file, 40, at(2024, 5, 2, 10, 0)},
    // other dates
    {"-rw-r--r-- 1 root root 40 2024-01-31 12:00 iso", "iso", file, 40, at(2024, 1, 31, 12, 0)},
    {"-rw-r--r-- 1 root root 40 2024-01-31 12:00:05 iso", "iso", file, 40,
     at(2024, 1, 31, 12, 0, 5)},
    {"-rw-r--r-- 1 root root 40 2024-01-31 12:00:05.123456789 +0130 full", "full", file, 40,
     at(2024, 1, 31, 10, 30, 5)},
    {"-rw-r--r-- 1 root root 40 2024-01-31 12:00:05.000000000 -0500 full", "full", file, 40,
     at(2024, 1, 31, 17, 0, 5)},
    {"-rw-r--r-- 1 root root 40 31 Jan 12:00 day first", "day first", file, 40,
     at(2024, 1, 31, 12, 0)},
    {"-rw-r--r-- 1 root root 12 31 Jan  2020 x", "x", file, 12, at(2020, 1, 31)},
    {"-rw-r--r-- 1 root root 40 Jan 31 12:00:05 2020 sec", "sec", file, 40,
     at(2020, 1, 31, 12, 0, 5)},
    {"-rw-r--r-- 1 root root 40 Jan 31  9:05 short hour", "short hour", file, 40,
     at(2024, 1, 31, 9, 5)},
};
const Row dos_lines[] = {
    {"02-29-24  03:15PM       <DIR>          some dir", "some dir", directory, 0,
     at(2024, 2, 29, 15, 15)},
    {"02-29-24  12:15AM                  589 readme.htm", "readme.htm", file, 589,
     at(2024, 2, 29, 0, 15)},
    {"02-29-24  12:15PM                  589  blank", " blank", file, 589, at(2024, 2, 29, 12, 15)},
    {"02-29-2024  15:15       <DIR>          x", "x", directory, 0, at(2024, 2, 29, 15, 15)},
    {"12-31-1999  11:59PM           4294967296 old", "old", file, 4294967296,
     at(1999, 12, 31, 23, 59)},
    {"12-31-99  11:59PM                    1 old", "old", file, 1, at(1999, 12, 31, 23, 59)},
    {"02-29-24  03:15PM       <DIR>            two blanks", "  two blanks", directory, 0,
     at(2024, 2, 29, 15, 15)},
    {"02-29-24  03:15PM <DIR> near", "near", directory, 0, at(2024, 2, 29, 15, 15)},
    {"02-29-24  03:15PM       <JUNCTION>     link [C:\\data]", "link", symlink, 0,
     at(2024, 2, 29, 15, 15), "C:\\data"},
};
const Row eplf_lines[] = {
    {"+i8388621.48594,m825718503,r,s280,\tdjb.html", "djb.html", file, 280, 825718503},
    {"+i8388621.50690,m824255907,/,\t514 dir", "514 dir", directory, 0, 824255907},
    {"+m1,up644,\tnothing", "nothing", other, 0, 1},
};
INSTANTIATE_TEST_SUITE_P(Unix, Lines, testing::ValuesIn(unix_lines));
INSTANTIATE_TEST_SUITE_P(Dos, Lines, testing::ValuesIn(dos_lines));
INSTANTIATE_TEST_SUITE_P(Eplf, Lines, testing::ValuesIn(eplf_lines));

TEST(ListingLine, IsNothingWhenNoFormatExplainsIt) {
    for (const char* line : {"",
                             " ",
                             "hello",
                             "total",
                             "-rw-r--r--",
                             "-rw-r--r-- 1 a b 9",
                             "d",
                             "+noTab",
                             "-rw-r--r-- 1 a b x May 2 10:00 n",
                             "-rw-r--r-- 1 a b 9 Mai 2 10:00 n",
                             "-rw-r--r-- 1 a b 9 Feb 30 10:00 n",
                             "-rw-r--r-- 1 a b 9 May 2 24:00 n",
                             "-rw-r--r-- 1 a b 9 Feb 29  2023 n",
                             "-rw-r--r-- 1 a b 9 2024-13-01 12:00 n",
                             "-rw-r--r-- 1 a b 99999999999999999999 May 2 10:00 n",
                             "13-01-24  03:15PM <DIR> x",
                             "02-29-23  03:15PM 1 x",
                             "02-29-24  13:15PM 1 x",
                             "02-29-24  03:15PM size x",
                             "226 Directory send OK.",
                             "/pub:",
                             " -rw-r--r-- 1 a b 9 May  2 10:00 indented",
                             "-rw-r--r-- 1 a b -9 May  2 10:00 negative"}) {
        EXPECT_FALSE(parse_listing_line(line, now, utc).has_value()) << line;
    }
}

struct YearCase {
    std::time_t now;
    const char* date;
    std::time_t expected;
};
class Years : public testing::TestWithParam<YearCase> {};

TEST_P(Years, AreTheLatestThatIsNotInTheFuture) {
    const YearCase& row = GetParam();
    const std::string line = std::string("-rw-r--r-- 1 a b 9 ") + row.date + " n";
    const auto entry = parse_listing_line(line, row.now, utc);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->mtime, row.expected);
}

const YearCase years[] = {
    // seen just after New Year: December is last year's
    {at(2024, 1, 1, 0, 5), "Dec 31 23:59", at(2023, 12, 31, 23, 59)},
    {at(2024, 1, 1, 0, 5), "Jan  1 00:04", at(2024, 1, 1, 0, 4)},
    // the server's clock or zone is ahead of ours: next year's first day is tomorrow
    {at(2023, 12, 31, 23, 0), "Jan  1 00:30", at(2024, 1, 1, 0, 30)},
    {at(2023, 12, 31, 23, 0), "Jan  1 22:59", at(2024, 1, 1, 22, 59)},
    // more than a day ahead: last year's
    {at(2023, 12, 31, 23, 0), "Jan  1 23:01", at(2023, 1, 1, 23, 1)},
    {at(2023, 12, 31, 23, 0), "Dec 31 23:30", at(2023, 12, 31, 23, 30)},
    {at(2024, 6, 15, 12, 0), "Jun 16 11:59", at(2024, 6, 16, 11, 59)},
    {at(2024, 6, 15, 12, 0), "Jun 16 12:01", at(2023, 6, 16, 12, 1)},
    {at(2024, 6, 15, 12, 0), "Jul  1 00:00", at(2023, 7, 1)},
    // the 29th of February is of the last leap year
    {at(2024, 3, 1, 0, 0), "Feb 29 10:00", at(2024, 2, 29, 10, 0)},
    {at(2025, 1, 1, 0, 0), "Feb 29 10:00", at(2024, 2, 29, 10, 0)},
    {at(2024, 2, 28, 12, 0), "Feb 29 11:00", at(2024, 2, 29, 11, 0)},
    {at(2024, 1, 28, 12, 0), "Feb 29 11:00", at(2020, 2, 29, 11, 0)},
};
INSTANTIATE_TEST_SUITE_P(NewYear, Years, testing::ValuesIn(years));

TEST(ListingLine, AsksTheServersTimeZone) {
    const auto hour_east = [](std::tm tm) { return ::timegm(&tm) - 3600; };
    EXPECT_EQ(parse_listing_line("-rw-r--r-- 1 a b 9 Jun  1 10:00 n", now, hour_east)->mtime,
              at(2024, 6, 1, 9, 0));
    EXPECT_EQ(parse_listing_line("+m1700000000,r,\tn", now, hour_east)->mtime, 1700000000);
}

Listing parse(std::string_view text, std::size_t cut = 0) {
    ListingParser parser(now, utc);
    if (cut == 0) {
        EXPECT_TRUE(parser.feed(text).has_value());
    } else {
        for (std::size_t i = 0; i < text.size(); i += cut) {
            EXPECT_TRUE(parser.feed(text.substr(i, cut)).has_value());
        }
    }
    return parser.finish().value();
}

constexpr std::string_view mixed =
    "total 12\r\n"
    "drwxr-xr-x 2 a b 40 May  2 10:00 .\r\n"
    "drwxr-xr-x 2 a b 40 May  2 10:00 ..\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 one\r\n"
    "\r\n"
    "what is this\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 a/b\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 \r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 esc\x1b[2J\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 cr\rAT+CFUN=0\r\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 del\x7f\r\n"
    "+r,s1,\t../../etc/passwd\n"
    "-rw-r--r-- 1 a b 9 May  2 10:00 last";

TEST(Listing, DropsAndCountsWhatItMust) {
    const Listing listing = parse(mixed);
    ASSERT_EQ(listing.entries.size(), 2U);
    EXPECT_EQ(listing.entries[0].name, "one");
    EXPECT_EQ(listing.entries[1].name, "last");
    EXPECT_EQ(listing.skipped, 1U);
    EXPECT_EQ(listing.harmful, 7U);
    EXPECT_TRUE(listing.shows_dot_entries);
}

TEST(Listing, IsTheSameHoweverTheTextIsCut) {
    const Listing whole = parse(mixed);
    for (std::size_t cut = 1; cut < 60; ++cut) {
        const Listing pieces = parse(mixed, cut);
        EXPECT_EQ(pieces.entries, whole.entries) << cut;
        EXPECT_EQ(pieces.skipped, whole.skipped) << cut;
        EXPECT_EQ(pieces.harmful, whole.harmful) << cut;
    }
}

TEST(Listing, MayBeEmpty) {
    EXPECT_TRUE(parse("").entries.empty());
    EXPECT_TRUE(parse("total 0\r\n").entries.empty());
    EXPECT_EQ(parse("total 0\r\n").skipped, 0U);
    EXPECT_FALSE(parse("total 0\r\n").shows_dot_entries);
}

TEST(Listing, RefusesAnEndlessLine) {
    ListingParser parser(now, utc);
    const std::string piece(1000, 'x');
    Result<void> result;
    for (int i = 0; i < 20 && result; ++i) {
        result = parser.feed(piece);
    }
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::too_large);
}

// The cost of a listing is counted in calls of to_epoch, not in seconds: a few a line, and none of
// the lines is looked at twice.
TEST(Listing, CostsTheSameForEachLine) {
    constexpr std::size_t lines = 100'000;
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) {
        text += "-rw-r--r--    1 1000     1000           12 Nov 21 11:23 file" + std::to_string(i) +
                "\r\n";
    }
    std::size_t calls = 0;
    ListingParser parser(now, [&calls](std::tm tm) {
        ++calls;
        return ::timegm(&tm);
    });
    for (std::size_t i = 0; i < text.size(); i += 1024) {
        ASSERT_TRUE(parser.feed(std::string_view(text).substr(i, 1024)).has_value());
    }
    const Listing listing = parser.finish().value();
    EXPECT_EQ(listing.entries.size(), lines);
    EXPECT_LE(calls, 2 * lines);
}

}  // namespace
}  // namespace modem
