// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "daemon/event_loop.hpp"
#include "daemon/log.hpp"
#include "daemon/options.hpp"
#include "modem/function.hpp"
#include "modem/result.hpp"

namespace service {

/// What org.modemftp1.Modem shows.
struct ModemView {
    std::string state;       ///< modem::name(LinkState)
    std::string dialect;     ///< empty until identified
    std::string last_error;  ///< words, empty: none
};

/// The daemon on D-Bus: the name org.modemftp1.INSTANCE, org.modemftp1.Modem at /org/modemftp1 and
/// org.freedesktop.LogControl1 at its standard path. A bus that is not there, or that goes away,
/// is tried again. Main thread.
class Bus {
public:
    /// Nothing is sent before start(). With BusKind::none nothing ever is.
    Bus(EventLoop& loop, Log& log, BusKind kind, const std::string& instance);
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;
    ~Bus();

    /// `settled` is called once, when it is known how it stands: the name is ours, or why the
    /// daemon goes on without (local_io, permission). `exists` is an error for the daemon: another
    /// one has the name.
    void start(modem::UniqueFunction<void(modem::Result<void>)> settled);
    /// Shows new values and signals those that changed.
    void show(ModemView view);
    /// True when a unit can be started.
    [[nodiscard]] bool connected() const;
    /// Asks systemd to start a unit; `done` gets its answer, not the end of the unit's job.
    void start_unit(const std::string& unit, modem::UniqueFunction<void(modem::Result<void>)> done);

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace service
