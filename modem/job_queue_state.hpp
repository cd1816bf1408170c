// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "modem/job_queue.hpp"

namespace modem {

/// Everything under one mutex. A completion leaves it as a Delivery, so that none is ever posted,
/// much less called, while the mutex is held.
struct JobQueue::State {
    struct Asker {
        JobPtr job;
        Completion done;
        Clock::time_point since;
    };
    struct Delivery {
        Completion done;
        Result<Answer> answer;
    };
    using Deliveries = std::vector<Delivery>;
    using Key = std::pair<JobKind, RemotePath>;

    static std::size_t index(Priority priority) { return static_cast<std::size_t>(priority); }

    explicit State(Post p) : post(std::move(p)) {}

    void deliver(Deliveries deliveries) {
        for (Delivery& delivery : deliveries) {
            post([done = std::move(delivery.done), answer = std::move(delivery.answer)]() mutable {
                done(std::move(answer));
            });
        }
    }

    // ---- all below: mutex held ----
    void forget(const JobPtr& job) {
        job->state_ = Job::State::done;
        if (running == job) {
            running = nullptr;
        }
        const auto found = joinable.find(Key(job->kind_, job->path_));
        if (found != joinable.end() && found->second == job) {
            joinable.erase(found);
        }
    }

    void unqueue(const JobPtr& job) {
        auto& queue = waiting[index(job->priority_)];
        queue.erase(std::remove(queue.begin(), queue.end(), job), queue.end());
    }

    /// Takes one ticket out. Its job ends with its last one.
    void answer(Ticket ticket, Result<Answer> result, Deliveries& out) {
        const auto found = askers.find(ticket);
        if (found == askers.end()) {
            return;
        }
        const JobPtr job = std::move(found->second.job);
        out.push_back({std::move(found->second.done), std::move(result)});
        askers.erase(found);
        std::erase(job->tickets_, ticket);
    }

    /// A job that nobody wants any more. True when it runs and has to be interrupted.
    bool abandon(const JobPtr& job) {
        if (!job->tickets_.empty() || job->state_ == Job::State::done) {
            return false;
        }
        job->cancelled_ = true;
        if (running == job) {
            // Nobody may join it now: it ends without an answer.
            const auto found = joinable.find(Key(job->kind_, job->path_));
            if (found != joinable.end() && found->second == job) {
                joinable.erase(found);
            }
            return true;
        }
        unqueue(job);
        forget(job);
        return false;
    }

    [[nodiscard]] bool waits_before(Priority limit) const {
        for (std::size_t i = 0; i < index(limit); ++i) {
            if (!waiting[i].empty()) {
                return true;
            }
        }
        return false;
    }

    void requeue(const JobPtr& job, Priority priority) {
        if (job->state_ == Job::State::queued) {
            unqueue(job);
            waiting[index(priority)].push_back(job);
        }
        job->priority_ = priority;
    }

    mutable std::mutex mutex;
    Post post;
    std::array<std::deque<JobPtr>, 5> waiting;
    JobPtr running;
    std::map<Ticket, Asker> askers;
    std::map<Key, JobPtr> joinable;
    std::uint64_t last_job = 0;
    Ticket last_ticket = 0;
    bool is_paused = false;
    bool closed = false;
    Clock::time_point progress = Clock::now();
    Error link{Errc::link_down, 0, "the link has not been up yet"};
    Totals totals;
};

}  // namespace modem
