// SPDX-License-Identifier: MIT
#include "modem/at/trace.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/modem/at/scripted.hpp"

namespace modem::test {
namespace {

using testing::HasSubstr;
using testing::Not;
constexpr milliseconds soon{60'000};  ///< a script never lets anybody wait

class TraceFile : public testing::Test {
protected:
    void SetUp() override {
        auto pattern = (std::filesystem::temp_directory_path() / "modemftp-trace-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        path_ = directory_ / "line.trace";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string content() const {
        std::ostringstream text;
        text << std::ifstream(path_).rdbuf();
        return text.str();
    }

    std::filesystem::path directory_;
    std::filesystem::path path_;
};

TEST(trace, keeps_the_last_lines) {
    Trace trace;
    EXPECT_EQ(trace.tail(), "");
    for (int i = 0; i < 100; ++i) {
        trace.modem(std::to_string(i));
    }
    trace.host("AT+X");
    trace.raw(std::string_view("abc"));
    trace.raw(std::string_view("de"));
    EXPECT_EQ(trace.tail(3), "< 98 | < 99 | > AT+X | = 5 bytes");
    trace.outcome("silence");
    trace.modem(std::string(1000, 'x'));
    EXPECT_EQ(trace.tail(2).substr(0, 16), "! silence | < xx");
    EXPECT_LT(trace.tail(1).size(), 300U);
}

TEST(trace, escapes_so_that_it_can_be_read_back) {
    const std::string odd("a\\b\r\n\t\x00\x7f\xff \x10 ", 12);
    const auto escaped = c_escape(odd);
    EXPECT_EQ(escaped, "a\\\\b\\r\\n\\t\\x00\\x7f\\xff \\x10\\x20");
    const auto back = c_unescape(escaped);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, odd);
}

TEST_F(TraceFile, is_private_and_appended) {
    for (int i = 0; i < 2; ++i) {
        Trace trace;
        ASSERT_DONE(trace.set_file(path_));
        trace.note("started\n");
    }
    EXPECT_EQ(content(), "# started\\x0a\n# started\\x0a\n");
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(TraceFile, says_why_it_cannot_be_written) {
    Trace trace;
    const auto result = trace.set_file(directory_ / "missing" / "trace");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::local_io);
    EXPECT_THAT(result.error().what, HasSubstr("missing"));
}

TEST_F(TraceFile, survives_a_full_disk) {
    Trace trace;
    ASSERT_DONE(trace.set_file("/dev/full"));
    trace.host("AT");
    trace.modem("OK");
    EXPECT_THAT(trace.tail(), HasSubstr("trace ended"));
    EXPECT_THAT(trace.tail(), HasSubstr("< OK"));
}

/// What a session with everything in it looks like; driven on the script and on its own trace.
void drive(Dialogue& d, const std::string& payload) {
    ASSERT_DONE(
        d.channel.command(Command("AT+FTPOPEN").quoted("h\xff").secret("hushhush").secret("ab")));
    ASSERT_DONE(d.channel.send(Command("AT+FTPPUT").number(payload.size())));
    ASSERT_DONE(d.channel.expect_prompt('>', soon));
    ASSERT_DONE(d.channel.write_raw(payload, soon));
    ASSERT_DONE(d.channel.expect_ok(soon));
    ASSERT_DONE(d.channel.send("AT+FTPRECV"));
    ASSERT_DONE(d.channel.expect("+FTPRECV", soon));
    std::string data;
    ASSERT_DONE(d.channel.read_raw(
        payload.size(),
        [&](std::span<const char> bytes) {
            data.append(bytes.data(), bytes.size());
            return Result<void>();
        },
        soon));
    EXPECT_EQ(data, payload);
    ASSERT_DONE(d.channel.expect_ok(soon));
    EXPECT_FAILS(d.channel.next(soon), Errc::timed_out);
    ASSERT_DONE(d.channel.escape());
    EXPECT_FAILS(d.channel.next(soon), Errc::line_lost);
}

TEST_F(TraceFile, of_a_session_is_a_transcript_of_it_without_secrets) {
    std::string payload;
    for (int i = 0; i < 1000; ++i) {
        payload += static_cast<char>(i * 7);
    }
    const auto raw = c_escape(payload);
    // A modem that shows the password in its echo, broken and whole, and in its FTP log.
    const std::string begin =
        "<< AT+FTPOPEN=\"h\\xff\",\"hushhush\",\"ab\"\\r\n"
        "<< \\r\\nAT+FTPOPEN=\"h\",\"ab\\r\\n\n"
        "< +FTPINFO: PASS secret\n< +FTPINFO: hushhush\n< h\xff\n< OK\n";
    const std::string script = ">> AT+FTPOPEN=\"h\\xff\",\"hushhush\",\"ab\"\\r\n" + begin +
                               "> AT+FTPPUT=1000\n<< > \n= " + raw + "\n< OK\n> AT+FTPRECV\n" +
                               "< +FTPRECV: 1000\n= " + raw +
                               "\n< OK\n! silence\n= +++\n! hangup\n";
    auto transcript = Transcript::parse(script);
    ASSERT_TRUE(transcript) << transcript.error().what;
    {
        Dialogue d(*transcript, Chunking::random);
        ASSERT_DONE(d.trace.set_file(path_));
        drive(d, payload);
        EXPECT_EQ(d.stream.failure(), "");
    }
    auto traced = content();
    for (const auto* const secret : {"hush", "secret", "\"ab"}) {
        EXPECT_THAT(traced, Not(HasSubstr(secret)));
    }
    const std::string head = ">> AT+FTPOPEN=\"h\\xff\",\"***\",\"***\"\\r\n";
    ASSERT_EQ(traced.substr(0, head.size()), head) << traced;
    traced.replace(0, head.size(), ">> AT+FTPOPEN=\"h\\xff\",\"hushhush\",\"ab\"\\r\n");
    auto again = Transcript::parse(traced);
    ASSERT_TRUE(again) << again.error().what;
    for (const auto chunking : all_chunkings) {
        Dialogue d(*again, chunking);
        drive(d, payload);
        EXPECT_EQ(d.stream.failure(), "");
    }
    std::istringstream lines(traced);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LT(line.size(), 320U);
    }
}

}  // namespace
}  // namespace modem::test
