// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <type_traits>

#include "modem/function.hpp"
#include "modem/interrupt.hpp"

namespace fusefs {

/// The storage thread: everything that may wait for a disk (ledger, spool, cache files, every
/// fsync) runs here, first come first served, so that a slow flash stalls neither the line nor a
/// cached answer. Works see one another's effects in the order in which they were given.
class Storage {
public:
    explicit Storage(modem::Post post);
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    ~Storage();  ///< close()

    /// Runs `work` on the storage thread, then `done` on the main thread. Any thread may call. An
    /// empty work is a mark: its `done` comes after everything given before.
    void run(modem::UniqueFunction<void()> work, modem::UniqueFunction<void()> done = {});

    /// The same with a value: `done(work())`.
    template <typename Work, typename Done>
    void call(Work work, Done done) {
        using Value = std::invoke_result_t<Work&>;
        auto slot = std::make_shared<std::unique_ptr<Value>>();
        run([work = std::move(work), slot]() mutable { *slot = std::make_unique<Value>(work()); },
            [done = std::move(done), slot]() mutable { done(std::move(**slot)); });
    }

    /// Runs what was given so far, then ends the thread. Later works are dropped with their
    /// `done`. Idempotent; a work may call it too, then the thread ends without being waited for.
    void close();
    /// Monotonic time of the last sign of life, for the watchdog. Any thread.
    [[nodiscard]] modem::Clock::time_point last_alive() const;

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
