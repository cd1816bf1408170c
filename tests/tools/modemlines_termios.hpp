// SPDX-License-Identifier: MIT
#pragma once

// The kernel's own struct termios and termios2: what the ioctls really carry.
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstddef>

/// What modemlines does to a tty's ioctls, without the machinery around it.
namespace modemlines {

inline constexpr auto requests =
    std::to_array<unsigned>({TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCMSET, TCSETS, TCSETSW, TCSETSF,
                             TCSETS2, TCSETSW2, TCSETSF2});

enum class RequestKind { get_lines, change_lines, set_termios, set_termios2 };

inline RequestKind kind_of(unsigned request) {
    const auto at = std::find(requests.begin(), requests.end(), request) - requests.begin();
    return at == 0  ? RequestKind::get_lines
           : at < 4 ? RequestKind::change_lines
           : at < 7 ? RequestKind::set_termios
                    : RequestKind::set_termios2;
}

inline constexpr int idle_lines = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
inline constexpr int driven_lines = TIOCM_DTR | TIOCM_RTS;

inline int with_carrier(int lines, bool on) {
    return on ? lines | TIOCM_CAR : lines & ~TIOCM_CAR;
}

inline int lines_after(int lines, unsigned request, int value) {
    value &= driven_lines;
    return request == TIOCMBIS   ? lines | value
           : request == TIOCMBIC ? lines & ~value
                                 : (lines & ~driven_lines) | value;
}

/// termios2 begins as termios does, which ends before the rates.
using Settings = termios2;
inline std::size_t size_of(unsigned request) {
    return kind_of(request) == RequestKind::set_termios2 ? sizeof(Settings)
                                                         : offsetof(Settings, c_ispeed);
}

/// Puts 115200 baud in the place of anything higher.
inline void limit_baud(Settings& settings, unsigned request) {
    constexpr unsigned most = 115200;
    const bool has_rates = kind_of(request) == RequestKind::set_termios2;
    const unsigned constant = settings.c_cflag & CBAUD;
    // Above B38400 the constants are BOTHER (= CBAUDEX), then B57600, B115200, B230400...
    const bool too_fast =
        constant == BOTHER ? has_rates && settings.c_ospeed > most : constant > B115200;
    if (too_fast) {
        settings.c_cflag &= ~(CBAUD | (CBAUD << IBSHIFT));
        settings.c_cflag |= B115200;
        settings.c_ispeed = settings.c_ospeed = most;
    }
}

}  // namespace modemlines
