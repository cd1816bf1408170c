// SPDX-License-Identifier: MIT
#include "daemon/bus.hpp"

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include <chrono>
#include <system_error>
#include <utility>

namespace service {
namespace {

using modem::Errc;
using Settled = modem::UniqueFunction<void(modem::Result<void>)>;

template <auto function>
struct Release {
    template <typename T>
    void operator()(T* object) const {
        function(object);
    }
};
using BusPtr = std::unique_ptr<sd_bus, Release<sd_bus_close_unref>>;
using SlotPtr = std::unique_ptr<sd_bus_slot, Release<sd_bus_slot_unref>>;

constexpr const char* modem_path = "/org/modemftp1";
constexpr const char* modem_interface = "org.modemftp1.Modem";
constexpr const char* log_path = "/org/freedesktop/LogControl1";
constexpr const char* log_interface = "org.freedesktop.LogControl1";
constexpr std::chrono::seconds retry_interval{5};
constexpr std::uint64_t call_timeout = 5'000'000;  // µs; a bus daemon that answers slower is stuck

std::string message(int result) {
    return std::generic_category().message(-result);
}

/// The property of org.modemftp1.Modem by its D-Bus name.
const std::string& property_of(const ModemView& view, std::string_view name) {
    return name == "State" ? view.state : name == "Dialect" ? view.dialect : view.last_error;
}

int get_modem_property(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                       const char* property, sd_bus_message* reply, void* data,
                       sd_bus_error* /*error*/) noexcept {
    const auto& view = *static_cast<const ModemView*>(data);
    return sd_bus_message_append(reply, "s", property_of(view, property).c_str());
}

constexpr const char* target_name(LogTarget target) {
    return target == LogTarget::journal ? "journal" : "console";
}

int get_log_property(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                     const char* property, sd_bus_message* reply, void* data,
                     sd_bus_error* /*error*/) noexcept {
    const auto& log = *static_cast<const Log*>(data);
    const std::string_view name = property;
    const std::string value = name == "LogLevel"    ? std::string(level_name(log.level()))
                              : name == "LogTarget" ? target_name(log.target())
                                                    : log.identifier();
    return sd_bus_message_append(reply, "s", value.c_str());
}

int set_log_level(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                  const char* /*property*/, sd_bus_message* value, void* data,
                  sd_bus_error* error) noexcept {
    const char* text = nullptr;
    if (const int result = sd_bus_message_read(value, "s", &text); result < 0) {
        return result;
    }
    const int level = level_by_name(text);
    if (level < 0) {
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "\"%s\" is not a level; expected emerg, alert, crit, err, "
                                 "warning, notice, info or debug",
                                 text);
    }
    static_cast<Log*>(data)->set_level(level);
    return 0;
}

int set_log_target(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                   const char* /*property*/, sd_bus_message* value, void* data,
                   sd_bus_error* error) noexcept {
    const char* text = nullptr;
    if (const int result = sd_bus_message_read(value, "s", &text); result < 0) {
        return result;
    }
    auto& log = *static_cast<Log*>(data);
    const std::string_view target = text;
    if (target == "journal") {
        log.set_target(LogTarget::journal);
    } else if (target == "console") {
        log.set_target(LogTarget::prefixed);
    } else if (target == "auto") {
        log.set_target(Log::detect_target());
    } else {
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "\"%s\" is not a target; expected journal, console or auto", text);
    }
    return 0;
}

constexpr auto announced = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;

const sd_bus_vtable modem_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("State", "s", get_modem_property, 0, announced),
    SD_BUS_PROPERTY("Dialect", "s", get_modem_property, 0, announced),
    SD_BUS_PROPERTY("LastError", "s", get_modem_property, 0, announced),
    SD_BUS_VTABLE_END,
};

// Writing is for root and for the daemon's own user: sd-bus asks for that by default.
const sd_bus_vtable log_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_log_property, set_log_level, 0, 0),
    SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_log_property, set_log_target, 0, 0),
    SD_BUS_PROPERTY("SyslogIdentifier", "s", get_log_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

}  // namespace

struct Bus::Body {
    EventLoop& loop;
    Log& log;
    BusKind kind;
    std::string name;
    ModemView view;
    Settled settled;
    modem::UniqueFunction<void(modem::Result<void>)> unit_done;
    bool complained = false;  ///< one warning for a bus that stays away
    BusPtr bus;
    SlotPtr modem_slot, log_slot, disconnected_slot, name_slot, unit_slot;
    Source retry;

    [[nodiscard]] std::string_view kind_name() const {
        return kind == BusKind::system ? "system" : "session";
    }
    void settle(modem::Result<void> outcome) {
        if (auto callback = std::exchange(settled, {})) {
            callback(std::move(outcome));
        }
    }
    void connect();
    int open();
    int serve();
    void close();
    void try_later(const std::string& why);
    void name_answer(sd_bus_message* reply);
};

void Bus::Body::connect() {
    close();
    int result = open();
    if (result >= 0) {
        result = serve();
    }
    if (result < 0) {
        try_later(message(result));
    }
}

int Bus::Body::open() {
    sd_bus* opened = nullptr;
    int result = kind == BusKind::system ? sd_bus_open_system(&opened) : sd_bus_open_user(&opened);
    if (result < 0) {
        return result;
    }
    bus.reset(opened);
    sd_bus_set_method_call_timeout(bus.get(), call_timeout);
    result = sd_bus_attach_event(bus.get(), loop.get(), SD_EVENT_PRIORITY_NORMAL);
    return result;
}

int Bus::Body::serve() {
    sd_bus_slot* slot = nullptr;
    int result = sd_bus_add_object_vtable(bus.get(), &slot, modem_path, modem_interface,
                                          modem_vtable, &view);
    modem_slot.reset(result < 0 ? nullptr : slot);
    if (result >= 0) {
        result =
            sd_bus_add_object_vtable(bus.get(), &slot, log_path, log_interface, log_vtable, &log);
        log_slot.reset(result < 0 ? nullptr : slot);
    }
    if (result >= 0) {
        const auto gone = [](sd_bus_message* /*signal*/, void* data,
                             sd_bus_error* /*error*/) noexcept -> int {
            static_cast<Body*>(data)->try_later("connection lost");
            return 0;
        };
        result = sd_bus_match_signal(bus.get(), &slot, "org.freedesktop.DBus.Local",
                                     "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                     "Disconnected", gone, this);
        disconnected_slot.reset(result < 0 ? nullptr : slot);
    }
    if (result >= 0) {
        const auto answered = [](sd_bus_message* reply, void* data,
                                 sd_bus_error* /*error*/) noexcept -> int {
            static_cast<Body*>(data)->name_answer(reply);
            return 0;
        };
        result = sd_bus_request_name_async(bus.get(), &slot, name.c_str(), 0, answered, this);
        name_slot.reset(result < 0 ? nullptr : slot);
    }
    return result;
}

void Bus::Body::name_answer(sd_bus_message* reply) {
    constexpr std::uint32_t owner = 1;
    constexpr std::uint32_t in_queue_or_taken = 3;
    if (sd_bus_message_is_method_error(reply, nullptr) > 0) {
        const std::string why = sd_bus_message_get_error(reply)->message;
        log.warning(fmt::format("may not be {} on the {} bus: {}", name, kind_name(), why));
        settle(modem::fail(Errc::permission, why));
        return;
    }
    std::uint32_t code = 0;
    sd_bus_message_read(reply, "u", &code);
    if (code == owner) {
        complained = false;
        log.info(fmt::format("is {} on the {} bus", name, kind_name()));
        settle({});
    } else if (code == in_queue_or_taken) {
        const std::string what = fmt::format(
            "the name {} is taken on the {} bus: another modemftpd of this instance runs; stop it, "
            "or give --name, or --bus none",
            name, kind_name());
        if (!settled) {
            log.error(what);
        }
        settle(modem::fail(Errc::exists, what));
    }
}

void Bus::Body::try_later(const std::string& why) {
    const std::string what =
        fmt::format("the {} bus cannot be reached: {}; going on without it", kind_name(), why);
    if (!std::exchange(complained, true)) {
        log.warning(what);
    }
    if (auto done = std::exchange(unit_done, {})) {
        done(modem::fail(Errc::local_io, what));
    }
    auto timer = loop.every(retry_interval, [this] {
        retry.reset();
        connect();
    });
    if (timer) {
        retry = *std::move(timer);
    }
    settle(modem::fail(Errc::local_io, what));
}

void Bus::Body::close() {
    unit_slot.reset();
    name_slot.reset();
    disconnected_slot.reset();
    log_slot.reset();
    modem_slot.reset();
    bus.reset();
}

Bus::Bus(EventLoop& loop, Log& log, BusKind kind, const std::string& instance)
    : body_(new Body{.loop = loop, .log = log, .kind = kind, .name = "org.modemftp1." + instance}) {
}

Bus::~Bus() {
    body_->close();
}

void Bus::start(Settled settled) {
    body_->settled = std::move(settled);
    if (body_->kind == BusKind::none) {
        body_->settle({});
    } else {
        body_->connect();
    }
}

void Bus::show(ModemView view) {
    const ModemView old = std::exchange(body_->view, std::move(view));
    if (!connected()) {
        return;
    }
    const char* changed[4] = {};
    std::size_t count = 0;
    for (const char* property : {"State", "Dialect", "LastError"}) {
        if (property_of(old, property) != property_of(body_->view, property)) {
            changed[count++] = property;
        }
    }
    if (count > 0) {
        sd_bus_emit_properties_changed_strv(body_->bus.get(), modem_path, modem_interface,
                                            const_cast<char**>(changed));
    }
}

bool Bus::connected() const {
    return body_->bus && sd_bus_is_ready(body_->bus.get()) > 0;
}

void Bus::start_unit(const std::string& unit, Settled done) {
    if (!connected() || body_->unit_done) {
        done(modem::fail(Errc::local_io,
                         connected() ? fmt::format("{} is being started already", unit)
                                     : fmt::format("{} cannot be started without a bus", unit)));
        return;
    }
    const auto answered = [](sd_bus_message* reply, void* data,
                             sd_bus_error* /*error*/) noexcept -> int {
        auto callback = std::exchange(static_cast<Body*>(data)->unit_done, {});
        const bool refused = sd_bus_message_is_method_error(reply, nullptr) > 0;
        callback(refused ? modem::Result<void>(modem::fail(
                               Errc::local_io, sd_bus_message_get_error(reply)->message))
                         : modem::Result<void>());
        return 0;
    };
    sd_bus_slot* slot = nullptr;
    const int result =
        sd_bus_call_method_async(body_->bus.get(), &slot, "org.freedesktop.systemd1",
                                 "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                 "StartUnit", answered, body_.get(), "ss", unit.c_str(), "replace");
    if (result < 0) {
        done(modem::fail(Errc::local_io, message(result)));
        return;
    }
    body_->unit_slot.reset(slot);
    body_->unit_done = std::move(done);
}

}  // namespace service
