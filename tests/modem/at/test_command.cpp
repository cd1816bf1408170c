// SPDX-License-Identifier: MIT
#include "modem/at/command.hpp"

#include <gtest/gtest.h>

namespace modem::test {
namespace {

std::string text(const Command& command) {
    const auto result = command.text();
    return result ? std::string(*result) : std::string(name(result.error().code));
}

TEST(command, builds_argument_lists) {
    EXPECT_EQ(text("AT"), "AT");
    EXPECT_EQ(text(Command("AT+FTPLIST").quoted("/a b")), "AT+FTPLIST=\"/a b\"");
    EXPECT_EQ(
        text(Command("AT+FTPOPEN").quoted("h").quoted("u").secret("p").empty().empty().number(21)),
        "AT+FTPOPEN=\"h\",\"u\",\"p\",,,21");
    EXPECT_EQ(text(Command("AT+X").empty().number(1)), "AT+X=,1");
    EXPECT_EQ(text(Command("AT+X=").number(1).number(2)), "AT+X=1,2");
    EXPECT_EQ(text(Command("AT+SAPBR=3,1,\"APN\"").quoted("net")), "AT+SAPBR=3,1,\"APN\",\"net\"");
    EXPECT_EQ(text(Command("AT+F").raw("={non-ascii}").quoted("41").number(2)),
              "AT+F={non-ascii}\"41\",2");
    EXPECT_EQ(text(Command("AT+CPIN").bare("1234")), "AT+CPIN=1234");
    EXPECT_EQ(text(Command("AT+X").quoted("")), "AT+X=\"\"");
    EXPECT_EQ(text(Command("AT+X").quoted("\xc3\xa4\xff;,'\\")), "AT+X=\"\xc3\xa4\xff;,'\\\"");
}

TEST(command, masks_secrets_everywhere_but_on_the_line) {
    const auto command = Command("AT+FTPOPEN").quoted("h").secret("hush").bare_secret("1234");
    EXPECT_EQ(text(command), "AT+FTPOPEN=\"h\",\"hush\",1234");
    EXPECT_EQ(command.masked(), "AT+FTPOPEN=\"h\",\"***\",***");
    EXPECT_EQ(command.secrets(), (std::vector<std::string>{"hush", "1234"}));
}

TEST(command, no_control_character_and_no_quote_ever_gets_into_a_line) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string value{'a', static_cast<char>(byte), 'b'};
        const bool control = byte < 0x20 || byte == 0x7f;
        EXPECT_EQ(Command("AT+X").quoted(value).text().has_value(), !control && byte != '"')
            << byte;
        EXPECT_EQ(Command("AT+X").secret(value).text().has_value(), !control && byte != '"')
            << byte;
        EXPECT_EQ(Command::verbatim(value).text().has_value(), !control) << byte;
        EXPECT_EQ(Command("AT").raw(value).text().has_value(), !control) << byte;
        const bool bare = std::string_view("._-/").find(value[1]) != std::string_view::npos ||
                          (byte < 0x80 && std::isalnum(byte) != 0);
        EXPECT_EQ(Command("AT+X").bare(value).text().has_value(), bare) << byte;
        EXPECT_EQ(Command("AT+X").bare_secret(value).text().has_value(), bare) << byte;
    }
}

TEST(command, the_first_fault_is_told_without_the_secret) {
    const auto bad = Command("AT+FTPOPEN").quoted("h").secret("hu\rsh").quoted("\n").text();
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Errc::invalid_name);
    EXPECT_EQ(bad.error().what,
              "AT+FTPOPEN: a quoted argument with byte 0x0d cannot be sent to the modem");
}

TEST(command, counter_names_carry_no_data) {
    EXPECT_EQ(Command("AT+FTPLIST").quoted("x=?").counter_name(), "AT+FTPLIST");
    EXPECT_EQ(Command("AT+FTPOPEN?").counter_name(), "AT+FTPOPEN");
    EXPECT_EQ(Command("AT+FTPRECV=?").counter_name(), "AT+FTPRECV");
    EXPECT_EQ(Command("ATE0").counter_name(), "ATE0");
}

}  // namespace
}  // namespace modem::test
