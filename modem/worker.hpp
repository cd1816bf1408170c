// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "config/config.hpp"
#include "modem/at/channel.hpp"
#include "modem/dialects/registry.hpp"
#include "modem/ftp/dialect.hpp"
#include "modem/job_queue.hpp"

namespace modem {

/// absent → opening → probing → sim → registering → bearer → ready ⇄ session; failed needs a
/// person.
enum class LinkState { absent, opening, probing, sim, registering, bearer, ready, session, failed };
[[nodiscard]] std::string_view name(LinkState state);

/// What is known about the link, as one value. Compared to tell whether anything changed.
struct LinkStatus {
    LinkState state = LinkState::absent;
    std::string dialect;  ///< empty until identified
    Identity identity;
    std::optional<Capabilities> capabilities;
    std::string line;           ///< ByteStream::describe()
    std::string operator_name;  ///< AT+COPS?
    int signal = 99;            ///< AT+CSQ: 0..31, 99 unknown
    std::string address;        ///< bearer's
    std::string recovering;     ///< rung of the recovery ladder being tried, empty: none
    std::optional<Error> last_error;
    std::optional<bool> hidden_listing;  ///< learnt: LIST -a works on this server
};

/// Events for the owner, posted to the main thread.
struct WorkerEvents {
    UniqueFunction<void(const LinkStatus&)> status;           ///< after each change
    UniqueFunction<void(int level, const std::string&)> log;  ///< syslog level, one line
    /// Rung "power-cycle" of the ladder: start `modem.reset-unit` or run `modem.reset-command`.
    UniqueFunction<void()> power_cycle;
};

/// Secrets that come from files or credentials rather than from the config.
struct Secrets {
    std::string ftp_password;
    std::string sim_pin;
    std::string apn_password;
};

/// How long the worker gives the module; tests make it brief.
struct WorkerTiming {
    milliseconds slice{500};              ///< longest wait without a sign of life
    milliseconds sync_answer{500};        ///< one AT of a module that should be awake
    milliseconds guard{1000};             ///< silence around "+++"
    milliseconds boot{40'000};            ///< from a reset to the first answer
    milliseconds reopen{1000};            ///< between two tries to open the line
    milliseconds sim{30'000};             ///< for a SIM that is busy
    milliseconds poll_first{500};         ///< between two questions for the registration,
    milliseconds poll_most{5'000};        ///< growing up to this
    milliseconds registration{180'000};   ///< until no_service
    milliseconds back_off_first{1'000};   ///< between two tries to heal the link,
    milliseconds back_off_most{30'000};   ///< growing up to this
    milliseconds reset_spacing{300'000};  ///< between two soft resets
    milliseconds power_spacing{1'800'000};
    milliseconds person{300'000};  ///< until a login that was refused is tried again
    milliseconds keep_alive{50'000};
    milliseconds goodbye{1'500};  ///< to leave the module in order when the daemon ends
};

/// What stands around the worker; tests replace it.
struct WorkerSeams {
    std::span<const DialectEntry> families = dialects();
    std::function<Result<std::unique_ptr<ByteStream>>(const config::Line&, const Interrupt&)>
        open_line;
    std::function<Result<void>(const config::Line&, Wait)> await_device;
    WorkerTiming timing;
    WorkerSeams();  ///< the real ones
};

/// The modem thread: opens the line, brings the link up, runs jobs one after the other, heals what
/// breaks, closes an idle session. Owns line, channel and dialect.
class Worker {
public:
    /// Nothing happens before start(). `post` as for JobQueue. `hidden_listing` is what was learnt
    /// before about this server.
    Worker(const config::Config& config, Secrets secrets, JobQueue& queue, Post post,
           WorkerEvents events, std::optional<bool> hidden_listing = {}, WorkerSeams seams = {});
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();  ///< stop()

    void start();
    /// Ends the thread: interrupts, logs out if that is quick (≤ 2 s), closes the line. Idempotent.
    void stop();

    // ---- any thread -------------------------------------------------------------------------
    [[nodiscard]] LinkStatus status() const;
    /// Line bytes, payload bytes and AT commands since start.
    [[nodiscard]] const LineCounters& counters() const;
    [[nodiscard]] std::map<std::string, std::uint64_t> commands_by_name() const;
    /// Monotonic time of the thread's last sign of life, for the watchdog.
    [[nodiscard]] Clock::time_point last_alive() const;
    void set_trace_file(const std::string& path);  ///< takes effect before the next command
    void reconnect();  ///< closes the line and brings it up again, at the next safe point
    void reset();      ///< soft reset, then reconnect
    /// Live part of a reloaded config (timeouts, transfer way, idle-timeout). A link that had
    /// failed is tried again.
    void apply(const config::Config& config);
    /// Secrets that were read again. A SIM PIN that was refused is not tried twice: a new one is
    /// what helps.
    void set_secrets(Secrets secrets);

private:
    struct Body;
    std::unique_ptr<Body> body_;
    std::thread thread_;
};

}  // namespace modem
