// SPDX-License-Identifier: MIT
// open_line() and await_device() on what every machine has: ptys and sockets.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "modem/line/line_settings.hpp"
#include "tests/modem/line/line_helpers.hpp"

namespace modem::test {
namespace {

namespace fs = std::filesystem;
using config::FlowControl;
using testing::HasSubstr;

std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

class OpenLine : public testing::Test {
protected:
    Result<std::unique_ptr<ByteStream>> open(const std::string& device, unsigned baud = 115200,
                                             FlowControl flow = FlowControl::none) {
        return open_line({device, baud, flow}, locks_.path());
    }
    fs::path lock_of(const std::string& path) const {
        auto name = path.substr(5);
        std::replace(name.begin(), name.end(), '/', '_');
        return locks_.path() / ("LCK.." + name);
    }
    /// The pid of a process that has ended.
    static pid_t dead_pid() {
        const pid_t child = ::fork();
        if (child == 0) {
            std::_Exit(0);
        }
        ::waitpid(child, nullptr, 0);
        return child;
    }
    TemporaryDirectory locks_;
    TemporaryDirectory files_;
};

TEST_F(OpenLine, a_pty_carries_every_byte_both_ways) {
    Pty pty;
    auto line = open(pty.path);
    ASSERT_TRUE(line) << line.error().what;
    EXPECT_EQ((*line)->describe(), pty.path + " 115200 8N1 none");
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    ASSERT_TRUE((*line)->write(bytes, {Clock::now() + minute, nullptr}));
    expect_to_hear(pty.modem.get(), bytes);
    EXPECT_TRUE((*line)->flush({Clock::now() + minute, nullptr}));
    say(pty.modem.get(), bytes);
    std::string got;
    while (got.size() < bytes.size()) {
        got += hear(**line, 4096);
    }
    EXPECT_EQ(got, bytes);
}

TEST_F(OpenLine, a_pty_takes_any_baud_and_flow_control) {
    Pty pty;
    for (const auto flow : {FlowControl::rts_cts, FlowControl::xon_xoff, FlowControl::none}) {
        auto line = open(pty.path, 12345, flow);
        ASSERT_TRUE(line) << line.error().what;
        const auto settings = read_settings(pty.modem.get());
        ASSERT_TRUE(settings);
        EXPECT_EQ(settings->baud, 12345U);
        EXPECT_EQ(settings->flow_control, flow);
        EXPECT_TRUE(settings->raw_8n1);
    }
}

TEST_F(OpenLine, what_the_line_does_not_do_is_an_error_that_says_what_it_does) {
    Pty pty;
    ASSERT_TRUE(open(pty.path, 9600));
    const Fd tty(::open(pty.path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(apply_settings(tty.get(), 9600, FlowControl::xon_xoff));
    const auto baud = verify_settings(tty.get(), {"", 115200, FlowControl::xon_xoff}, "/dev/x");
    ASSERT_FALSE(baud);
    EXPECT_EQ(baud.error().code, Errc::invalid_argument);
    EXPECT_EQ(baud.error().what,
              "/dev/x: the line runs at 9600 baud, it did not take `line.baud` = 115200");
    const auto flow = verify_settings(tty.get(), {"", 9600, FlowControl::rts_cts}, "/dev/x");
    ASSERT_FALSE(flow);
    EXPECT_THAT(flow.error().what, HasSubstr("the line does flow control xon-xoff"));
    EXPECT_TRUE(verify_settings(tty.get(), {"", 9700, FlowControl::xon_xoff}, "/dev/x"));
    EXPECT_FALSE(verify_settings(tty.get(), {"", 9900, FlowControl::xon_xoff}, "/dev/x"));
}

TEST_F(OpenLine, through_a_link_and_until_the_modem_hangs_up) {
    Pty pty;
    fs::create_directories(files_.path() / "by-id");
    fs::create_symlink(pty.path, files_.path() / "by-id" / "usb-modem");
    auto line = open(files_.path() / "by-id" / "usb-modem");
    ASSERT_TRUE(line) << line.error().what;
    EXPECT_THAT((*line)->describe(), HasSubstr(pty.path));
    EXPECT_EQ((*line)->pulse_dtr(milliseconds(1)).error().code, Errc::not_supported);
    pty.modem.reset();
    std::array<char, 8> buffer{};
    const auto result = (*line)->read(buffer, {Clock::now() + minute, nullptr});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::line_lost);
}

TEST_F(OpenLine, says_why_a_device_cannot_be_opened) {
    const auto absent = open("/dev/ttyNOSUCH7");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, Errc::line_lost);
    EXPECT_THAT(absent.error().what, HasSubstr("/dev/ttyNOSUCH7: no such device"));
    const auto null = open("/dev/null");
    ASSERT_FALSE(null);
    EXPECT_EQ(null.error().code, Errc::invalid_argument);
    EXPECT_THAT(null.error().what, HasSubstr("not a serial device"));
}

TEST_F(OpenLine, the_lock_file_lives_as_long_as_the_line) {
    Pty pty;
    auto line = open(pty.path);
    ASSERT_TRUE(line);
    EXPECT_EQ(std::stoi(read_file(lock_of(pty.path))), ::getpid());
    EXPECT_EQ(read_file(lock_of(pty.path)).size(), 11U);
    const auto second = open(pty.path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::line_lost);
    EXPECT_THAT(second.error().what, HasSubstr("in use by this process"));
    line->reset();
    EXPECT_FALSE(fs::exists(lock_of(pty.path)));
    EXPECT_TRUE(open(pty.path));
}

TEST_F(OpenLine, a_stale_lock_is_taken_over) {
    Pty pty;
    for (const auto& stale :
         {fmt_pid(dead_pid()), std::string("not a pid\n"), std::string(), fmt_pid(::getpid())}) {
        std::ofstream(lock_of(pty.path)) << stale;
        auto line = open(pty.path);
        ASSERT_TRUE(line) << line.error().what;
        EXPECT_EQ(std::stoi(read_file(lock_of(pty.path))), ::getpid());
    }
}

TEST_F(OpenLine, a_living_owner_is_named) {
    Pty pty;
    std::ofstream(lock_of(pty.path)) << fmt_pid(::getppid());
    const auto line = open(pty.path);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().code, Errc::line_lost);
    EXPECT_THAT(line.error().what, HasSubstr("(pid " + std::to_string(::getppid()) + ")"));
    EXPECT_TRUE(fs::exists(lock_of(pty.path)));
}

TEST_F(OpenLine, another_program_without_lock_file_is_named_too) {
    Pty pty;
    std::array<int, 2> ready{};
    std::array<int, 2> done{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    ASSERT_EQ(::pipe(done.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(done[1]);
        TemporaryDirectory elsewhere;
        const auto held = open_line({pty.path, 115200, FlowControl::none}, elsewhere.path());
        const char byte = held ? 'y' : 'n';
        char end = 0;
        const bool told = ::write(ready[1], &byte, 1) == 1;
        std::error_code ignored;
        fs::remove_all(elsewhere.path(), ignored);
        std::_Exit(told && ::read(done[0], &end, 1) == 0 ? 0 : 1);
    }
    ::close(done[0]);
    expect_to_hear(ready[0], "y");
    const auto line = open(pty.path);
    ASSERT_FALSE(line);
    EXPECT_THAT(line.error().what, HasSubstr("(pid " + std::to_string(child) + ")"));
    ::close(done[1]);
    ::close(ready[0]);
    ::close(ready[1]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(open(pty.path));
}

TEST_F(OpenLine, a_lock_directory_that_cannot_be_written_is_only_noted) {
    Pty pty;
    const auto line = open_line({pty.path, 115200, FlowControl::none}, files_.path() / "missing");
    ASSERT_TRUE(line) << line.error().what;
    EXPECT_THAT((*line)->describe(), HasSubstr("no lock file in"));
    EXPECT_FALSE(open(pty.path));  // flock() still keeps others out
}

TEST_F(OpenLine, unix_sockets) {
    const auto path = files_.path() / "modem.sock";
    EXPECT_EQ(open("unix:" + path.string()).error().code, Errc::line_lost);
    EXPECT_EQ(open("unix:" + std::string(200, 'x')).error().code, Errc::invalid_argument);
    const Fd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_THAT(open("unix:" + path.string()).error().what, HasSubstr("Connection refused"));
    ASSERT_EQ(::listen(server.get(), 1), 0);
    auto line = open("unix:" + path.string());
    ASSERT_TRUE(line) << line.error().what;
    const Fd peer(::accept(server.get(), nullptr, nullptr));
    say(peer.get(), "RDY");
    EXPECT_EQ(hear(**line, 16), "RDY");
}

TEST_F(OpenLine, tcp) {
    const Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const auto device = "tcp:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    EXPECT_THAT(open(device).error().what, HasSubstr("refused"));
    ASSERT_EQ(::listen(server.get(), 1), 0);
    auto line = open(device);
    ASSERT_TRUE(line) << line.error().what;
    Fd peer(::accept(server.get(), nullptr, nullptr));
    ASSERT_TRUE((*line)->write(std::string_view("AT\r"), {Clock::now() + minute, nullptr}));
    expect_to_hear(peer.get(), "AT\r");
    peer.reset();
    std::array<char, 8> buffer{};
    EXPECT_EQ((*line)->read(buffer, {Clock::now() + minute, nullptr}).error().code,
              Errc::line_lost);
    for (const auto* const bad : {"tcp:", "tcp:host", "tcp::23", "tcp:host:"}) {
        EXPECT_EQ(open(bad).error().code, Errc::invalid_argument) << bad;
    }
}

TEST_F(OpenLine, an_interrupt_ends_a_connect) {
    const Interrupt interrupt;
    interrupt.raise();
    // A documentation address: nobody answers there.
    const auto line =
        open_line({"tcp:192.0.2.1:23", 0, FlowControl::none}, locks_.path(), &interrupt);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().code, Errc::cancelled);
}

class AwaitDevice : public OpenLine {
protected:
    /// Waits in this thread while `happening` happens in another.
    template <typename Happening>
    Result<void> await(const std::string& device, Happening happening, milliseconds most = minute,
                       const Interrupt* interrupt = nullptr) {
        std::thread other(happening);
        auto result =
            await_device({device, 0, FlowControl::none}, {Clock::now() + most, interrupt});
        other.join();
        return result;
    }
};

TEST_F(AwaitDevice, that_is_plugged_in) {
    const auto device = files_.path() / "serial" / "by-id" / "usb-modem";
    const auto target = files_.path() / "ttyUSB7";
    const auto begin = Clock::now();
    ASSERT_TRUE(await(device, [&] {
        fs::create_directories(device.parent_path());
        fs::create_symlink("../../ttyUSB7", device);
        std::ofstream(files_.path() / "else");
        std::ofstream(target) << "";
    }));
    EXPECT_TRUE(fs::exists(device));
    EXPECT_LT(Clock::now() - begin, minute);
}

TEST_F(AwaitDevice, whose_link_stayed) {
    const auto device = files_.path() / "modem";
    fs::create_directories(files_.path() / "dev");
    fs::create_symlink("dev/ttyUSB7", device);
    const auto begin = Clock::now();
    ASSERT_TRUE(await(device, [&] { std::ofstream(files_.path() / "dev" / "ttyUSB7") << ""; }));
    EXPECT_LT(Clock::now() - begin, minute);
}

TEST_F(AwaitDevice, not_longer_than_asked_and_without_burning_the_processor) {
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_SELF, &before);
    const auto begin = Clock::now();
    ASSERT_TRUE(
        await("unix:" + (files_.path() / "a" / "b" / "sock").string(), [] {}, milliseconds(300)));
    EXPECT_GE(Clock::now() - begin, milliseconds(300));
    EXPECT_LT(Clock::now() - begin, minute);
    ::getrusage(RUSAGE_SELF, &after);
    EXPECT_LT(after.ru_nvcsw - before.ru_nvcsw, 50);
}

TEST_F(AwaitDevice, that_is_there_but_busy_is_tried_again_soon) {
    Pty pty;
    const auto begin = Clock::now();
    ASSERT_TRUE(await(pty.path, [] {}));
    EXPECT_LT(Clock::now() - begin, milliseconds(30'000));
}

TEST_F(AwaitDevice, until_interrupted) {
    const Interrupt interrupt;
    for (const auto* const device : {"/nowhere/at/all", "tcp:192.0.2.1:23"}) {
        const auto result = await(device, [&] { interrupt.raise(); }, minute, &interrupt);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::cancelled);
        interrupt.clear();
    }
}

}  // namespace
}  // namespace modem::test
