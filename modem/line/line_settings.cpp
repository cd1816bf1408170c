// SPDX-License-Identifier: MIT
#include "modem/line/line_settings.hpp"

// The kernel's own termios2: glibc's termios cannot tell a rate that is not in its list.
#include <asm/termbits.h>
#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace modem {

namespace {

using config::FlowControl;

constexpr unsigned translating_input =
    IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | INPCK;
constexpr unsigned translating_local = ECHO | ECHONL | ICANON | ISIG | IEXTEN;

Error settings_error(const char* what) {
    return {Errc::line_lost, errno, fmt::format("{} of the line: {}", what, std::strerror(errno))};
}

Result<termios2> get(int fd) {
    termios2 settings{};
    if (::ioctl(fd, TCGETS2, &settings) < 0) {
        return fail(settings_error("reading the settings"));
    }
    return settings;
}

Result<void> set(int fd, const termios2& settings) {
    if (::ioctl(fd, TCSETS2, &settings) < 0) {
        return fail(settings_error("changing the settings"));
    }
    return {};
}

void set_flow_control(termios2& settings, FlowControl flow_control) {
    settings.c_iflag &= ~static_cast<unsigned>(IXON | IXOFF | IXANY);
    settings.c_cflag &= ~CRTSCTS;
    settings.c_iflag |= flow_control == FlowControl::xon_xoff ? IXON | IXOFF : 0U;
    settings.c_cflag |= flow_control == FlowControl::rts_cts ? CRTSCTS : 0U;
    settings.c_cflag |= CLOCAL;
    settings.c_cc[VSTART] = 0x11;
    settings.c_cc[VSTOP] = 0x13;
}

}  // namespace

std::string_view flow_control_name(FlowControl flow_control) {
    switch (flow_control) {
        case FlowControl::none:
            return "none";
        case FlowControl::rts_cts:
            return "rts-cts";
        case FlowControl::xon_xoff:
            return "xon-xoff";
    }
    return "none";
}

Result<void> apply_settings(int fd, unsigned baud, FlowControl flow_control) {
    TRY(auto settings, get(fd));
    settings.c_iflag &= ~translating_input;
    settings.c_oflag &= ~static_cast<unsigned>(OPOST);
    settings.c_lflag &= ~translating_local;
    settings.c_cflag &= ~(CSIZE | PARENB | CSTOPB | CBAUD | (CBAUD << IBSHIFT));
    settings.c_cflag |= CS8 | CREAD | BOTHER | (BOTHER << IBSHIFT);
    settings.c_ispeed = settings.c_ospeed = baud;
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    set_flow_control(settings, flow_control);
    return set(fd, settings);
}

Result<void> apply_flow_control(int fd, FlowControl flow_control) {
    TRY(auto settings, get(fd));
    set_flow_control(settings, flow_control);
    return set(fd, settings);
}

Result<LineSettings> read_settings(int fd) {
    TRY(const auto settings, get(fd));
    LineSettings result;
    result.baud = settings.c_ospeed;
    result.flow_control = (settings.c_cflag & CRTSCTS) != 0          ? FlowControl::rts_cts
                          : (settings.c_iflag & (IXON | IXOFF)) != 0 ? FlowControl::xon_xoff
                                                                     : FlowControl::none;
    result.raw_8n1 = (settings.c_iflag & translating_input) == 0 &&
                     (settings.c_oflag & OPOST) == 0 &&
                     (settings.c_lflag & translating_local) == 0 &&
                     (settings.c_cflag & (CSIZE | PARENB | CSTOPB)) == CS8;
    return result;
}

Result<void> verify_settings(int fd, const config::Line& asked, const std::string& path) {
    TRY(const auto real, read_settings(fd));
    // A divisor rarely hits a rate exactly; beyond 2.5 % the bits of a byte no longer fit.
    const auto off = real.baud > asked.baud ? real.baud - asked.baud : asked.baud - real.baud;
    if (std::uint64_t{off} * 40 > asked.baud) {
        return fail(Errc::invalid_argument,
                    fmt::format("{}: the line runs at {} baud, it did not take `line.baud` = {}",
                                path, real.baud, asked.baud));
    }
    if (real.flow_control != asked.flow_control) {
        return fail(
            Errc::invalid_argument,
            fmt::format("{}: the line does flow control {}, it did not take `line.flow-control` = "
                        "\"{}\"",
                        path, flow_control_name(real.flow_control),
                        flow_control_name(asked.flow_control)));
    }
    if (!real.raw_8n1) {
        return fail(Errc::invalid_argument,
                    path + ": the line did not take 8 data bits, no parity, 1 stop bit, raw");
    }
    return {};
}

}  // namespace modem
