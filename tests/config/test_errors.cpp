// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "config/config.hpp"

namespace config {
namespace {

constexpr const char* good =
    "[line]\n"                      // 1
    "device = \"/dev/ttyUSB2\"\n"   // 2
    "[ftp]\n"                       // 3
    "host = \"ftp.example.com\"\n"  // 4
    "user = \"gateway\"\n"          // 5
    "[mount]\n"                     // 6
    "path = \"/mnt/site\"\n";       // 7

/// One line added to a good config (as its line 8 and 9), and the message it leads to.
struct Case {
    const char* section;
    const char* text;
    const char* message;
};

std::string message_of(const std::string& text) {
    const auto config = parse(text, "site.toml");
    return config ? "no error" : config.error().message();
}

class ErrorTest : public testing::TestWithParam<Case> {};

TEST_P(ErrorTest, SaysWhereWhatWasFoundAndWhatWasExpected) {
    // As dotted keys at the top every section can be written to once more.
    const std::string text = std::string(GetParam().section) + "." + GetParam().text + "\n";
    std::string rest;
    for (const std::string line : {"line.device = \"/dev/ttyUSB2\"\n", "ftp.host = \"h\"\n",
                                   "ftp.user = \"u\"\n", "mount.path = \"/m\"\n"}) {
        rest += line.starts_with(text.substr(0, text.find('='))) ? "" : line;
    }
    EXPECT_EQ(message_of(rest + text),
              "site.toml:" + std::to_string(std::ranges::count(rest, '\n') + 1) + ":" +
                  GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Unknown, ErrorTest,
    testing::Values(
        Case{"cache", "directory-tll = \"1s\"",
             "7: `cache.directory-tll`: unknown key; did you mean `directory-ttl`?"},
        Case{"cache", "directory_ttl = \"1s\"",
             "7: `cache.directory_ttl`: unknown key; did you mean `directory-ttl`?"},
        Case{"mount", "directory-ttl = \"1s\"",
             "7: `mount.directory-ttl`: unknown key; `directory-ttl` belongs into [cache]"},
        Case{"cache", "colour = 1",
             "7: `cache.colour`: unknown key; expected one of: directory-ttl, size"},
        Case{"chache", "size = \"1M\"", "1: `chache`: unknown section; did you mean [cache]?"},
        Case{"zzz", "size = \"1M\"",
             "1: `zzz`: unknown section; expected one of [line], [modem], [ftp], [mount], "
             "[cache], [upload], [link], [log]"}));

INSTANTIATE_TEST_SUITE_P(
    WrongType, ErrorTest,
    testing::Values(
        Case{"line", "baud = \"fast\"",
             "13: `line.baud`: \"fast\" is a string; expected an integer"},
        Case{"line", "baud = 1.5",
             "13: `line.baud`: the value is a floating-point number; expected an integer"},
        Case{"ftp", "host = 7", "12: `ftp.host`: 7 is an integer; expected a string"},
        Case{"ftp", "ask-unknown = \"yes\"",
             "19: `ftp.ask-unknown`: \"yes\" is a string; expected true or false"},
        Case{"modem", "init = \"AT\"",
             "14: `modem.init`: \"AT\" is a string; expected an array of strings"},
        Case{"modem", "init = [\"AT\", 3]",
             "14: `modem.init`: the value is an array with an integer as element 2; expected an "
             "array of strings"},
        Case{"cache", "directory-ttl = 60",
             "23: `cache.directory-ttl`: 60 is an integer; expected a duration such as \"60s\", "
             "\"2min\", \"1h\""},
        Case{"cache", "size = 4096",
             "14: `cache.size`: 4096 is an integer; expected a size such as \"64M\", \"1G\""},
        Case{"mount", "umask = 22",
             "15: `mount.umask`: 22 is an integer; expected octal digits in quotation marks, such "
             "as \"022\""},
        Case{"upload", "mode = true",
             "15: `upload.mode`: true is a boolean; expected one of \"on-close\", \"background\""},
        Case{"log", "trace = 1979-05-27",
             "13: `log.trace`: the value is a date or time; expected a string"},
        Case{"log", "trace.x = 1", "5: `log.trace`: the value is a table; expected a string"}));

INSTANTIATE_TEST_SUITE_P(
    BadValue, ErrorTest,
    testing::Values(
        Case{"cache", "directory-ttl = \"5 parsecs\"",
             "23: `cache.directory-ttl`: \"5 parsecs\" is not a duration; expected e.g. \"60s\", "
             "\"2min\", \"1h\""},
        Case{"link", "timeout = \"10ms\"",
             "16: `link.timeout`: \"10ms\" is too short; expected at least \"1000ms\""},
        Case{
            "cache", "size = \"lots\"",
            "14: `cache.size`: \"lots\" is not a size; expected e.g. \"300K\", \"64M\", \"1G\", or "
            "bytes as \"4096\""},
        Case{"upload", "spool-size = \"1K\"",
             "21: `upload.spool-size`: \"1K\" is too small; expected at least \"4096\""},
        Case{"line", "baud = 0", "13: `line.baud`: 0 is out of range; expected 300 to 4000000"},
        Case{"ftp", "port = 65536", "12: `ftp.port`: 65536 is out of range; expected 1 to 65535"},
        Case{"mount", "uid = -1", "13: `mount.uid`: -1 is out of range; expected 0 to 4294967294"},
        Case{
            "mount", "umask = \"0999\"",
            "15: `mount.umask`: \"0999\" is not a umask; expected octal digits in quotation marks, "
            "such as \"022\""},
        Case{
            "line", "flow-control = \"rts\"",
            "21: `line.flow-control`: \"rts\" is not known; expected one of \"none\", \"rts-cts\", "
            "\"xon-xoff\""},
        Case{"line", "device = \"ttyUSB2\"",
             "15: `line.device`: \"ttyUSB2\" is not a line; expected \"/dev/…\", \"unix:/path\" or "
             "\"tcp:host:port\""},
        Case{"line", "device = \"tcp:box:0\"",
             "15: `line.device`: \"tcp:box:0\" has no port from 1 to 65535 at its end; expected "
             "\"tcp:host:port\""},
        Case{"ftp", "root = \"data\"",
             "12: `ftp.root`: \"data\" is not an absolute path on the server; expected \"/…\" "
             "without \".\" and \"..\""},
        Case{"ftp", "timezone = \"Mars/Olympus\"",
             "16: `ftp.timezone`: \"Mars/Olympus\" is not a time zone in /usr/share/zoneinfo; "
             "expected e.g. \"UTC\" or \"Europe/Berlin\" (package tzdata)"},
        Case{"ftp", "timezone = \"../../../etc/passwd\"",
             "16: `ftp.timezone`: \"../../../etc/passwd\" is not a time zone in "
             "/usr/share/zoneinfo; expected e.g. \"UTC\" or \"Europe/Berlin\" (package tzdata)"},
        Case{"ftp", "encoding = \"EBCDIC-XX\"",
             "16: `ftp.encoding`: \"EBCDIC-XX\" is not an encoding that iconv knows; expected e.g. "
             "\"UTF-8\", \"ISO-8859-1\" (see iconv -l)"},
        Case{"mount", "path = \"mnt\"",
             "14: `mount.path`: \"mnt\" is not a mount point; expected an absolute path without "
             "\".\" and \"..\", not /"},
        Case{"upload", "temporary-prefix = \"a/b\"",
             "27: `upload.temporary-prefix`: \"a/b\" cannot begin a temporary name; expected 1 to "
             "32 characters without '/', blanks, '\"', control and glob characters, not beginning "
             "with '-'"},
        Case{"modem", "reset-unit = \"power cycle\"",
             "20: `modem.reset-unit`: \"power cycle\" is not a unit name; expected e.g. "
             "\"modem-reset.service\""},
        Case{"log", "trace = \"trace.at\"",
             "13: `log.trace`: \"trace.at\" is not an absolute path; expected \"/…\", or \"\" for "
             "none"}));

INSTANTIATE_TEST_SUITE_P(
    Injection, ErrorTest,
    testing::Values(
        Case{"ftp", "host = \"h\\rAT+CFUN=0\"",
             "12: `ftp.host`: \"h\\x0dAT+CFUN=0\" contains a control character or '\"', which must "
             "not reach the module"},
        Case{
            "ftp", "user = 'u\"x'",
            "12: `ftp.user`: \"u\\\"x\" contains a control character or '\"', which must not reach "
            "the module"},
        Case{"ftp", "password = \"secret\\n\"",
             "16: `ftp.password`: the value contains a control character or '\"', which must not "
             "reach the module"},
        Case{"modem", "apn = \"a\\u0001\"",
             "13: `modem.apn`: \"a\\x01\" contains a control character or '\"', which must not "
             "reach the module"},
        Case{"modem", "init = [\"AT+OK\", \"AT\\rATD\"]",
             "14: `modem.init`: the value has \"AT\\x0dATD\" in it, which is not an AT command; "
             "expected e.g. \"AT+CFUN=1\", without control characters"}));

TEST(Errors, MissingKeysPointToTheirSectionOrTheFile) {
    EXPECT_EQ(message_of(""),
              "site.toml: `line.device` is missing; expected e.g. device = \"/dev/ttyUSB2\"");
    EXPECT_EQ(message_of("\n[line]\nbaud = 9600\n"),
              "site.toml:2:1: `line.device` is missing; expected e.g. device = \"/dev/ttyUSB2\"");
    std::string text = good;
    text.replace(text.find("path"), std::string::npos, "");
    EXPECT_EQ(message_of(text),
              "site.toml:6:1: `mount.path` is missing; expected e.g. path = \"/mnt/site\"");
}

TEST(Errors, SyntaxPointsToThePlace) {
    const auto message = message_of(std::string(good) + "[cache\nsize = 1\n");
    EXPECT_TRUE(message.starts_with("site.toml:8:7: not valid TOML: ")) << message;
    const auto twice = message_of(std::string(good) + "path = \"/again\"\n");
    EXPECT_TRUE(twice.starts_with("site.toml:8:8: not valid TOML: ")) << twice;
}

TEST(Errors, AKeyOutsideOfEverySectionIsUnknown) {
    EXPECT_EQ(message_of("device = \"/dev/ttyUSB2\"\n"),
              "site.toml:1:1: `device`: unknown section; expected one of [line], [modem], [ftp], "
              "[mount], [cache], [upload], [link], [log]");
    EXPECT_EQ(message_of("line = 3\n"), "site.toml:1:8: `line`: expected a section, [line]");
    EXPECT_EQ(message_of("[[line]]\n"), "site.toml:1:1: `line`: expected a section, [line]");
}

TEST(Errors, TheFirstInTheTextIsReported) {
    EXPECT_EQ(message_of("[upload]\nmode = 1\n[cache]\nsize = 1\n"),
              "site.toml:2:8: `upload.mode`: 1 is an integer; expected one of \"on-close\", "
              "\"background\"");
}

TEST(Errors, TwoPasswordsAreOneTooMany) {
    EXPECT_EQ(message_of("[line]\ndevice = \"/dev/ttyS0\"\n[ftp]\nhost = \"h\"\nuser = \"u\"\n"
                         "password = \"p\"\npassword-file = \"/p\"\n[mount]\npath = \"/m\"\n"),
              "site.toml:6:12: `ftp.password` and `ftp.password-file` are both given; expected one "
              "of them");
}

TEST(Errors, AnEmptyProgramCannotPowerCycle) {
    EXPECT_EQ(message_of(std::string(good) + "[modem]\nreset-command = [\"\", \"x\"]\n"),
              "site.toml:9:17: `modem.reset-command`: the program is empty; expected e.g. "
              "[\"/usr/local/bin/power-cycle\", \"--modem\"]");
}

}  // namespace
}  // namespace config
