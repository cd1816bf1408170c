// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "modem/job.hpp"

namespace modem {

/// The only door to the modem. Submitting and cancelling happen on the main thread, running on
/// the modem thread; completions are posted to the main thread, exactly one for each submit().
///
/// Coalescing: a list or stat of a path that is already queued or running joins it. Cancelling a
/// ticket answers its completion with `cancelled` at once; the job itself ends when its last
/// ticket is gone. A bulk job (retrieve at `read` or lower, store at `background`) yields at its
/// next checkpoint to a job of a higher priority and is queued again from where it stands.
class JobQueue {
public:
    /// `post` brings a task to the main thread.
    explicit JobQueue(Post post);
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;
    ~JobQueue();

    /// One asker's hold on a job. Value type; 0 is none.
    using Ticket = std::uint64_t;

    // ---- main thread ------------------------------------------------------------------------
    Ticket submit(Request request, Priority priority, Completion done);
    /// The completion gets `cancelled` now (posted). Unknown or finished tickets: nothing happens.
    void cancel(Ticket ticket);
    /// Raises the priority of the job behind the ticket (a prefetch that somebody waits for now).
    void raise(Ticket ticket, Priority priority);
    /// Wakes a transfer that waits in a checkpoint because its sink paused.
    void nudge();
    /// Fails every waiting and running job that has seen no progress (its own or that of the job
    /// it queues behind) for `timeout`; to be called about once a second. The error is what the
    /// link is: link_down, line_lost or timed_out. Jobs of priority `background` are not failed.
    void expire(milliseconds timeout);
    void pause();  ///< nothing new is started; what runs yields at its next checkpoint
    void resume();
    [[nodiscard]] bool paused() const;
    /// Fails what is queued and running with shutting_down; later submits fail at once.
    void close();
    /// Queued and running jobs, running first.
    [[nodiscard]] std::vector<JobPtr> jobs() const;
    [[nodiscard]] JobPtr job(Ticket ticket) const;
    struct Totals {
        std::uint64_t submitted = 0, completed = 0, failed = 0, cancelled = 0, yielded = 0;
    };
    [[nodiscard]] Totals totals() const;

    // ---- modem thread (Worker) --------------------------------------------------------------
    /// Raised when a job is waiting and none runs, and to interrupt the running one when nobody
    /// wants it any more (never merely because another job came).
    [[nodiscard]] const Interrupt& interrupt() const { return interrupt_; }
    /// Raised by nudge() and by whatever else may change what a checkpoint decides; the running
    /// transfer clears it before it looks.
    [[nodiscard]] const Interrupt& nudged() const { return nudged_; }
    /// Takes the next job, or nothing. The interrupt is cleared. A download whose sink pauses is
    /// passed over until it is nudged.
    JobPtr take();
    void finish(const JobPtr& job, Result<Answer> answer);
    /// Puts a yielded or broken job back at the head of its priority.
    void put_back(const JobPtr& job);
    /// Whether the running job should go on. Errors: cancelled, shutting_down, or gave_way when a
    /// job of a higher priority waits for a bulk transfer or the queue is paused. For a store at
    /// `upload` it is the caller who knows whether it can be resumed.
    [[nodiscard]] Result<void> may_continue(const JobPtr& job) const;
    void note_progress();              ///< any thread
    void set_link_error(Error error);  ///< what expire() reports; any thread

private:
    struct State;
    void wake() const;
    Interrupt interrupt_;
    Interrupt nudged_;
    std::unique_ptr<State> state_;
};

}  // namespace modem
