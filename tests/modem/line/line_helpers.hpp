// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "modem/fd.hpp"
#include "modem/line/byte_stream.hpp"

namespace modem::test {

inline constexpr milliseconds minute{60'000};  ///< for waits that end sooner, or the test is broken

inline void say(int fd, std::string_view text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// One read from the stream.
inline std::string hear(ByteStream& line, std::size_t most) {
    std::string buffer(most, '\0');
    const auto count = line.read(buffer, {Clock::now() + minute, nullptr});
    EXPECT_TRUE(count) << count.error().what;
    buffer.resize(count.value_or(0));
    return buffer;
}

/// Reads from the other end until all of `text` has come.
inline void expect_to_hear(int fd, std::string_view text) {
    std::string got;
    while (got.size() < text.size()) {
        pollfd ready{fd, POLLIN, 0};
        ASSERT_EQ(::poll(&ready, 1, static_cast<int>(minute.count())), 1);
        std::array<char, 4096> buffer{};
        const auto count = ::read(fd, buffer.data(), buffer.size());
        ASSERT_GT(count, 0);
        got.append(buffer.data(), static_cast<std::size_t>(count));
    }
    EXPECT_EQ(got, text);
}

/// A pseudo-terminal: the modem's end and the name of the host's end.
struct Pty {
    Pty() : modem(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_EQ(::grantpt(modem.get()), 0);
        EXPECT_EQ(::unlockpt(modem.get()), 0);
        std::array<char, 64> name{};
        EXPECT_EQ(::ptsname_r(modem.get(), name.data(), name.size()), 0);
        path = name.data();
    }
    Fd modem;
    std::string path;
};

/// A pid as a lock file has it.
inline std::string fmt_pid(pid_t pid) {
    return fmt::format("{:10d}\n", pid);
}

/// A directory of its own, removed with everything in it.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        auto pattern = (std::filesystem::temp_directory_path() / "modemftp-line-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace modem::test
