// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config/config.hpp"
#include "modem/at/channel.hpp"
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

/// The modem thread: opens the line, brings the link up, runs jobs one after the other, heals what
/// breaks, closes an idle session. Owns line, channel and dialect.
class Worker {
public:
    /// Nothing happens before start(). `post` as for JobQueue. `hidden_listing` is what was learnt
    /// before about this server.
    Worker(const config::Config& config, Secrets secrets, JobQueue& queue, Post post,
           WorkerEvents events, std::optional<bool> hidden_listing = {});
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
    /// Live part of a reloaded config (timeouts, transfer way, idle-timeout).
    void apply(const config::Config& config);

private:
    struct Body;
    std::unique_ptr<Body> body_;
    std::thread thread_;
};

}  // namespace modem
