// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/emulator/loop.hpp"

namespace emulator {

/// Where the line can be reached: a pseudo-terminal behind a symlink, a unix socket, or a TCP port
/// on loopback (one caller at a time; the next one takes over). Main thread.
class Port {
public:
    Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    ~Port() { hang_up(); }

    /// `link:PATH`, `unix:PATH` or `tcp:NUMBER` (0: any). Returns what went wrong.
    [[nodiscard]] std::optional<std::string> open(std::string where);
    /// The device disappears: the other side sees a hang-up and the name is gone.
    void hang_up();
    /// The device is back under its name (after hang_up()). Returns what went wrong.
    [[nodiscard]] std::optional<std::string> come_back();

    [[nodiscard]] bool present() const { return pty_ >= 0 || listener_ >= 0; }
    /// The descriptor to read and write, or -1 while nobody is there.
    [[nodiscard]] int fd() const { return pty_ >= 0 ? pty_ : caller_; }
    /// Where it is to be found, as a person would type it.
    [[nodiscard]] std::string address() const;

    void prepare(Waiting& waiting) const;
    /// Takes a new caller; true when there is one.
    bool service(const Waiting& waiting);
    /// The caller has gone (read or write failed).
    void lost();

private:
    std::optional<std::string> open_pty(const std::string& link);
    std::optional<std::string> listen_unix(const std::string& path);
    std::optional<std::string> listen_tcp(std::string_view port);

    std::string where_;
    std::string name_;  ///< what has to be removed from the file system
    std::string device_;
    int pty_ = -1;
    /// Our own end of the slave: while it is open the master never sees POLLHUP, so a host that
    /// closes and reopens the device finds the same module, and nothing spins meanwhile.
    int keep_open_ = -1;
    int listener_ = -1;
    int caller_ = -1;
};

}  // namespace emulator
