// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "daemon/bus.hpp"
#include "daemon/power.hpp"
#include "modem/fd.hpp"
#include "tests/config/temporary_directory.hpp"

namespace service {
namespace {

using namespace std::chrono_literals;

/// A dbus-daemon of this test's own, which starts no services of the machine.
class PrivateBus {
public:
    explicit PrivateBus(const std::filesystem::path& directory) {
        const std::string config = directory / "bus.conf";
        std::ofstream(config)
            << "<busconfig><type>session</type><listen>unix:dir=" << directory.string()
            << "</listen><policy context=\"default\"><allow send_destination=\"*\"/>"
               "<allow own=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>";
        int ends[2];
        if (::pipe(ends) != 0) {
            return;
        }
        const modem::Fd reader(ends[0]);
        modem::Fd writer(ends[1]);
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_adddup2(&files, writer.get(), STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&files, reader.get());
        std::array<std::string, 4> words = {"dbus-daemon", "--config-file=" + config, "--nofork",
                                            "--print-address"};
        char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                        nullptr};
        if (::posix_spawnp(&pid_, argv[0], &files, nullptr, argv, environ) != 0) {
            pid_ = 0;
        }
        posix_spawn_file_actions_destroy(&files);
        writer.reset();
        std::array<char, 512> text{};
        const ssize_t size = ::read(reader.get(), text.data(), text.size());
        address_.assign(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        address_.resize(std::min(address_.find('\n'), address_.size()));
    }
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;
    ~PrivateBus() { end(); }
    void end() {
        if (pid_ > 0) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    pid_t pid_ = 0;
    std::string address_;
};

/// Another program on the bus; its calls block, so it lives in a thread of its own.
class Client {
public:
    Client() { sd_bus_open_user(&bus_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { sd_bus_flush_close_unref(bus_); }

    std::string get(const char* path, const char* interface, const char* property) {
        char* text = nullptr;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        const int result =
            sd_bus_get_property_string(bus_, service, path, interface, property, &error, &text);
        std::string value = result < 0 ? std::string("error: ") + error.message : text;
        std::free(text);
        sd_bus_error_free(&error);
        return value;
    }
    std::string set(const char* property, const char* value) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        const int result =
            sd_bus_set_property(bus_, service, "/org/freedesktop/LogControl1",
                                "org.freedesktop.LogControl1", property, &error, "s", value);
        std::string outcome = result < 0 ? error.message : "";
        sd_bus_error_free(&error);
        return outcome;
    }
    /// Names in the next PropertiesChanged of the modem object, after `provoke` has run.
    std::string changed_after(const std::function<void()>& provoke) {
        std::string names;
        sd_bus_slot* slot = nullptr;
        const auto note = [](sd_bus_message* signal, void* data, sd_bus_error*) noexcept -> int {
            auto& out = *static_cast<std::string*>(data);
            const char* word = nullptr;
            sd_bus_message_skip(signal, "s");
            sd_bus_message_enter_container(signal, 'a', "{sv}");
            while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
                const char* value = nullptr;
                sd_bus_message_read(signal, "s", &word);
                sd_bus_message_read(signal, "v", "s", &value);
                out += std::string(word) + "=" + value + ";";
                sd_bus_message_exit_container(signal);
            }
            return 0;
        };
        sd_bus_match_signal(bus_, &slot, service, "/org/modemftp1",
                            "org.freedesktop.DBus.Properties", "PropertiesChanged", note, &names);
        provoke();
        const auto limit = std::chrono::steady_clock::now() + 10s;
        while (names.empty() && std::chrono::steady_clock::now() < limit) {
            if (sd_bus_process(bus_, nullptr) == 0) {
                sd_bus_wait(bus_, 100'000);
            }
        }
        sd_bus_slot_unref(slot);
        return names;
    }

private:
    static constexpr const char* service = "org.modemftp1.site";
    sd_bus* bus_ = nullptr;
};

class BusTest : public TemporaryDirectory {
protected:
    BusTest() : daemon_(path()), log_("modemftpd", "site"), loop_(std::move(*EventLoop::create())) {
        ::setenv("DBUS_SESSION_BUS_ADDRESS", daemon_.address().c_str(), 1);
        log_.set_level(LOG_EMERG);
    }
    ~BusTest() override { ::unsetenv("DBUS_SESSION_BUS_ADDRESS"); }

    /// Serves the loop until `done`; false after twenty seconds.
    bool until(const std::function<bool()>& done) {
        const auto limit = std::chrono::steady_clock::now() + 20s;
        while (!done() && std::chrono::steady_clock::now() < limit) {
            sd_event_run(loop_->get(), 50'000);
        }
        return done();
    }
    modem::Result<void> settle(Bus& bus) {
        std::optional<modem::Result<void>> outcome;
        bus.start([&](modem::Result<void> how) { outcome = std::move(how); });
        EXPECT_TRUE(until([&] { return outcome.has_value(); }));
        return outcome.value_or(modem::fail(modem::Errc::timed_out, "never settled"));
    }
    /// Serves the loop while another program does its work.
    void beside(const std::function<void(Client&)>& work) {
        std::atomic<bool> ended = false;
        std::thread other([&] {
            Client client;
            work(client);
            ended = true;
        });
        EXPECT_TRUE(until([&] { return ended.load(); }));
        other.join();
    }
    Log& log() { return log_; }
    EventLoop& loop() { return *loop_; }
    PrivateBus& daemon() { return daemon_; }

private:
    PrivateBus daemon_;
    Log log_;
    std::unique_ptr<EventLoop> loop_;
};

constexpr const char* modem_path = "/org/modemftp1";
constexpr const char* modem_interface = "org.modemftp1.Modem";
constexpr const char* log_path = "/org/freedesktop/LogControl1";
constexpr const char* log_interface = "org.freedesktop.LogControl1";

TEST_F(BusTest, ShowsTheModem) {
    Bus bus(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(bus));
    bus.show({"registering", "fibocom-l610", "no service"});
    beside([](Client& client) {
        EXPECT_EQ(client.get(modem_path, modem_interface, "State"), "registering");
        EXPECT_EQ(client.get(modem_path, modem_interface, "Dialect"), "fibocom-l610");
        EXPECT_EQ(client.get(modem_path, modem_interface, "LastError"), "no service");
    });
}

TEST_F(BusTest, SignalsWhatChangedAndNothingElse) {
    Bus bus(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(bus));
    bus.show({"bearer", "fibocom-l610", ""});
    beside([&](Client& client) {
        const auto names = client.changed_after([&] {
            loop().post()([&bus] {
                bus.show({"bearer", "fibocom-l610", ""});  // no change, no signal
                bus.show({"ready", "fibocom-l610", ""});
            });
        });
        EXPECT_EQ(names, "State=ready;");
    });
}

TEST_F(BusTest, LogLevelAndTargetCanBeChanged) {
    Bus bus(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(bus));
    beside([](Client& client) {
        EXPECT_EQ(client.get(log_path, log_interface, "SyslogIdentifier"), "modemftpd");
        EXPECT_EQ(client.set("LogLevel", "debug"), "");
        EXPECT_EQ(client.get(log_path, log_interface, "LogLevel"), "debug");
        EXPECT_NE(client.set("LogLevel", "loud").find("is not a level"), std::string::npos);
        EXPECT_EQ(client.get(log_path, log_interface, "LogLevel"), "debug");
        EXPECT_EQ(client.set("LogTarget", "journal"), "");
        EXPECT_EQ(client.get(log_path, log_interface, "LogTarget"), "journal");
        EXPECT_EQ(client.set("LogTarget", "console"), "");
        EXPECT_NE(client.set("LogTarget", "printer").find("is not a target"), std::string::npos);
    });
    EXPECT_EQ(log().level(), LOG_DEBUG);
    log().set_level(LOG_EMERG);
}

TEST_F(BusTest, ANameThatIsTakenIsToldApart) {
    Bus first(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(first));
    Bus second(loop(), log(), BusKind::session, "site");
    const auto outcome = settle(second);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, modem::Errc::exists);
    EXPECT_NE(outcome.error().what.find("org.modemftp1.site is taken on the session bus"),
              std::string::npos);
}

TEST_F(BusTest, ABusThatIsNotThereStopsNobody) {
    ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    Bus bus(loop(), log(), BusKind::session, "site");
    const auto outcome = settle(bus);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, modem::Errc::local_io);
    EXPECT_FALSE(bus.connected());
    bus.show({"ready", "", ""});
}

TEST_F(BusTest, ABusThatComesBackIsJoinedAgain) {
    Bus bus(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(bus));
    daemon().end();
    EXPECT_TRUE(until([&] { return !bus.connected(); }));
    const PrivateBus next(path());
    ::setenv("DBUS_SESSION_BUS_ADDRESS", next.address().c_str(), 1);
    EXPECT_TRUE(until([&] { return bus.connected(); }));
    bus.show({"ready", "", ""});
    beside([](Client& client) {
        EXPECT_EQ(client.get(modem_path, modem_interface, "State"), "ready");
    });
}

TEST_F(BusTest, WithoutABusItIsSettledAtOnce) {
    Bus bus(loop(), log(), BusKind::none, "site");
    EXPECT_TRUE(settle(bus));
    EXPECT_FALSE(bus.connected());
}

TEST_F(BusTest, PowerFallsBackToTheCommandWhenTheUnitCannotBeStarted) {
    Bus bus(loop(), log(), BusKind::session, "site");
    ASSERT_TRUE(settle(bus));
    Power power(loop(), bus, log());
    config::Modem config;
    config.reset_unit = "modem-reset.service";  // nobody is org.freedesktop.systemd1 here
    const std::string proof = path() / "cycled";
    config.reset_command = {"touch", proof};
    power.cycle(config);
    EXPECT_TRUE(until([&] { return std::filesystem::exists(proof); }));
}

TEST_F(BusTest, PowerRunsTheCommandWithoutABus) {
    Bus bus(loop(), log(), BusKind::none, "site");
    Power power(loop(), bus, log());
    config::Modem config;
    const std::string proof = path() / "cycled";
    config.reset_command = {"sh", "-c", "echo done > \"$0\"", proof};
    power.cycle(config);
    EXPECT_TRUE(until([&] { return std::filesystem::exists(proof); }));
}

}  // namespace
}  // namespace service
