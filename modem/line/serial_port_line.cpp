// SPDX-License-Identifier: MIT
// Real serial ports, through libserialport. Its version 0.1.1 says OK to RTS/CTS and bauds that it
// did not set, and cannot tell a hang-up from silence: what it leaves open is done here.
#include <fcntl.h>
#include <fmt/format.h>
#include <libserialport.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "modem/line/line_settings.hpp"
#include "modem/line/open_line.hpp"
#include "modem/line/tty_stream.hpp"

namespace modem {

namespace {

template <auto free_function>
struct Free {
    template <typename T>
    void operator()(T* pointer) const {
        free_function(pointer);
    }
};
using Port = std::unique_ptr<sp_port, Free<sp_free_port>>;
using PortConfig = std::unique_ptr<sp_port_config, Free<sp_free_config>>;

Error port_error(const std::string& path, const char* what, sp_return result) {
    if (result == SP_ERR_FAIL) {
        return {Errc::line_lost, sp_last_error_code(),
                fmt::format("{}: {}: {}", path, what, std::strerror(sp_last_error_code()))};
    }
    return {result == SP_ERR_MEM ? Errc::line_lost : Errc::invalid_argument, 0,
            fmt::format("{}: {}: not possible on this port", path, what)};
}

/// One sp_set_config(): every single setter would raise RTS and DTR again.
Result<void> configure(sp_port* port, const config::Line& line, const std::string& path) {
    sp_port_config* allocated = nullptr;
    if (const auto result = sp_new_config(&allocated); result != SP_OK) {
        return fail(port_error(path, "no memory for the settings", result));
    }
    const PortConfig settings(allocated);
    const bool xon_xoff = line.flow_control == config::FlowControl::xon_xoff;
    sp_set_config_baudrate(settings.get(), static_cast<int>(line.baud));
    sp_set_config_bits(settings.get(), 8);
    sp_set_config_parity(settings.get(), SP_PARITY_NONE);
    sp_set_config_stopbits(settings.get(), 1);
    sp_set_config_rts(settings.get(), SP_RTS_ON);
    sp_set_config_cts(settings.get(), SP_CTS_IGNORE);
    sp_set_config_dtr(settings.get(), SP_DTR_ON);
    sp_set_config_dsr(settings.get(), SP_DSR_IGNORE);
    sp_set_config_xon_xoff(settings.get(), xon_xoff ? SP_XONXOFF_INOUT : SP_XONXOFF_DISABLED);
    if (const auto result = sp_set_config(port, settings.get()); result != SP_OK) {
        return fail(
            port_error(path, fmt::format("setting {} baud 8N1", line.baud).c_str(), result));
    }
    return {};
}

class SerialPortStream final : public FdStream {
public:
    SerialPortStream(Port port, Fd fd, const std::string& path, std::string description,
                     LineLock lock)
        : FdStream(std::move(fd), path, std::move(description)),
          lock_(std::move(lock)),
          port_(std::move(port)) {}
    ~SerialPortStream() override { close(); }

    [[nodiscard]] bool is_usb() const override {
        return sp_get_port_transport(port_.get()) == SP_TRANSPORT_USB;
    }

private:
    LineLock lock_;
    Port port_;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_serial_port(const config::Line& line,
                                                     const std::string& path,
                                                     const std::string& lock_dir) {
    TRY(auto lock, LineLock::take(path, lock_dir));
    sp_port* found = nullptr;
    if (sp_get_port_by_name(path.c_str(), &found) != SP_OK) {
        return fail(cannot_open(path, errno));
    }
    Port port(found);
    if (sp_open(port.get(), SP_MODE_READ_WRITE) != SP_OK) {
        return fail(cannot_open(path, sp_last_error_code()));
    }
    int handle = -1;
    sp_get_port_handle(port.get(), &handle);
    Fd fd(handle);  // sp_free_port() does not close it
    ::fcntl(handle, F_SETFD, FD_CLOEXEC);
    CHECK(take_exclusively(handle, path));
    CHECK(configure(port.get(), line, path));
    CHECK(apply_flow_control(handle, line.flow_control));
    CHECK(verify_settings(handle, line, path));
    auto description = describe_tty(path, line, lock);
    return std::make_unique<SerialPortStream>(std::move(port), std::move(fd), path,
                                              std::move(description), std::move(lock));
}

}  // namespace modem
