// SPDX-License-Identifier: MIT
// Ttys that libserialport refuses: pseudo-terminals and the like, through termios.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "modem/line/line_settings.hpp"
#include "modem/line/open_line.hpp"
#include "modem/line/tty_stream.hpp"

namespace modem {

namespace {

class PtyStream final : public FdStream {
public:
    PtyStream(Fd fd, const std::string& path, std::string description, LineLock lock)
        : FdStream(std::move(fd), path, std::move(description)), lock_(std::move(lock)) {}
    ~PtyStream() override { close(); }

private:
    LineLock lock_;
};

}  // namespace

std::string describe_tty(const std::string& path, const config::Line& line, const LineLock& lock) {
    return fmt::format("{} {} 8N1 {}{}", path, line.baud, flow_control_name(line.flow_control),
                       lock.note().empty() ? std::string() : fmt::format(" ({})", lock.note()));
}

Error cannot_open(const std::string& path, int error) {
    switch (error) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return {Errc::line_lost, error,
                    fmt::format("{}: no such device; is the modem plugged in and powered?", path)};
        case EACCES:
        case EPERM:
            return {Errc::line_lost, error,
                    fmt::format("{}: permission denied; serial devices usually need the group "
                                "dialout",
                                path)};
        case EBUSY:
            return in_use(path, find_holder(path, 0));
        default:
            return {Errc::line_lost, error,
                    fmt::format("{}: cannot open: {}", path, std::strerror(error))};
    }
}

Result<std::unique_ptr<ByteStream>> open_pty(const config::Line& line, const std::string& path,
                                             const std::string& lock_dir) {
    TRY(auto lock, LineLock::take(path, lock_dir));
    Fd fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        return fail(cannot_open(path, errno));
    }
    if (::isatty(fd.get()) == 0) {
        return fail(Errc::invalid_argument,
                    fmt::format("{}: not a serial device; `line.device` takes a tty, unix:PATH or "
                                "tcp:HOST:PORT",
                                path));
    }
    CHECK(take_exclusively(fd.get(), path));
    CHECK(apply_settings(fd.get(), line.baud, line.flow_control));
    CHECK(verify_settings(fd.get(), line, path));
    auto description = describe_tty(path, line, lock);
    return std::make_unique<PtyStream>(std::move(fd), path, std::move(description),
                                       std::move(lock));
}

}  // namespace modem
