// SPDX-License-Identifier: MIT
#include "daemon/event_loop.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/epoll.h>

#include <csignal>
#include <ctime>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "modem/interrupt.hpp"

namespace service {
namespace {

auto failed(std::string_view what, int result) {
    return modem::fail(modem::Errc::local_io,
                       fmt::format("{}: {}", what, std::generic_category().message(-result)));
}

constexpr std::uint64_t microseconds(std::chrono::milliseconds time) {
    return static_cast<std::uint64_t>(time.count()) * 1000;
}

}  // namespace

struct Source::Body {
    sd_event_source* source = nullptr;
    modem::UniqueFunction<void(std::uint32_t)> callback;
    std::uint64_t interval = 0;  ///< microseconds, of a timer
    bool running = false;
    bool ended = false;  ///< destroyed while its callback ran

    /// Calls back; the body may be gone afterwards.
    void run(std::uint32_t events) {
        running = true;
        callback(events);
        running = false;
        if (ended) {
            delete this;
        }
    }
};

void Source::End::operator()(Body* body) const {
    sd_event_source_disable_unref(std::exchange(body->source, nullptr));
    if (body->running) {
        body->ended = true;
    } else {
        delete body;
    }
}

/// Shared with every Post, so that late ones find it even when the loop is gone.
struct EventLoop::Posted {
    std::mutex mutex;
    std::vector<modem::UniqueFunction<void()>> tasks;
    bool closed = false;
    modem::Interrupt wake;

    void add(modem::UniqueFunction<void()> task) {
        const std::lock_guard lock(mutex);
        if (!closed) {
            tasks.push_back(std::move(task));
            wake.raise();
        }
    }
    std::vector<modem::UniqueFunction<void()>> take() {
        const std::lock_guard lock(mutex);
        wake.clear();
        return std::exchange(tasks, {});
    }
    /// One round: what a task posts waits for the next one, so that others get their turn.
    bool run_round() {
        auto round = take();
        for (auto& task : round) {
            task();
            task = {};
        }
        return !round.empty();
    }
};

modem::Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    std::unique_ptr<EventLoop> loop(new EventLoop());
    if (const int result = sd_event_new(&loop->event_); result < 0) {
        return failed("cannot create the event loop", result);
    }
    loop->posted_ = std::make_shared<Posted>();
    TRY(loop->posted_source_,
        loop->watch(loop->posted_->wake.fd(), EPOLLIN,
                    [posted = loop->posted_](std::uint32_t) { posted->run_round(); }));
    return loop;
}

EventLoop::~EventLoop() {
    posted_source_.reset();
    if (posted_) {
        const std::lock_guard lock(posted_->mutex);
        posted_->closed = true;
        posted_->tasks.clear();
    }
    sd_event_unref(event_);
}

modem::Result<int> EventLoop::run() {
    const int result = sd_event_loop(event_);
    if (result < 0) {
        return failed("the event loop failed", result);
    }
    return result;
}

void EventLoop::exit(int code) {
    sd_event_exit(event_, code);
}

modem::Post EventLoop::post() {
    return [posted = posted_](modem::UniqueFunction<void()> task) { posted->add(std::move(task)); };
}

void EventLoop::run_posted() {
    while (posted_->run_round()) {
    }
}

modem::Result<Source> EventLoop::watch(int fd, std::uint32_t events,
                                       modem::UniqueFunction<void(std::uint32_t)> callback) {
    Source source;
    source.body_.reset(new Source::Body{.callback = std::move(callback)});
    const auto handler = [](sd_event_source* /*source*/, int /*fd*/, std::uint32_t now,
                            void* data) noexcept -> int {
        static_cast<Source::Body*>(data)->run(now);
        return 0;
    };
    const int result =
        sd_event_add_io(event_, &source.body_->source, fd, events, handler, source.body_.get());
    if (result < 0) {
        return failed("cannot watch a descriptor", result);
    }
    return source;
}

modem::Result<Source> EventLoop::every(std::chrono::milliseconds interval,
                                       modem::UniqueFunction<void()> callback) {
    Source source;
    source.body_.reset(new Source::Body{
        .callback = [callback = std::move(callback)](std::uint32_t) mutable { callback(); },
        .interval = microseconds(interval)});
    const auto handler = [](sd_event_source* timer, std::uint64_t /*due*/,
                            void* data) noexcept -> int {
        auto* body = static_cast<Source::Body*>(data);
        sd_event_source_set_time_relative(timer, body->interval);
        body->run(0);
        return 0;
    };
    // An accuracy of a tenth lets the kernel serve several timers with one wake-up.
    int result = sd_event_add_time_relative(event_, &source.body_->source, CLOCK_MONOTONIC,
                                            source.body_->interval, source.body_->interval / 10,
                                            handler, source.body_.get());
    if (result >= 0) {
        result = sd_event_source_set_enabled(source.body_->source, SD_EVENT_ON);
    }
    if (result < 0) {
        return failed("cannot start a timer", result);
    }
    return source;
}

modem::Result<Source> EventLoop::on_signal(int number, modem::UniqueFunction<void()> callback) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    Source source;
    source.body_.reset(new Source::Body{
        .callback = [callback = std::move(callback)](std::uint32_t) mutable { callback(); }});
    const auto handler = [](sd_event_source* /*source*/, const signalfd_siginfo* /*info*/,
                            void* data) noexcept -> int {
        static_cast<Source::Body*>(data)->run(0);
        return 0;
    };
    const int result =
        sd_event_add_signal(event_, &source.body_->source, number, handler, source.body_.get());
    if (result < 0) {
        return failed("cannot wait for a signal", result);
    }
    return source;
}

}  // namespace service
