// SPDX-License-Identifier: MIT
#include "modem/job_queue.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "modem/at/parse.hpp"
#include "modem/job_queue_state.hpp"

namespace modem {
namespace {

struct PathOf {
    const RemotePath& operator()(const ListRequest& r) const { return r.directory; }
    const RemotePath& operator()(const StatRequest& r) const { return r.file; }
    const RemotePath& operator()(const RetrieveRequest& r) const { return r.file; }
    const RemotePath& operator()(const StoreRequest& r) const { return r.file; }
    const RemotePath& operator()(const RemoveRequest& r) const { return r.file; }
    const RemotePath& operator()(const MakeDirectoryRequest& r) const { return r.directory; }
    const RemotePath& operator()(const RemoveDirectoryRequest& r) const { return r.directory; }
    const RemotePath& operator()(const RenameRequest& r) const { return r.from; }
};

std::uint64_t total_of(const Request& request) {
    if (const auto* retrieve = std::get_if<RetrieveRequest>(&request)) {
        const std::uint64_t size = retrieve->size.value_or(0);
        return size > retrieve->offset ? size - retrieve->offset : 0;
    }
    const auto* store = std::get_if<StoreRequest>(&request);
    return store != nullptr ? store->length : 0;
}

bool joins(JobKind kind) {
    return kind == JobKind::list || kind == JobKind::stat;
}

/// Which priorities a running job makes room for: those before the one returned. An upload that
/// somebody waits for lets only the metadata before it.
Priority yields_before(JobKind kind, Priority priority) {
    if (kind == JobKind::retrieve) {
        return priority;
    }
    if (kind == JobKind::store && priority >= Priority::upload) {
        return priority == Priority::upload ? Priority::read : priority;
    }
    return Priority::metadata;
}

Sink::Demand demand_of(const JobPtr& job) {
    const auto* retrieve = std::get_if<RetrieveRequest>(&job->request());
    return retrieve != nullptr && retrieve->sink ? retrieve->sink->demand() : Sink::Demand::more;
}

}  // namespace

JobQueue::JobQueue(Post post) : state_(std::make_unique<State>(std::move(post))) {}

JobQueue::~JobQueue() {
    close();
}

void JobQueue::wake() const {
    interrupt_.raise();
    nudged_.raise();
}

JobQueue::Ticket JobQueue::submit(Request request, Priority priority, Completion done) {
    State& s = *state_;
    std::unique_lock lock(s.mutex);
    ++s.totals.submitted;
    if (s.closed) {
        ++s.totals.failed;
        lock.unlock();
        State::Deliveries out;
        out.push_back({std::move(done), fail(Errc::shutting_down, "the daemon is ending")});
        s.deliver(std::move(out));
        return 0;
    }
    const auto kind = static_cast<JobKind>(request.index());
    const RemotePath& path = std::visit(PathOf(), request);
    JobPtr job;
    if (const auto found = s.joinable.find(State::Key(kind, path)); found != s.joinable.end()) {
        job = found->second;
        if (priority < job->priority_.load()) {
            s.requeue(job, priority);
        }
    } else {
        job = std::make_shared<Job>();
        job->id_ = ++s.last_job;
        job->kind_ = kind;
        job->path_ = path;
        job->priority_ = priority;
        job->total_ = total_of(request);
        job->request_ = std::move(request);
        s.waiting[State::index(priority)].push_back(job);
        if (joins(kind)) {
            s.joinable.emplace(State::Key(kind, job->path_), job);
        }
    }
    const Ticket ticket = ++s.last_ticket;
    job->tickets_.push_back(ticket);
    s.askers.emplace(ticket, State::Asker{job, std::move(done), Clock::now()});
    if (!s.running) {
        interrupt_.raise();
    }
    nudged_.raise();
    return ticket;
}

void JobQueue::cancel(Ticket ticket) {
    State::Deliveries out;
    {
        State& s = *state_;
        const std::lock_guard lock(s.mutex);
        const auto found = s.askers.find(ticket);
        if (found == s.askers.end()) {
            return;
        }
        const JobPtr job = found->second.job;
        s.answer(ticket, fail(Errc::cancelled, "cancelled"), out);
        ++s.totals.cancelled;
        if (s.abandon(job)) {
            wake();
        }
    }
    state_->deliver(std::move(out));
}

void JobQueue::raise(Ticket ticket, Priority priority) {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    const auto found = s.askers.find(ticket);
    if (found == s.askers.end() || priority >= found->second.job->priority_.load()) {
        return;
    }
    s.requeue(found->second.job, priority);
    nudged_.raise();
}

void JobQueue::nudge() {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    if (!s.running) {
        interrupt_.raise();
    }
    nudged_.raise();
}

void JobQueue::expire(milliseconds timeout) {
    State& s = *state_;
    const Clock::time_point limit = Clock::now() - timeout;
    std::vector<JobPtr> late;
    const auto is_late = [&](const State::Asker& asker) {
        return asker.job->priority_.load() != Priority::background &&
               std::max(asker.since, s.progress) <= limit;
    };
    {
        const std::lock_guard lock(s.mutex);
        for (const auto& [ticket, asker] : s.askers) {
            if (is_late(asker)) {
                late.push_back(asker.job);
            }
        }
    }
    // A sink is asked without the mutex: it may have one of its own. Nobody waits behind a paused.
    std::erase_if(late, [](const JobPtr& job) { return demand_of(job) == Sink::Demand::pause; });
    State::Deliveries out;
    {
        const std::lock_guard lock(s.mutex);
        for (const JobPtr& job : late) {
            for (const Ticket ticket : std::vector<Ticket>(job->tickets_)) {
                const auto found = s.askers.find(ticket);
                if (found == s.askers.end() || !is_late(found->second)) {
                    continue;
                }
                std::string what =
                    fmt::format("{} {}: nothing moved for {} s; {}", name(job->kind_),
                                printable(job->path_.text()), timeout.count() / 1000,
                                s.is_paused ? "the queue is paused" : s.link.what);
                s.answer(ticket, fail(s.link.code, std::move(what), s.link.number), out);
                ++s.totals.failed;
            }
            if (s.abandon(job)) {
                wake();
            }
        }
    }
    s.deliver(std::move(out));
}

void JobQueue::pause() {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    s.is_paused = true;
    nudged_.raise();
}

void JobQueue::resume() {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    s.is_paused = false;
    if (!s.running) {
        interrupt_.raise();
    }
}

bool JobQueue::paused() const {
    const std::lock_guard lock(state_->mutex);
    return state_->is_paused;
}

void JobQueue::close() {
    State& s = *state_;
    State::Deliveries out;
    {
        const std::lock_guard lock(s.mutex);
        s.closed = true;
        while (!s.askers.empty()) {
            const auto first = s.askers.begin();
            const JobPtr job = first->second.job;
            s.answer(first->first, fail(Errc::shutting_down, "the daemon is ending"), out);
            ++s.totals.failed;
            s.abandon(job);
        }
        wake();
    }
    s.deliver(std::move(out));
}

std::vector<JobPtr> JobQueue::jobs() const {
    const State& s = *state_;
    const std::lock_guard lock(s.mutex);
    std::vector<JobPtr> all;
    if (s.running) {
        all.push_back(s.running);
    }
    for (const auto& queue : s.waiting) {
        all.insert(all.end(), queue.begin(), queue.end());
    }
    return all;
}

JobPtr JobQueue::job(Ticket ticket) const {
    const State& s = *state_;
    const std::lock_guard lock(s.mutex);
    const auto found = s.askers.find(ticket);
    return found == s.askers.end() ? nullptr : found->second.job;
}

JobQueue::Totals JobQueue::totals() const {
    const std::lock_guard lock(state_->mutex);
    return state_->totals;
}

JobPtr JobQueue::take() {
    State& s = *state_;
    std::unique_lock lock(s.mutex);
    interrupt_.clear();
    if (s.is_paused || s.closed) {
        return nullptr;
    }
    std::vector<JobPtr> resting;  // their sinks pause
    const auto next = [&]() -> JobPtr {
        for (const auto& queue : s.waiting) {
            for (const JobPtr& job : queue) {
                if (std::find(resting.begin(), resting.end(), job) == resting.end()) {
                    return job;
                }
            }
        }
        return nullptr;
    };
    for (JobPtr job = next(); job; job = next()) {
        if (job->kind_ == JobKind::retrieve) {
            lock.unlock();
            const bool rests = demand_of(job) == Sink::Demand::pause;
            lock.lock();
            if (rests) {
                resting.push_back(job);
                continue;
            }
            if (s.is_paused || s.closed) {
                return nullptr;
            }
            if (job->state_ != Job::State::queued) {
                continue;  // cancelled meanwhile
            }
        }
        s.unqueue(job);
        job->state_ = Job::State::running;
        s.running = job;
        return job;
    }
    return nullptr;
}

void JobQueue::finish(const JobPtr& job, Result<Answer> answer) {
    State& s = *state_;
    State::Deliveries out;
    {
        const std::lock_guard lock(s.mutex);
        const std::vector<Ticket> tickets = job->tickets_;
        (answer ? s.totals.completed : s.totals.failed) += tickets.size();
        for (std::size_t i = 1; i < tickets.size(); ++i) {
            s.answer(tickets[i], answer, out);
        }
        if (!tickets.empty()) {  // one asker is the rule: a long listing is not copied
            s.answer(tickets.front(), std::move(answer), out);
        }
        s.forget(job);
    }
    s.deliver(std::move(out));
}

void JobQueue::put_back(const JobPtr& job) {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    if (job->cancelled_ || job->tickets_.empty()) {
        s.forget(job);
        return;
    }
    ++s.totals.yielded;
    s.running = nullptr;
    job->state_ = Job::State::queued;
    s.waiting[State::index(job->priority_)].push_front(job);
}

Result<void> JobQueue::may_continue(const JobPtr& job) const {
    const State& s = *state_;
    const std::lock_guard lock(s.mutex);
    if (s.closed) {
        return fail(Errc::shutting_down, "the daemon is ending");
    }
    if (job->cancelled_) {
        return fail(Errc::cancelled, "cancelled");
    }
    if (s.waits_before(yields_before(job->kind_, job->priority_))) {
        return fail(Errc::gave_way, "made room for a waiting job");
    }
    if (s.is_paused) {
        return fail(Errc::gave_way, "the queue is paused");
    }
    return {};
}

void JobQueue::note_progress() {
    const std::lock_guard lock(state_->mutex);
    state_->progress = Clock::now();
}

void JobQueue::set_link_error(Error error) {
    const std::lock_guard lock(state_->mutex);
    state_->link = std::move(error);
}

}  // namespace modem
