// SPDX-License-Identifier: MIT
#include "modem/line/fd_stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "tests/modem/line/line_helpers.hpp"

namespace modem::test {
namespace {

/// The two ends of a socket pair, one of them a stream.
struct Ends {
    Ends() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()),
                  0);
        peer.reset(fds[1]);
        line = std::make_unique<FdStream>(Fd(fds[0]), "/dev/test", "a test line");
    }
    std::unique_ptr<FdStream> line;
    Fd peer;
};

TEST(fd_stream, reads_what_is_there) {
    Ends ends;
    say(ends.peer.get(), "hello");
    EXPECT_EQ(hear(*ends.line, 3), "hel");
    EXPECT_EQ(hear(*ends.line, 100), "lo");
}

TEST(fd_stream, times_out_at_the_deadline_and_not_before) {
    Ends ends;
    std::array<char, 8> buffer{};
    const auto begin = Clock::now();
    const auto result = ends.line->read(buffer, {begin + milliseconds(30), nullptr});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::timed_out);
    EXPECT_GE(Clock::now() - begin, milliseconds(30));
    // A deadline that has passed looks once, and finds what is there.
    say(ends.peer.get(), "x");
    EXPECT_TRUE(ends.line->read(buffer, {begin, nullptr}));
    EXPECT_FALSE(ends.line->read(buffer, {begin, nullptr}));
}

TEST(fd_stream, an_interrupt_from_another_thread_ends_every_wait) {
    Ends ends;
    const Interrupt interrupt;
    const Wait wait{Clock::now() + minute, &interrupt};
    std::array<char, 8> buffer{};
    std::thread other([&] { interrupt.raise(); });
    const auto result = ends.line->read(buffer, wait);
    other.join();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::cancelled);
    // It stays raised until it is cleared, and goes before data.
    say(ends.peer.get(), "x");
    EXPECT_EQ(ends.line->read(buffer, wait).error().code, Errc::cancelled);
    EXPECT_EQ(ends.line->write(std::string_view("x"), wait).error().code, Errc::cancelled);
    EXPECT_EQ(ends.line->pause(minute, &interrupt).error().code, Errc::cancelled);
    interrupt.clear();
    EXPECT_EQ(hear(*ends.line, 8), "x");
}

TEST(fd_stream, a_hang_up_comes_after_the_last_bytes) {
    Ends ends;
    say(ends.peer.get(), "bye");
    ends.peer.reset();
    EXPECT_EQ(hear(*ends.line, 8), "bye");
    std::array<char, 8> buffer{};
    const Wait wait{Clock::now() + minute, nullptr};
    const auto result = ends.line->read(buffer, wait);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::line_lost);
    EXPECT_NE(result.error().what.find("/dev/test"), std::string::npos);
    EXPECT_EQ(ends.line->write(std::string_view("x"), wait).error().code, Errc::line_lost);
    EXPECT_EQ(ends.line->pause(minute, nullptr).error().code, Errc::line_lost);
}

TEST(fd_stream, writes_what_fits_and_waits_for_room) {
    Ends ends;
    const std::string block(64 * 1024, 'x');
    std::size_t sent = 0;
    Errc reason{};
    while (reason != Errc::timed_out) {
        const auto count = ends.line->write(block, {Clock::now() + milliseconds(5), nullptr});
        sent += count.value_or(0);
        reason = count ? reason : count.error().code;
        ASSERT_TRUE(count || reason == Errc::timed_out);
    }
    EXPECT_GT(sent, 0U);
    std::thread reader([&] {
        std::string sink(block.size(), '\0');
        for (std::size_t got = 0; got < sent;) {
            const auto count = ::read(ends.peer.get(), sink.data(), sink.size());
            got += count > 0 ? static_cast<std::size_t>(count) : 0U;
        }
    });
    EXPECT_TRUE(ends.line->write(std::string_view("y"), {Clock::now() + minute, nullptr}));
    reader.join();
}

TEST(fd_stream, flush_waits_until_the_peer_has_it) {
    Ends ends;
    ASSERT_TRUE(ends.line->write(std::string_view("abc"), {Clock::now() + minute, nullptr}));
    EXPECT_EQ(ends.line->flush({Clock::now() + milliseconds(20), nullptr}).error().code,
              Errc::timed_out);
    std::thread reader([&] { expect_to_hear(ends.peer.get(), "abc"); });
    EXPECT_TRUE(ends.line->flush({Clock::now() + minute, nullptr}));
    reader.join();
}

TEST(fd_stream, no_dtr_on_a_socket) {
    Ends ends;
    EXPECT_EQ(ends.line->pulse_dtr(milliseconds(1)).error().code, Errc::not_supported);
    EXPECT_EQ(ends.line->describe(), "a test line");
    EXPECT_FALSE(ends.line->is_usb());
}

TEST(fd_stream, signals_do_not_end_a_wait) {
    Ends ends;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) {};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    const auto self = ::pthread_self();
    std::thread other([&] {
        for (int i = 0; i < 20; ++i) {
            ::pthread_kill(self, SIGUSR1);
            std::this_thread::yield();
        }
        say(ends.peer.get(), "done");
    });
    EXPECT_EQ(hear(*ends.line, 8), "done");
    other.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace modem::test
