// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "tests/emulator/family.hpp"
#include "tests/emulator/ftp_client.hpp"
#include "tests/emulator/log.hpp"
#include "tests/emulator/loop.hpp"
#include "tests/emulator/quirks.hpp"
#include "tests/emulator/stats.hpp"
#include "tests/emulator/text.hpp"
#include "tests/emulator/wire.hpp"

namespace emulator {

/// Error numbers that every family shares (3GPP TS 27.007).
namespace cme {
constexpr int not_allowed = 3;
constexpr int not_supported = 4;
constexpr int sim_missing = 10;
constexpr int pin_required = 11;
constexpr int puk_required = 12;
constexpr int wrong_password = 16;
constexpr int memory_full = 20;
constexpr int text_too_long = 24;
constexpr int no_service = 30;
constexpr int bad_parameters = 50;
}  // namespace cme

/// The part of a module that all families have in common: command lines, echo, results, URCs, data
/// mode with its escape, SIM, registration, and the commands of V.250 and 27.007. Main thread.
class Modem {
public:
    enum class Sim { absent, pin, puk, ready };
    struct Settings {
        bool echo = true;  ///< after a boot
        bool noise = false;
        std::uint64_t noise_seed = 1;
        std::uint64_t fault_seed = 1;
        std::string pin = "1234";
        milliseconds boot_time{300};
        unsigned baud = 0;  ///< 0: the line is not paced, +IPR is only remembered
    };

    Modem(Wire& wire, FtpClient& ftp, Timers& timers, Stats& stats, Log& log, const Quirks& quirks,
          const FamilyEntry& family, Settings settings);

    // ---- the main loop ----------------------------------------------------------------------
    void receive(std::string_view bytes);
    void pump();
    void ftp_trace(const FtpTrace& trace) { family_->ftp_trace(trace); }

    // ---- for families: what belongs to the module --------------------------------------------
    [[nodiscard]] FtpClient& ftp() { return ftp_; }
    [[nodiscard]] Timers& timers() { return timers_; }
    [[nodiscard]] Stats& stats() { return stats_; }
    [[nodiscard]] Wire& wire() { return wire_; }
    [[nodiscard]] const Quirks& quirks() const { return quirks_; }
    /// 0, or the CME error that keeps every network command from working now.
    [[nodiscard]] int service_error() const;
    [[nodiscard]] bool bearer() const { return bearer_; }
    void set_bearer(bool up) { bearer_ = up; }
    /// A PDP context's `<type>,<apn>` as +CGDCONT set it, or empty.
    [[nodiscard]] std::string context(std::uint64_t id) const;
    /// A seeded choice, for quirks that come and go.
    [[nodiscard]] bool chance(unsigned one_in) { return random_() % one_in == 0; }

    // ---- for families: what goes to the host --------------------------------------------------
    enum class Lead { crlf, lf };
    /// A line of the answer to the running command.
    void answer(std::string_view text);
    /// `NAME:` with or without its blank, as the quirk wants it.
    [[nodiscard]] std::string tag(std::string_view name);
    /// The final result of the running command; exactly one of them, once.
    void ok();
    void error(int cme_code);
    void result(std::string_view text, std::string_view numeric);
    /// A line of the module's own; waits while the host types or payload is on its way.
    void urc(std::string_view text, Lead lead = Lead::crlf);
    /// Bytes as they are (payload, prompts).
    void raw(std::string_view bytes) { wire_.send(bytes); }
    /// Nothing of the host's is half typed and nothing half sent: data may begin.
    [[nodiscard]] bool line_free() const { return may_speak(); }
    /// The running command has not ended yet and waits for something.
    [[nodiscard]] bool pending() const { return running_; }

    // ---- for families: what comes from the host -----------------------------------------------
    /// Everything goes to Family::data() until leave_data_mode().
    void enter_data_mode();
    void leave_data_mode();
    [[nodiscard]] bool data_mode() const { return mode_ == Mode::data; }
    /// The next `count` bytes are payload, whatever they are; then command mode again.
    void expect_block(std::size_t count, std::function<void(std::string)> done);

    // ---- faults and the world outside ---------------------------------------------------------
    /// Power goes and comes back: banner, defaults, no bearer, no session.
    void reboot(bool banner = true);
    void set_sim(Sim sim);
    void set_registration(int state);
    void drop_bearer();
    void drop_dtr();
    void garble_next() { garble_ = true; }
    void flood(std::uint64_t count);
    /// The device vanished under the host: what was half typed is gone, the module lives on.
    void line_lost();
    /// Called for each command with its name ("AT+FTPLIST"), before it runs.
    std::function<void(const std::string& name)> on_command;

private:
    enum class Mode { command, data, block };

    void receive_command(char c);
    void run_line(std::string line);
    void run_next();
    void run(const Command& command);
    bool generic(const Command& command);
    bool generic_basic(const Command& command);
    bool generic_identity(const Command& command);
    bool generic_network(const Command& command);
    bool generic_registration(const Command& command);
    bool generic_service(const Command& command);
    void command_cmee(const Command& command);
    void command_cpin(const Command& command);
    void command_cfun(const Command& command);
    void command_ipr(const Command& command);
    void command_cgdcont(const Command& command);
    /// A setting that is only remembered: read, test and set forms.
    void remembered(const Command& command, std::string_view values, std::string_view fallback);
    void start_up(bool banner);
    void take_data(std::string_view bytes);
    void escape_seen();
    void line(std::string_view text, Lead lead = Lead::crlf);
    void noise();
    void flush_urcs();
    [[nodiscard]] bool may_speak() const;

    Wire& wire_;
    FtpClient& ftp_;
    Timers& timers_;
    Stats& stats_;
    Log& log_;
    const Quirks& quirks_;
    const FamilyEntry& entry_;
    Settings settings_;
    std::unique_ptr<Family> family_;
    std::mt19937_64 random_;
    std::mt19937_64 noise_random_;

    // The dialogue.
    std::string typed_;
    std::string last_line_;
    TimePoint typed_at_{};
    TimePoint result_at_{};
    std::deque<Command> chain_;
    std::string later_;  ///< typed while busy, with busy=queue
    std::deque<std::string> urcs_;
    std::function<void(std::string)> block_done_;
    std::size_t block_size_ = 0;
    std::string block_;

    // +++
    TimePoint data_at_{};
    std::string pluses_;
    Timers::Id escape_timer_ = 0;

    std::map<std::uint64_t, std::string> contexts_;
    std::map<std::string, std::string> settings_read_;

    Mode mode_ = Mode::command;
    int cmee_ = 0;
    Sim sim_ = Sim::ready;
    int pin_tries_ = 3;
    int registration_ = 1;
    int functionality_ = 1;
    unsigned baud_;
    bool paced_;
    bool bearer_ = false;
    bool booting_ = false;
    bool echo_ = true;
    bool verbose_ = true;
    bool quiet_ = false;
    bool running_ = false;  ///< a command has begun and its final result is not out
    bool early_ = false;    ///< the command being typed began too soon
    bool garble_ = false;
    bool noise_going_ = false;
};

}  // namespace emulator
