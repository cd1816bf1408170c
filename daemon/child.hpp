// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/event_loop.hpp"
#include "modem/fd.hpp"
#include "modem/function.hpp"
#include "modem/result.hpp"

namespace service {

/// One program at a time that runs beside the loop. Main thread.
class Child {
public:
    explicit Child(EventLoop& loop) : loop_(loop) {}

    [[nodiscard]] bool running() const { return pid_ > 0; }
    /// Starts a program found by PATH, with standard input empty and its output on our standard
    /// error. `ended` gets words about how it ended, empty for success. A program that still runs
    /// when the Child is destroyed is left alone. Errors: local_io, also when one runs already.
    modem::Result<void> start(const std::vector<std::string>& arguments,
                              modem::UniqueFunction<void(const std::string&)> ended);

private:
    void reap();
    EventLoop& loop_;
    pid_t pid_ = 0;
    modem::Fd pidfd_;
    modem::UniqueFunction<void(const std::string&)> ended_;
    Source source_;
};

}  // namespace service
