// SPDX-License-Identifier: MIT
#include "modem/at/parse.hpp"

#include <gmock/gmock.h>

namespace modem::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(parse_fields, prefix_and_fields_whatever_the_blanks) {
    for (const auto* const line : {"+FTPGET: 1,\"a b\",3", "+FTPGET:1,\"a b\",3",
                                   "+FTPGET : 1 , \"a b\" , 3 ", "+ FTPGET: 1,\"a b\",3"}) {
        const auto fields = parse_fields(line);
        EXPECT_EQ(fields.prefix, "+FTPGET") << line;
        EXPECT_THAT(fields.fields, ElementsAre("1", "a b", "3")) << line;
    }
}

TEST(parse_fields, odd_shapes) {
    EXPECT_EQ(parse_fields("RDY").prefix, "RDY");
    EXPECT_THAT(parse_fields("RDY").fields, IsEmpty());
    EXPECT_THAT(parse_fields("+X:").fields, IsEmpty());
    EXPECT_THAT(parse_fields("+X: ,1,").fields, ElementsAre("", "1", ""));
    EXPECT_THAT(parse_fields("+X: \"a,b\",\"\",\" c \"").fields, ElementsAre("a,b", "", " c "));
    EXPECT_THAT(parse_fields("+X: \"open, end").fields, ElementsAre("open, end"));
    EXPECT_THAT(parse_fields("+X: a b , c").fields, ElementsAre("a b", "c"));
    EXPECT_EQ(parse_fields("").prefix, "");
    EXPECT_EQ(parse_fields("+FTPPWD: 257 \"/a,b\" is cwd").rest, "257 \"/a,b\" is cwd");
    EXPECT_EQ(parse_fields("+X:  y").rest, " y");
}

TEST(parse_fields, numbers) {
    const auto fields = parse_fields("+X: 1,-7,+3,\"42\",4a,,99999999999999999999,+-1, 8 ");
    EXPECT_EQ(fields.number(0), 1);
    EXPECT_EQ(fields.number(1), -7);
    EXPECT_EQ(fields.number(2), 3);
    EXPECT_EQ(fields.number(3), 42);
    EXPECT_EQ(fields.number(4), std::nullopt);
    EXPECT_EQ(fields.number(5), std::nullopt);
    EXPECT_EQ(fields.number(6), std::nullopt);
    EXPECT_EQ(fields.number(7), std::nullopt);
    EXPECT_EQ(fields.number(8), 8);
    EXPECT_EQ(fields.number(9), std::nullopt);
    EXPECT_EQ(fields.text(3), "42");
    EXPECT_EQ(fields.text(20), "");
}

TEST(has_prefix, whole_names_only) {
    EXPECT_TRUE(has_prefix("+FTPGET: 1", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+FTPGET:1", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+FTPGET : 1", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+ FTPGET: 1", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+FTPGET=1", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+FTPGET", "+FTPGET"));
    EXPECT_TRUE(has_prefix("+aftp: 1", "+AFTP"));
    EXPECT_FALSE(has_prefix("+FTPGETX: 1", "+FTPGET"));
    EXPECT_FALSE(has_prefix("+FTPGE: 1", "+FTPGET"));
    EXPECT_FALSE(has_prefix("FTPGET: 1", "+FTPGET"));
    EXPECT_FALSE(has_prefix("+FTPGET 1", "+FTPGET"));
    EXPECT_FALSE(has_prefix("", "+FTPGET"));
}

TEST(printable, escapes_what_a_terminal_would_obey) {
    EXPECT_EQ(printable("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
              "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(printable("a\x1b[2J\r\n\x7f"), "a\\x1b[2J\\x0d\\x0a\\x7f");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");           // overlong
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
    EXPECT_EQ(printable("\xc2\x85"), "\\xc2\\x85");           // C1: next line
    EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
}

}  // namespace
}  // namespace modem::test
