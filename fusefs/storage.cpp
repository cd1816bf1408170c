// SPDX-License-Identifier: MIT
#include "fusefs/storage.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace fusefs {

struct Storage::Body {
    struct Task {
        modem::UniqueFunction<void()> work;
        modem::UniqueFunction<void()> done;
    };

    explicit Body(modem::Post given_post) : post(std::move(given_post)) {}

    void loop();
    /// Waits for the next task; false when there is none and there will be none.
    bool take(Task& task);

    modem::Post post;  ///< storage thread only
    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<Task> tasks;
    bool busy = false;
    bool closed = false;
    modem::Clock::time_point alive = modem::Clock::now();
    std::mutex join_mutex;  ///< two closers: both return after the end of the thread
    std::thread thread;
    std::thread::id thread_id;
};

bool Storage::Body::take(Task& task) {
    std::unique_lock lock(mutex);
    busy = false;
    wake.wait(lock, [this] { return closed || !tasks.empty(); });
    if (tasks.empty()) {
        return false;
    }
    task = std::move(tasks.front());
    tasks.pop_front();
    busy = true;
    alive = modem::Clock::now();
    return true;
}

void Storage::Body::loop() {
    Task task;
    while (take(task)) {
        if (task.work) {
            task.work();
        }
        task.work = {};  // what it owns is gone before anybody hears that it is done
        if (task.done) {
            post(std::move(task.done));
        }
        task.done = {};
    }
}

Storage::Storage(modem::Post post) : body_(std::make_unique<Body>(std::move(post))) {
    const std::scoped_lock lock(body_->mutex);
    body_->thread = std::thread([body = body_.get()] { body->loop(); });
    body_->thread_id = body_->thread.get_id();
}

Storage::~Storage() {
    close();
}

void Storage::run(modem::UniqueFunction<void()> work, modem::UniqueFunction<void()> done) {
    {
        const std::scoped_lock lock(body_->mutex);
        if (body_->closed) {
            return;
        }
        if (!body_->busy && body_->tasks.empty()) {
            body_->alive = modem::Clock::now();
        }
        body_->tasks.push_back({std::move(work), std::move(done)});
    }
    body_->wake.notify_one();
}

void Storage::close() {
    {
        const std::scoped_lock lock(body_->mutex);
        body_->closed = true;
        if (std::this_thread::get_id() == body_->thread_id) {
            return;  // a work that closes: nobody can wait for itself
        }
    }
    body_->wake.notify_all();
    const std::scoped_lock join_lock(body_->join_mutex);
    if (body_->thread.joinable()) {
        body_->thread.join();
    }
}

modem::Clock::time_point Storage::last_alive() const {
    // An idle thread is woken by the next work only (no ticking on a battery): it counts as alive,
    // and one that does not wake shows as soon as something has been given to it.
    const std::scoped_lock lock(body_->mutex);
    return body_->busy || !body_->tasks.empty() ? body_->alive : modem::Clock::now();
}

}  // namespace fusefs
