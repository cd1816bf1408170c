// SPDX-License-Identifier: MIT
#include "modem/line/open_line.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "modem/line/tty_stream.hpp"

namespace modem {

namespace {

struct FreeText {
    void operator()(char* text) const { std::free(text); }
};

/// libserialport takes a port by its name in /sys/class/tty alone, never by a link.
bool is_kernel_tty(const std::string& path) {
    constexpr std::string_view dev = "/dev/";
    struct stat status{};
    return path.starts_with(dev) &&
           ::lstat(("/sys/class/tty/" + path.substr(dev.size())).c_str(), &status) == 0;
}

}  // namespace

std::string_view after_scheme(std::string_view device, std::string_view scheme) {
    return device.starts_with(scheme) ? device.substr(scheme.size()) : std::string_view();
}

Result<std::unique_ptr<ByteStream>> open_line(const config::Line& line, const std::string& lock_dir,
                                              const Interrupt* interrupt) {
    if (line.device.starts_with("unix:")) {
        return open_unix(std::string(after_scheme(line.device, "unix:")), interrupt);
    }
    if (line.device.starts_with("tcp:")) {
        return open_tcp(after_scheme(line.device, "tcp:"), interrupt);
    }
    const std::unique_ptr<char, FreeText> real(::realpath(line.device.c_str(), nullptr));
    if (real == nullptr) {
        return fail(cannot_open(line.device, errno));
    }
    const std::string path(real.get());
    return is_kernel_tty(path) ? open_serial_port(line, path, lock_dir)
                               : open_pty(line, path, lock_dir);
}

}  // namespace modem
