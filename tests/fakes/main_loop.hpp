// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "modem/function.hpp"

namespace fakes {

/// The main thread's loop in a test: collects what other threads post and runs it when the test
/// waits for something.
class MainLoop {
public:
    [[nodiscard]] modem::Post poster() {
        return [this](modem::UniqueFunction<void()> task) { post(std::move(task)); };
    }
    void post(modem::UniqueFunction<void()> task) {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        ready_.notify_one();
    }
    /// Runs what is posted until `condition` holds; false when it does not within `limit`.
    bool run_until(const std::function<bool()>& condition,
                   std::chrono::milliseconds limit = std::chrono::seconds(20)) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            std::unique_lock lock(mutex_);
            // In slices: what the condition looks at may change without a task.
            const auto slice = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
            if (!ready_.wait_until(lock, slice, [this] { return !tasks_.empty(); })) {
                lock.unlock();
                if (std::chrono::steady_clock::now() >= deadline) {
                    return condition();
                }
                continue;
            }
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
        }
        return true;
    }
    /// Runs what has been posted so far and what that posts; returns how many tasks ran.
    std::size_t run_posted() {
        std::size_t count = 0;
        std::unique_lock lock(mutex_);
        while (!tasks_.empty()) {
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            ++count;
            lock.lock();
        }
        return count;
    }

private:
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<modem::UniqueFunction<void()>> tasks_;
};

}  // namespace fakes
