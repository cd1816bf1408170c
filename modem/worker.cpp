// SPDX-License-Identifier: MIT
#include "modem/worker.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "modem/job_runner.hpp"
#include "modem/ladder.hpp"
#include "modem/link.hpp"
#include "modem/worker_context.hpp"

namespace modem {
namespace {

constexpr int log_error = 3;
constexpr int log_warning = 4;
constexpr int log_notice = 5;

Ladder::Limits ladder_limits(const WorkerContext& context) {
    const WorkerTiming& timing = context.seams.timing;
    return {.back_off_first = timing.back_off_first,
            .back_off_most = timing.back_off_most,
            .reset_spacing = timing.reset_spacing,
            .power_spacing = timing.power_spacing,
            .can_power_cycle = context.can_power_cycle()};
}

void poll_one(int fd, milliseconds time) {
    pollfd poll{fd, POLLIN, 0};
    ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(time.count(), 0)));
}

}  // namespace

std::string_view name(LinkState state) {
    switch (state) {
        case LinkState::absent:
            return "absent";
        case LinkState::opening:
            return "opening";
        case LinkState::probing:
            return "probing";
        case LinkState::sim:
            return "sim";
        case LinkState::registering:
            return "registering";
        case LinkState::bearer:
            return "bearer";
        case LinkState::ready:
            return "ready";
        case LinkState::session:
            return "session";
        case LinkState::failed:
            return "failed";
    }
    return "unknown";
}

WorkerSeams::WorkerSeams()
    : open_line([](const config::Line& line, const Interrupt& interrupt) {
          return modem::open_line(line, "/run/lock", &interrupt);
      }),
      await_device(
          [](const config::Line& line, Wait wait) { return modem::await_device(line, wait); }) {}

/// The loop of the modem thread.
struct Worker::Body {
    Body(const config::Config& config, Secrets secrets, JobQueue& queue, Post post,
         WorkerEvents events, std::optional<bool> hidden_listing, WorkerSeams seams)
        : context(config, std::move(secrets), queue, std::move(post), std::move(events),
                  hidden_listing, std::move(seams)),
          link_(context),
          runner_(context, link_),
          ladder_(ladder_limits(context)) {}

    void run();

private:
    [[nodiscard]] const WorkerTiming& timing() const { return context.seams.timing; }
    void heed_requests();
    void restart_link();
    void climb();
    void await_device();
    void link_failed(const Error& error, bool in_order = false);
    void perform(Rung rung);
    void wait(milliseconds time);
    void give_up(const Error& error);
    void stay_failed();
    void fail_jobs(const Error& error);
    void run_job(const JobPtr& job);
    void idle();
    void heed_loss();
    void care_for_session();

public:
    WorkerContext context;

private:
    Link link_;
    JobRunner runner_;
    Ladder ladder_;
    std::uint64_t seen_generation_ = 0;
    std::optional<Error> failed_;  ///< needs a person
    Clock::time_point try_again_;
    Clock::time_point last_use_;
    Clock::time_point last_keep_alive_;
};

void Worker::Body::run() {
    context.queue.set_link_error({Errc::link_down, 0, "the link has not been up yet"});
    while (!context.stopping) {
        context.alive();
        heed_requests();
        if (context.stopping) {
            break;
        }
        if (failed_) {
            stay_failed();
        } else if (!link_.is_up()) {
            climb();
        } else if (const JobPtr job = context.queue.take()) {
            run_job(job);
        } else {
            idle();
        }
    }
    link_.say_goodbye(Clock::now() + timing().goodbye);
    context.publish([](LinkStatus& status) { status.state = LinkState::absent; });
}

// What other threads asked for since the last look. The flags are set before attention is raised,
// so clearing first loses none.
void Worker::Body::heed_requests() {
    context.attention.clear();
    if (auto path = context.take_trace_file()) {
        if (const auto set = link_.trace().set_file(*path); !set) {
            context.log(log_error, fmt::format("`log.trace`: {}", set.error().what));
        }
    }
    if (const std::uint64_t now = context.generation(); now != seen_generation_) {
        seen_generation_ = now;
        ladder_.set_can_power_cycle(context.can_power_cycle());
        if (failed_) {
            restart_link();
        }
    }
    if (context.reset_wanted.exchange(false)) {
        context.log(log_notice, "soft reset of the module");
        link_.soft_reset();
        failed_.reset();
    }
    if (context.reconnect_wanted.exchange(false)) {
        restart_link();
    }
}

void Worker::Body::restart_link() {
    link_.say_goodbye(Clock::now() + timing().goodbye);
    ladder_.succeeded();
    failed_.reset();
}

void Worker::Body::climb() {
    const auto up = link_.bring_up();
    if (up) {
        last_use_ = Clock::now();
        const LinkStatus status = context.status();
        context.log(log_notice, fmt::format("link up: {} {}, {}", status.dialect,
                                            status.identity.model, status.operator_name));
        return;
    }
    const Error& error = up.error();
    if (error.code == Errc::cancelled) {
        return;
    }
    if (link_.needs_person()) {
        give_up(error);
    } else if (!link_.line_is_open() || error.code == Errc::line_lost) {
        context.queue.set_link_error({Errc::line_lost, error.number, error.what});
        const bool news =
            !context.status().last_error || context.status().last_error->what != error.what;
        if (news) {
            context.log(log_warning, error.what);
        }
        link_.close_line();
        context.publish([&](LinkStatus& status) {
            status.state = LinkState::absent;
            status.last_error = error;
        });
        await_device();
    } else {
        link_failed(error);
    }
}

void Worker::Body::await_device() {
    const auto config = context.config();
    const Clock::time_point start = Clock::now();
    // An event of the device ends the wait at once; without one a try a second costs little, and
    // covers what makes no event.
    const Clock::time_point end = start + timing().reopen;
    (void)context.seams.await_device(config->line, Wait{end, &context.attention});
    const auto passed = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    wait(std::min(timing().reopen, milliseconds(100)) - passed);
}

void Worker::Body::link_failed(const Error& error, bool in_order) {
    link_.degrade(error);
    const Ladder::Step step = ladder_.failed(error.code, Clock::now());
    context.queue.set_link_error(error);
    context.log(log_warning, fmt::format("link: {}{}{}; the dialogue ended: {}", error.what,
                                         step.rung == Rung::none ? "" : "; next: ", name(step.rung),
                                         link_.trace().tail()));
    context.publish([&](LinkStatus& status) {
        status.last_error = error;
        status.recovering = name(step.rung);
    });
    wait(step.delay);
    if (!context.stopping && !(in_order && step.rung == Rung::resync)) {
        perform(step.rung);
    }
    if (link_.is_up()) {
        context.publish([](LinkStatus& status) { status.recovering.clear(); });
    }
}

void Worker::Body::perform(Rung rung) {
    switch (rung) {
        case Rung::none:
            break;
        case Rung::resync:
            link_.forget_module();
            break;
        case Rung::end_session:
            link_.end_session();
            break;
        case Rung::drop_bearer:
            link_.drop_bearer();
            break;
        case Rung::soft_reset:
            link_.soft_reset();
            break;
        case Rung::power_cycle:
            link_.close_line();
            link_.expect_boot();
            context.power_cycle();
            wait(timing().reopen);
            break;
    }
}

// Lets time pass, alive, unless somebody wants attention.
void Worker::Body::wait(milliseconds time) {
    const Clock::time_point end = Clock::now() + time;
    while (Clock::now() < end && !context.stopping && !context.reconnect_wanted &&
           !context.reset_wanted) {
        context.alive();
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        poll_one(context.attention.fd(), std::min(left + milliseconds(1), timing().slice));
        if (context.generation() != seen_generation_) {
            return;
        }
    }
}

void Worker::Body::give_up(const Error& error) {
    failed_ = error;
    try_again_ = Clock::now() + timing().person;
    context.queue.set_link_error(error);
    context.log(log_error,
                fmt::format("{}; the dialogue ended: {}", error.what, link_.trace().tail()));
    context.publish([&](LinkStatus& status) {
        status.state = LinkState::failed;
        status.last_error = error;
    });
}

// Until a person has acted, jobs fail at once rather than wait for a link that cannot come.
void Worker::Body::stay_failed() {
    if (Clock::now() >= try_again_) {
        failed_.reset();
        if (link_.is_up()) {  // the next job tries to log in
            context.publish([](LinkStatus& status) { status.state = LinkState::ready; });
        }
        return;
    }
    fail_jobs(failed_.value_or(Error{}));
    const milliseconds slice = timing().slice;
    if (!link_.line_is_open()) {
        poll_one(context.queue.interrupt().fd(), slice);
        return;
    }
    const auto heard = link_.listen(Clock::now() + slice);
    if (!heard && heard.error().code != Errc::cancelled) {
        link_.close_line();
        failed_.reset();  // another module may come back
    }
    heed_loss();
}

void Worker::Body::fail_jobs(const Error& error) {
    context.queue.interrupt().clear();
    while (true) {
        // Uploads that wait in the spool go on waiting, unless the server itself says no.
        const auto waiting = context.queue.jobs();
        if (waiting.empty() || (waiting.front()->priority() == Priority::background &&
                                error.code != Errc::login_refused)) {
            return;
        }
        const JobPtr job = context.queue.take();
        if (!job) {
            return;
        }
        context.queue.finish(job, fail(error));
    }
}

void Worker::Body::run_job(const JobPtr& job) {
    const JobRunner::Outcome outcome = runner_.run(job);
    last_use_ = Clock::now();
    if (link_.needs_person() && outcome.failure) {
        give_up(*outcome.failure);
        return;
    }
    if (outcome.answered && ladder_.failures() > 0) {
        ladder_.succeeded();
        context.queue.set_link_error({Errc::timed_out, 0, "the modem does not answer"});
    }
    if (outcome.failure && !context.stopping) {
        link_failed(*outcome.failure, outcome.in_order);
    }
}

void Worker::Body::idle() {
    Clock::time_point until = Clock::now() + timing().slice;
    if (link_.has_session()) {
        until = std::min(until, last_use_ + context.config()->ftp.idle_timeout);
    }
    if (const auto heard = link_.listen(until); !heard && heard.error().code != Errc::cancelled) {
        link_failed(heard.error());
        return;
    }
    heed_loss();
    care_for_session();
}

void Worker::Body::heed_loss() {
    if (const auto loss = link_.take_loss()) {
        context.log(log_notice, loss->what);
        link_.degrade(*loss);
    }
}

void Worker::Body::care_for_session() {
    if (!link_.has_session()) {
        return;
    }
    const Clock::time_point now = Clock::now();
    if (now - last_use_ >= context.config()->ftp.idle_timeout) {
        link_.end_session();
        return;
    }
    // Not for a session that is closed before any server would close it.
    const bool lasting = context.config()->ftp.idle_timeout > timing().keep_alive * 2;
    if (lasting && now - std::max(last_use_, last_keep_alive_) >= timing().keep_alive) {
        last_keep_alive_ = now;
        if (!link_.dialect().keep_alive()) {
            link_.forget_session();
        }
    }
}

Worker::Worker(const config::Config& config, Secrets secrets, JobQueue& queue, Post post,
               WorkerEvents events, std::optional<bool> hidden_listing, WorkerSeams seams)
    : body_(std::make_unique<Body>(config, std::move(secrets), queue, std::move(post),
                                   std::move(events), hidden_listing, std::move(seams))) {}

Worker::~Worker() {
    stop();
    body_->context.forget_owner();
}

void Worker::start() {
    if (!thread_.joinable() && !body_->context.stopping) {
        thread_ = std::thread([this] { body_->run(); });
    }
}

void Worker::stop() {
    WorkerContext& context = body_->context;
    context.stopping = true;
    context.attention.raise();
    context.queue.interrupt().raise();
    context.queue.nudged().raise();
    if (thread_.joinable()) {
        thread_.join();
    }
}

LinkStatus Worker::status() const {
    return body_->context.status();
}

const LineCounters& Worker::counters() const {
    return body_->context.counters;
}

std::map<std::string, std::uint64_t> Worker::commands_by_name() const {
    return body_->context.commands_by_name();
}

Clock::time_point Worker::last_alive() const {
    return body_->context.last_alive();
}

void Worker::set_trace_file(const std::string& path) {
    body_->context.set_trace_file(path);
}

void Worker::reconnect() {
    body_->context.reconnect_wanted = true;
    body_->context.attention.raise();
    body_->context.queue.nudge();
}

void Worker::reset() {
    body_->context.reset_wanted = true;
    body_->context.attention.raise();
    body_->context.queue.nudge();
}

void Worker::apply(const config::Config& config) {
    body_->context.replace(std::make_shared<config::Config>(config));
}

void Worker::set_secrets(Secrets secrets) {
    body_->context.replace(std::move(secrets));
}

}  // namespace modem
