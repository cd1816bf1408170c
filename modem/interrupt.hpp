// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

#include "modem/fd.hpp"

namespace modem {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Wakes a thread that polls: an eventfd that is readable from raise() to clear(). Any thread may
/// raise; it must outlive whoever may still raise it.
class Interrupt {
public:
    Interrupt();
    void raise() const;
    void clear() const;
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    Fd fd_;
};

/// How long a blocking call on the line may last, and what ends it sooner.
struct Wait {
    Clock::time_point deadline;
    const Interrupt* interrupt = nullptr;  ///< nullptr: nothing can interrupt it
};

}  // namespace modem
