// SPDX-License-Identifier: MIT
// open_line() through libserialport, on a pty that passes for a UART: in a mount namespace of its
// own the pty lies over a tty that the kernel knows, and modemlines (which runs this program)
// answers for the modem control lines and keeps the rate at 115200, as an 8250 would.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <termios.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "modem/line/line_settings.hpp"
#include "tests/modem/line/line_helpers.hpp"

namespace modem::test {
namespace {

namespace fs = std::filesystem;
using config::FlowControl;
using testing::HasSubstr;

const std::string uart = "/dev/tty61";  // a console nobody has; only our namespace sees it changed

/// Why these tests cannot run here, or nothing.
std::string missing() {
    static const std::string reason = [] {
        int lines = 0;
        const Pty pty;
        if (::ioctl(pty.modem.get(), TIOCMGET, &lines) < 0) {
            return std::string("not run by modemlines");
        }
        if (!fs::exists("/sys/class/tty/tty61") || !fs::exists(uart)) {
            return "this machine has no " + uart;
        }
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
            return std::string("no mount namespace of its own: run as root");
        }
        return std::string();
    }();
    return reason;
}

class SerialPort : public testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = missing(); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
        ASSERT_EQ(::mount(pty_.path.c_str(), uart.c_str(), nullptr, MS_BIND, nullptr), 0);
        mounted_ = true;
        by_id_ = files_.path() / "serial" / "by-id" / "usb-FIBOCOM_L610-if02";
        fs::create_directories(by_id_.parent_path());
        fs::create_symlink(uart, by_id_);
    }
    void TearDown() override {
        if (mounted_) {
            ::kill(::getppid(), SIGUSR2);  // modemlines: carrier back
            ::umount2(uart.c_str(), MNT_DETACH);
        }
    }
    Result<std::unique_ptr<ByteStream>> open(unsigned baud, FlowControl flow) {
        return open_line({by_id_, baud, flow}, locks_.path());
    }
    int lines() const {
        int lines = 0;
        EXPECT_EQ(::ioctl(pty_.modem.get(), TIOCMGET, &lines), 0);
        return lines;
    }

    Pty pty_;
    TemporaryDirectory files_;
    TemporaryDirectory locks_;
    fs::path by_id_;
    bool mounted_ = false;
};

TEST_F(SerialPort, opens_by_a_stable_link_and_carries_bytes) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    EXPECT_EQ((*line)->describe(), uart + " 115200 8N1 none");
    EXPECT_TRUE(fs::exists(locks_.path() / "LCK..tty61"));
    EXPECT_FALSE((*line)->is_usb());
    EXPECT_EQ(lines() & (TIOCM_DTR | TIOCM_RTS), TIOCM_DTR | TIOCM_RTS);
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    ASSERT_TRUE((*line)->write(bytes, {Clock::now() + minute, nullptr}));
    expect_to_hear(pty_.modem.get(), bytes);
    EXPECT_TRUE((*line)->flush({Clock::now() + minute, nullptr}));
    say(pty_.modem.get(), bytes);
    std::string got;
    while (got.size() < bytes.size()) {
        got += hear(**line, 4096);
    }
    EXPECT_EQ(got, bytes);
}

TEST_F(SerialPort, flow_control_is_really_set_and_really_cleared) {
    for (const auto flow :
         {FlowControl::rts_cts, FlowControl::none, FlowControl::xon_xoff, FlowControl::rts_cts}) {
        SCOPED_TRACE(flow_control_name(flow));
        auto line = open(115200, flow);
        ASSERT_TRUE(line) << line.error().what;
        termios settings{};
        ASSERT_EQ(::tcgetattr(pty_.modem.get(), &settings), 0);  // those of the host's end
        EXPECT_EQ((settings.c_cflag & CRTSCTS) != 0, flow == FlowControl::rts_cts);
        EXPECT_EQ((settings.c_iflag & (IXON | IXOFF)) != 0, flow == FlowControl::xon_xoff);
        EXPECT_NE(settings.c_cflag & CLOCAL, 0U);
        EXPECT_EQ(::cfgetospeed(&settings), static_cast<speed_t>(B115200));
    }
}

TEST_F(SerialPort, a_baud_that_the_line_did_not_take_is_an_error) {
    for (const unsigned baud : {230400U, 921600U, 250000U}) {
        const auto line = open(baud, FlowControl::none);
        ASSERT_FALSE(line) << baud;
        EXPECT_EQ(line.error().code, Errc::invalid_argument);
        EXPECT_THAT(line.error().what, HasSubstr("the line runs at 115200 baud"));
        EXPECT_FALSE(fs::exists(locks_.path() / "LCK..tty61"));
    }
    for (const unsigned baud : {9600U, 57600U, 115200U, 12345U}) {
        const auto line = open(baud, FlowControl::none);
        ASSERT_TRUE(line) << line.error().what;
        const auto real = read_settings(pty_.modem.get());
        ASSERT_TRUE(real);
        EXPECT_EQ(real->baud, baud);
    }
}

TEST_F(SerialPort, a_hang_up_is_noticed_by_whoever_waits) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    say(pty_.modem.get(), "last words");
    pty_.modem.reset();
    std::array<char, 64> buffer{};
    const Wait wait{Clock::now() + minute, nullptr};
    auto result = (*line)->read(buffer, wait);
    if (result) {  // a pty may drop what was not read at the hang-up
        result = (*line)->read(buffer, wait);
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::line_lost);
    EXPECT_EQ((*line)->write(std::string_view("AT\r"), wait).error().code, Errc::line_lost);
    EXPECT_LT(Clock::now(), wait.deadline);
}

TEST_F(SerialPort, a_lost_carrier_is_no_hang_up) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    ::kill(::getppid(), SIGUSR1);
    const auto deadline = Clock::now() + minute;
    while ((lines() & TIOCM_CAR) != 0 && Clock::now() < deadline) {
    }
    EXPECT_EQ(lines() & TIOCM_CAR, 0);
    say(pty_.modem.get(), "NO CARRIER");
    EXPECT_EQ(hear(**line, 64), "NO CARRIER");
}

TEST_F(SerialPort, dtr_goes_down_and_comes_up_again) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    EXPECT_NE(lines() & TIOCM_DTR, 0);
    Result<void> pulsed;
    std::thread pulse([&] { pulsed = (*line)->pulse_dtr(milliseconds(300)); });
    bool seen_down = false;
    for (const auto end = Clock::now() + minute; !seen_down && Clock::now() < end;) {
        seen_down = (lines() & TIOCM_DTR) == 0;
    }
    pulse.join();
    EXPECT_TRUE(seen_down);
    EXPECT_TRUE(pulsed);
    EXPECT_NE(lines() & TIOCM_DTR, 0);
}

TEST_F(SerialPort, a_full_line_is_waited_for) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    const std::string block(64 * 1024, 'x');
    std::size_t sent = 0;
    for (Errc reason{}; reason != Errc::timed_out;) {
        const auto count = (*line)->write(block, {Clock::now() + milliseconds(5), nullptr});
        sent += count.value_or(0);
        reason = count ? reason : count.error().code;
        ASSERT_TRUE(count || reason == Errc::timed_out) << name(reason);
    }
    expect_to_hear(pty_.modem.get(), std::string(sent, 'x'));
    EXPECT_TRUE((*line)->write(std::string_view("y"), {Clock::now() + minute, nullptr}));
}

TEST_F(SerialPort, a_second_opener_is_refused_and_told_who_has_it) {
    const auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line) << line.error().what;
    TemporaryDirectory elsewhere;
    const auto second = open_line({uart, 115200, FlowControl::none}, elsewhere.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::line_lost);
    EXPECT_THAT(second.error().what, HasSubstr(uart + ": in use by this process"));
    std::ofstream(elsewhere.path() / "LCK..tty61") << fmt_pid(::getppid());
    const auto third = open_line({uart, 115200, FlowControl::none}, elsewhere.path());
    ASSERT_FALSE(third);
    EXPECT_THAT(third.error().what, HasSubstr("in use by modemlines (pid "));
}

TEST_F(SerialPort, is_gone_and_comes_back) {
    auto line = open(115200, FlowControl::none);
    ASSERT_TRUE(line);
    line->reset();
    fs::remove(by_id_);
    EXPECT_EQ(open(115200, FlowControl::none).error().code, Errc::line_lost);
    fs::create_symlink(uart, by_id_);
    EXPECT_TRUE(open(115200, FlowControl::none));
}

}  // namespace
}  // namespace modem::test
