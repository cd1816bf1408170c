// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "modem/worker.hpp"

namespace modem {

/// What the worker's parts share with each other and with the other threads. Each member says who
/// may touch it.
class WorkerContext {
public:
    WorkerContext(const config::Config& config, Secrets secrets, JobQueue& queue, Post post,
                  WorkerEvents events, std::optional<bool> hidden_listing, WorkerSeams seams);

    // ---- fixed at construction ----
    JobQueue& queue;
    const WorkerSeams seams;

    // ---- any thread ----
    LineCounters counters;
    /// Ends waits outside of jobs: stop, reconnect, reset. Jobs are interrupted by the queue's.
    Interrupt attention;
    std::atomic<bool> stopping{false};
    std::atomic<bool> reconnect_wanted{false};
    std::atomic<bool> reset_wanted{false};

    [[nodiscard]] std::shared_ptr<const config::Config> config() const;
    /// Grows whenever config or secrets were replaced.
    [[nodiscard]] std::uint64_t generation() const;
    [[nodiscard]] Secrets secrets() const;
    void replace(std::shared_ptr<const config::Config> config);
    void replace(Secrets secrets);
    [[nodiscard]] LinkStatus status() const;
    [[nodiscard]] std::map<std::string, std::uint64_t> commands_by_name() const;
    void set_trace_file(std::string path);
    [[nodiscard]] Clock::time_point last_alive() const;
    void alive();
    /// The owner is going away: nothing is posted to it any more. Main thread.
    void forget_owner();

    // ---- modem thread ----
    /// Changes the status and tells the owner.
    void publish(const std::function<void(LinkStatus&)>& change);
    void log(int level, std::string line);
    void power_cycle();
    [[nodiscard]] bool can_power_cycle() const;
    std::optional<std::string> take_trace_file();
    /// The channel whose counts belong to commands_by_name(); nullptr: it is about to go.
    void set_channel(const Channel* channel);

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const config::Config> config_;
    Secrets secrets_;
    std::uint64_t generation_ = 0;
    LinkStatus status_;
    std::optional<std::string> trace_file_;
    std::map<std::string, std::uint64_t> commands_;  ///< of channels that are gone
    const Channel* channel_ = nullptr;
    std::atomic<Clock::rep> last_alive_;
    Post post_;
    std::shared_ptr<WorkerEvents> events_;  ///< touched on the main thread alone
    bool has_power_cycle_ = false;
};

}  // namespace modem
