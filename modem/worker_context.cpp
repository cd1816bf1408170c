// SPDX-License-Identifier: MIT
#include "modem/worker_context.hpp"

#include <utility>

namespace modem {

WorkerContext::WorkerContext(const config::Config& config, Secrets secrets, JobQueue& jobs,
                             Post post, WorkerEvents events, std::optional<bool> hidden_listing,
                             WorkerSeams surroundings)
    : queue(jobs),
      seams(std::move(surroundings)),
      config_(std::make_shared<config::Config>(config)),
      secrets_(std::move(secrets)),
      last_alive_(Clock::now().time_since_epoch().count()),
      post_(std::move(post)),
      events_(std::make_shared<WorkerEvents>(std::move(events))),
      has_power_cycle_(static_cast<bool>(events_->power_cycle)) {
    status_.hidden_listing = hidden_listing;
    if (!config.log.trace.empty()) {
        trace_file_ = config.log.trace;
    }
}

std::shared_ptr<const config::Config> WorkerContext::config() const {
    const std::lock_guard lock(mutex_);
    return config_;
}

std::uint64_t WorkerContext::generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
}

Secrets WorkerContext::secrets() const {
    const std::lock_guard lock(mutex_);
    return secrets_;
}

void WorkerContext::replace(std::shared_ptr<const config::Config> config) {
    const std::lock_guard lock(mutex_);
    config_ = std::move(config);
    ++generation_;
}

void WorkerContext::replace(Secrets secrets) {
    const std::lock_guard lock(mutex_);
    secrets_ = std::move(secrets);
    ++generation_;
}

LinkStatus WorkerContext::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

std::map<std::string, std::uint64_t> WorkerContext::commands_by_name() const {
    const std::lock_guard lock(mutex_);
    auto all = commands_;
    if (channel_ != nullptr) {
        for (const auto& [command, count] : channel_->commands_by_name()) {
            all[command] += count;
        }
    }
    return all;
}

void WorkerContext::set_channel(const Channel* channel) {
    const std::lock_guard lock(mutex_);
    if (channel_ != nullptr) {
        for (const auto& [command, count] : channel_->commands_by_name()) {
            commands_[command] += count;
        }
    }
    channel_ = channel;
}

void WorkerContext::set_trace_file(std::string path) {
    const std::lock_guard lock(mutex_);
    trace_file_ = std::move(path);
}

std::optional<std::string> WorkerContext::take_trace_file() {
    const std::lock_guard lock(mutex_);
    return std::exchange(trace_file_, std::nullopt);
}

Clock::time_point WorkerContext::last_alive() const {
    return Clock::time_point(Clock::duration(last_alive_.load()));
}

void WorkerContext::alive() {
    last_alive_ = Clock::now().time_since_epoch().count();
}

void WorkerContext::forget_owner() {
    *events_ = {};
}

void WorkerContext::publish(const std::function<void(LinkStatus&)>& change) {
    LinkStatus now;
    {
        const std::lock_guard lock(mutex_);
        change(status_);
        now = status_;
    }
    post_([events = events_, now = std::move(now)] {
        if (events->status) {
            events->status(now);
        }
    });
}

void WorkerContext::log(int level, std::string line) {
    post_([events = events_, level, line = std::move(line)] {
        if (events->log) {
            events->log(level, line);
        }
    });
}

bool WorkerContext::can_power_cycle() const {
    const auto now = config();
    return has_power_cycle_ &&
           (!now->modem.reset_unit.empty() || !now->modem.reset_command.empty());
}

void WorkerContext::power_cycle() {
    post_([events = events_] {
        if (events->power_cycle) {
            events->power_cycle();
        }
    });
}

}  // namespace modem
