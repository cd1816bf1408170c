// SPDX-License-Identifier: MIT
#include "tests/emulator/text.hpp"

#include <gtest/gtest.h>

#include "tests/emulator/quirks.hpp"
#include "tests/emulator/wire.hpp"

namespace emulator {
namespace {

using Kind = Command::Kind;

TEST(Escape, leaves_nothing_unreadable) {
    EXPECT_EQ(escape(std::string_view("a\r\n\0\x10\\\xC3", 7)), "a\\r\\n\\x00\\x10\\\\\\xc3");
}

TEST(Arguments, optional_fields_stay_in_their_places) {
    auto fields = split_arguments(R"("host","user","",,,21,0)");
    ASSERT_TRUE(fields);
    ASSERT_EQ(fields->size(), 7U);
    EXPECT_EQ((*fields)[0].text, "host");
    EXPECT_FALSE((*fields)[2].empty());
    EXPECT_TRUE((*fields)[3].empty());
    EXPECT_EQ((*fields)[5].text, "21");
}

TEST(Arguments, commas_in_quotes_belong_to_the_name) {
    auto fields = split_arguments(R"("a,b;c",1)");
    ASSERT_TRUE(fields);
    ASSERT_EQ(fields->size(), 2U);
    EXPECT_EQ((*fields)[0].text, "a,b;c");
}

TEST(Arguments, a_quote_that_is_not_closed_is_an_error) {
    EXPECT_FALSE(split_arguments("\"abc"));
    EXPECT_FALSE(split_arguments("\"abc\"d,1"));
}

TEST(CommandLine, basic_and_extended_commands_share_a_line) {
    auto commands = split_command_line("E0V1&K3S3=13+CMEE=2;+FTPLIST=\"a;b\";+CSQ;I");
    ASSERT_TRUE(commands);
    ASSERT_EQ(commands->size(), 8U);
    EXPECT_EQ((*commands)[0].name, "E");
    EXPECT_EQ((*commands)[0].number_at(0, 0, 1), 0U);
    EXPECT_EQ((*commands)[2].name, "&K");
    EXPECT_EQ((*commands)[3].name, "S3");
    EXPECT_EQ((*commands)[3].text, "13");
    EXPECT_EQ((*commands)[4].name, "+CMEE");
    EXPECT_EQ((*commands)[5].at(0).text, "a;b");
    EXPECT_EQ((*commands)[6].kind, Kind::execute);
    EXPECT_EQ((*commands)[7].name, "I");
}

TEST(CommandLine, forms) {
    auto of = [](std::string_view text) { return split_command_line(text)->front(); };
    EXPECT_EQ(of("+FTPOPEN?").kind, Kind::read);
    EXPECT_EQ(of("+FTPOPEN=?").kind, Kind::test);
    EXPECT_EQ(of("+ftplist").name, "+FTPLIST");
    EXPECT_EQ(of("+FTPREST=7").number_at(0, 0, 9), 7U);
    EXPECT_FALSE(of("+FTPREST=70").number_at(0, 0, 9));
    EXPECT_EQ(of("+FTPREST=").number_at(0, 0, 9, 3), 3U);
    EXPECT_FALSE(split_command_line("\x01"));
}

TEST(BaudClockTest, passes_ten_bits_a_byte_and_makes_up_for_late_wakeups) {
    BaudClock clock;
    clock.set_baud(10000);
    TimePoint start{std::chrono::seconds(100)};
    EXPECT_EQ(clock.allowance(start, 50), 0U);
    EXPECT_EQ(clock.allowance(start + milliseconds(7), 50), 7U);
    clock.passed(7);
    EXPECT_EQ(clock.allowance(start + milliseconds(40), 43), 33U);
    clock.passed(33);
    EXPECT_EQ(clock.allowance(start + milliseconds(40), 10), 0U);
    EXPECT_GE(clock.due(10), start + milliseconds(45));
    EXPECT_LE(clock.due(10), start + milliseconds(46));
}

TEST(BaudClockTest, an_idle_line_saves_nothing_up) {
    BaudClock clock;
    clock.set_baud(10000);
    TimePoint start{std::chrono::seconds(100)};
    EXPECT_EQ(clock.allowance(start, 5), 0U);
    clock.passed(5);
    EXPECT_EQ(clock.allowance(start + milliseconds(5), 0), 0U);
    EXPECT_EQ(clock.allowance(start + std::chrono::seconds(9), 100), 0U);
}

TEST(QuirkTable, default_name_value_and_negation) {
    Quirks quirks;
    quirks.add(common_quirks());
    EXPECT_TRUE(quirks.is("blank", "yes"));
    EXPECT_FALSE(quirks.set("no-blank"));
    EXPECT_TRUE(quirks.is("blank", "no"));
    EXPECT_FALSE(quirks.set("creg-names"));
    EXPECT_TRUE(quirks.is("creg-names", "creg"));
    EXPECT_TRUE(quirks.set("blank=perhaps"));
    EXPECT_TRUE(quirks.set("unheard-of"));
}

}  // namespace
}  // namespace emulator
