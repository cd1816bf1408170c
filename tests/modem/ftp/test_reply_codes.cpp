// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <ostream>

#include "modem/ftp/reply_codes.hpp"

namespace modem {
namespace {

struct Row {
    const char* line;
    Errc code;
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.line;
}

class Replies : public testing::TestWithParam<Row> {};

TEST_P(Replies, BecomeErrors) {
    const Row& row = GetParam();
    const int number = reply_code(row.line);
    const Error error = reply_error(number, row.line);
    EXPECT_EQ(name(error.code), name(row.code));
    EXPECT_EQ(error.number, number);
    EXPECT_EQ(error.what, std::string("the server said: ") + row.line);
}

// By server, literally.
const Row vsftpd[] = {
    {"550 Create directory operation failed.", Errc::rejected},
    {"550 Remove directory operation failed.", Errc::rejected},
    {"550 Delete operation failed.", Errc::rejected},
    {"550 Failed to open file.", Errc::rejected},
    {"550 Failed to change directory.", Errc::rejected},
    {"550 Rename failed.", Errc::rejected},
    {"550 RNFR command failed.", Errc::rejected},
    {"550 Could not get file size.", Errc::rejected},
    {"550 Permission denied.", Errc::permission},
    {"553 Could not create file.", Errc::rejected},
    {"530 Login incorrect.", Errc::login_refused},
    {"530 Please login with USER and PASS.", Errc::login_refused},
    {"421 Timeout.", Errc::session_lost},
    {"425 Failed to establish connection.", Errc::data_connection},
    {"426 Failure writing network stream.", Errc::data_connection},
    {"451 Failure writing to local file.", Errc::server_busy},
    {"500 Unknown command.", Errc::not_supported},
};
const Row proftpd[] = {
    {"550 a.txt: No such file or directory", Errc::not_found},
    {"550 quota: No such file or directory", Errc::not_found},
    {"450 a.txt: No such file or directory", Errc::not_found},
    {"550 a.txt: Permission denied", Errc::permission},
    {"550 d: File exists", Errc::exists},
    {"550 d: Directory not empty", Errc::not_empty},
    {"550 d: Not a regular file", Errc::is_directory},
    {"550 a.txt: Not a directory", Errc::not_directory},
    {"553 a.txt: Operation not permitted", Errc::permission},
    {"552 Transfer aborted. Disk quota exceeded", Errc::no_space},
    {"451 a.txt: No space left on device", Errc::no_space},
    {"530 Login incorrect.", Errc::login_refused},
};
const Row pure_ftpd[] = {
    {"550 Can't open a.txt: No such file or directory", Errc::not_found},
    {"550 Can't change directory to x: No such file or directory", Errc::not_found},
    {"550 Can't create directory: File exists", Errc::exists},
    {"550 Can't remove directory: Directory not empty", Errc::not_empty},
    {"550 Could not delete d: Is a directory", Errc::is_directory},
    {"550 I can only retrieve regular files", Errc::is_directory},
    {"553 Can't open that file: Permission denied", Errc::permission},
    {"530 Login authentication failed", Errc::login_refused},
    {"421 10 users (the maximum) are already logged in, sorry", Errc::session_lost},
};
const Row windows[] = {
    {"550 The system cannot find the file specified. ", Errc::not_found},
    {"550 The system cannot find the path specified. ", Errc::not_found},
    {"550 Access is denied. ", Errc::permission},
    {"550 Cannot create a file when that file already exists. ", Errc::exists},
    {"550 The directory is not empty. ", Errc::not_empty},
    {"550 The directory name is invalid. ", Errc::not_directory},
    {"550 The process cannot access the file because it is being used by another process. ",
     Errc::server_busy},
    {"550 CWD failed. \"/x\": directory not found.", Errc::not_found},
    {"550 Directory already exists", Errc::exists},
    {"550 File not found", Errc::not_found},
};
const Row others[] = {
    {"550 No such file or directory.", Errc::not_found},
    {"550 Not enough privileges.", Errc::permission},
    {"550 Directory not empty.", Errc::not_empty},
    {"550 Is a directory.", Errc::is_directory},
    {"550 File exists.", Errc::exists},
    {"550 Requested action not taken. File unavailable (e.g., file not found, no access).",
     Errc::rejected},
    {"521 \"/d\" directory already exists", Errc::exists},
    {"521 /d", Errc::exists},
    {"452 Insufficient storage space in system", Errc::no_space},
    {"552 Exceeded storage allocation", Errc::no_space},
    {"532 Need account for storing files", Errc::login_refused},
    {"450 Busy", Errc::server_busy},
    {"502 Command not implemented", Errc::not_supported},
    {"503 Bad sequence of commands", Errc::rejected},
};
INSTANTIATE_TEST_SUITE_P(Vsftpd, Replies, testing::ValuesIn(vsftpd));
INSTANTIATE_TEST_SUITE_P(Proftpd, Replies, testing::ValuesIn(proftpd));
INSTANTIATE_TEST_SUITE_P(PureFtpd, Replies, testing::ValuesIn(pure_ftpd));
INSTANTIATE_TEST_SUITE_P(Windows, Replies, testing::ValuesIn(windows));
INSTANTIATE_TEST_SUITE_P(Others, Replies, testing::ValuesIn(others));

TEST(ReplyCode, IsThreeDigitsAndASeparator) {
    EXPECT_EQ(reply_code("550 No"), 550);
    EXPECT_EQ(reply_code("226"), 226);
    EXPECT_EQ(reply_code("220-hello"), 220);
    EXPECT_EQ(reply_code("5500 x"), 0);
    EXPECT_EQ(reply_code("55"), 0);
    EXPECT_EQ(reply_code("+FTP: 550"), 0);
    EXPECT_EQ(reply_code("699 x"), 0);
}

TEST(ReplyError, TakesTextWithAndWithoutItsNumber) {
    EXPECT_EQ(reply_error(550, "No such file").what, "the server said: 550 No such file");
    EXPECT_EQ(reply_error(550, "").what, "the server said: 550");
    EXPECT_EQ(reply_error(550, "a\x1b[2J").what.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace modem
