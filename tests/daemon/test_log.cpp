// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "daemon/log.hpp"
#include "modem/fd.hpp"

namespace service {
namespace {

/// Standard error is something else for the time of a test.
class StandardError {
public:
    explicit StandardError(int fd) : kept_(::dup(STDERR_FILENO)) { ::dup2(fd, STDERR_FILENO); }
    StandardError(const StandardError&) = delete;
    StandardError& operator=(const StandardError&) = delete;
    ~StandardError() { ::dup2(kept_.get(), STDERR_FILENO); }

private:
    modem::Fd kept_;
};

class LogTest : public testing::Test {
protected:
    LogTest() {
        int ends[2];
        if (::pipe2(ends, O_NONBLOCK) == 0) {
            reader_.reset(ends[0]);
            writer_.reset(ends[1]);
        }
        ::unsetenv("JOURNAL_STREAM");
    }
    ~LogTest() override { ::unsetenv("JOURNAL_STREAM"); }
    [[nodiscard]] std::string written() const {
        std::array<char, 4096> text{};
        const ssize_t size = ::read(reader_.get(), text.data(), text.size());
        return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }
    [[nodiscard]] int writer() const { return writer_.get(); }

private:
    modem::Fd reader_;
    modem::Fd writer_;
};

TEST_F(LogTest, APipeGetsPriorities) {
    const StandardError redirected(writer());
    Log log("modemftpd", "site");
    log.error("broken");
    log.info("fine");
    log.write(LOG_DEBUG, "too much");
    EXPECT_EQ(written(), "<3>broken\n<6>fine\n");
}

TEST_F(LogTest, TheLevelCanBeChanged) {
    const StandardError redirected(writer());
    Log log("modemftpd", "site");
    log.set_level(LOG_WARNING);
    log.notice("hidden");
    log.set_level(LOG_DEBUG);
    log.write(LOG_DEBUG, "shown");
    EXPECT_EQ(written(), "<7>shown\n");
}

TEST_F(LogTest, ControlCharactersCannotForgeLines) {
    const StandardError redirected(writer());
    Log("modemftpd", "site").info("a\n<0>b\x1b[31m\x7f");
    EXPECT_EQ(written(), "<6>a\\x0a<0>b\\x1b[31m\\x7f\n");
}

TEST_F(LogTest, ATerminalGetsWords) {
    int leader = -1;
    int follower = -1;
    ASSERT_EQ(::openpty(&leader, &follower, nullptr, nullptr, nullptr), 0);
    const modem::Fd ours(leader);
    const modem::Fd theirs(follower);
    const StandardError redirected(follower);
    Log log("modemftpd", "site");
    EXPECT_EQ(log.target(), LogTarget::plain);
    log.warning("careful");
    log.info("fine");
    std::array<char, 256> text{};
    const ssize_t size = ::read(leader, text.data(), text.size());
    ASSERT_GT(size, 0);
    EXPECT_TRUE(std::string(text.data(), static_cast<std::size_t>(size))
                    .starts_with("warning: careful\r\n"));
}

TEST_F(LogTest, TheJournalIsKnownByItsStream) {
    const StandardError redirected(writer());
    struct stat status{};
    ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
    EXPECT_EQ(Log::detect_target(), LogTarget::journal);
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    EXPECT_EQ(Log::detect_target(), LogTarget::prefixed);
}

TEST(LogLevel, NamesAndNumbersMatch) {
    for (int level = LOG_EMERG; level <= LOG_DEBUG; ++level) {
        EXPECT_EQ(level_by_name(level_name(level)), level);
    }
    EXPECT_EQ(level_by_name("loud"), -1);
    EXPECT_EQ(syslog_level(config::LogLevel::error), LOG_ERR);
    EXPECT_EQ(syslog_level(config::LogLevel::debug), LOG_DEBUG);
}

}  // namespace
}  // namespace service
