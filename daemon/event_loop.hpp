// SPDX-License-Identifier: MIT
#pragma once

#include <systemd/sd-event.h>

#include <chrono>
#include <cstdint>
#include <memory>

#include "modem/function.hpp"
#include "modem/result.hpp"

namespace service {

/// Something that the loop watches; destroying it ends the watch. Main thread. To be declared
/// after what its callback uses.
class Source {
public:
    Source() = default;
    explicit operator bool() const { return body_ != nullptr; }
    void reset() { body_.reset(); }

private:
    friend class EventLoop;
    struct Body;
    struct End {
        void operator()(Body* body) const;
    };
    std::unique_ptr<Body, End> body_;
};

/// The main thread's sd-event loop. A callback may destroy its own source.
class EventLoop {
public:
    /// Errors: local_io (no descriptors left).
    static modem::Result<std::unique_ptr<EventLoop>> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    /// Serves until exit(); returns its code. Errors: local_io.
    modem::Result<int> run();
    void exit(int code);
    [[nodiscard]] sd_event* get() const { return event_; }

    /// `events` and the callback's argument are those of epoll. The descriptor stays the caller's.
    modem::Result<Source> watch(int fd, std::uint32_t events,
                                modem::UniqueFunction<void(std::uint32_t)> callback);
    /// Every `interval`, the first time after one.
    modem::Result<Source> every(std::chrono::milliseconds interval,
                                modem::UniqueFunction<void()> callback);
    /// Blocks the signal in the calling thread; every other one must have it blocked, too.
    modem::Result<Source> on_signal(int number, modem::UniqueFunction<void()> callback);

    /// A way for any thread to run a task here. Valid for ever; tasks posted after the end of the
    /// loop are dropped.
    [[nodiscard]] modem::Post post();
    /// Runs what was posted, and what that posts in turn, until nothing is left: for the time when
    /// the loop no longer runs.
    void run_posted();

private:
    struct Posted;
    EventLoop() = default;
    sd_event* event_ = nullptr;
    std::shared_ptr<Posted> posted_;
    Source posted_source_;
};

}  // namespace service
