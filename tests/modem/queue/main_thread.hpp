// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "modem/function.hpp"

namespace modem {

/// Plays the main thread: collects what is posted and runs it where the test says.
class MainThread {
public:
    Post post() {
        return [this](UniqueFunction<void()> task) {
            {
                const std::lock_guard lock(mutex_);
                tasks_.push_back(std::move(task));
            }
            arrived_.notify_all();
        };
    }

    /// Runs what is there; returns how much that was.
    std::size_t run() {
        std::deque<UniqueFunction<void()>> tasks;
        {
            const std::lock_guard lock(mutex_);
            tasks.swap(tasks_);
        }
        for (auto& task : tasks) {
            task();
        }
        return tasks.size();
    }

    /// Runs tasks as they come until `done`; false after `limit`.
    bool run_until(const std::function<bool()>& done,
                   std::chrono::seconds limit = std::chrono::seconds(20)) {
        const auto end = std::chrono::system_clock::now() + limit;
        while (!done()) {
            if (std::chrono::system_clock::now() > end) {
                return false;
            }
            {
                std::unique_lock lock(mutex_);
                arrived_.wait_until(lock,
                                    std::min(end, std::chrono::system_clock::now() + poll_interval),
                                    [this] { return !tasks_.empty(); });
            }
            run();
        }
        return true;
    }

private:
    static constexpr std::chrono::milliseconds poll_interval{20};
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<UniqueFunction<void()>> tasks_;
};

}  // namespace modem
