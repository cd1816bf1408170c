// SPDX-License-Identifier: MIT
#include "modem/job_runner.hpp"

#include <fmt/core.h>

#include <utility>

#include "modem/at/parse.hpp"
#include "modem/limits.hpp"

namespace modem {
namespace {

constexpr int most_retries = 2;
// Servers close idle sessions after a minute or more, but middleboxes are less patient.
constexpr milliseconds stale_session{20'000};

// Failures of the link or of the connection to the server, which another try may not meet.
bool is_passing(Errc code) {
    switch (code) {
        case Errc::cancelled:  // by a URC or a reconnect, not by whoever asked
        case Errc::line_lost:
        case Errc::timed_out:
        case Errc::garbled:
        case Errc::module_restarted:
        case Errc::link_down:
        case Errc::no_service:
        case Errc::bearer_lost:
        case Errc::dns_failed:
        case Errc::connect_failed:
        case Errc::session_lost:
        case Errc::data_connection:
        case Errc::size_mismatch:
            return true;
        default:
            return false;
    }
}

bool is_repeatable(JobKind kind) {
    return kind == JobKind::list || kind == JobKind::stat || kind == JobKind::retrieve;
}

// What the ladder should hear about.
bool blames_link(Errc code) {
    return is_passing(code) && code != Errc::cancelled;
}

}  // namespace

JobRunner::JobRunner(WorkerContext& context, Link& link) : context_(context), link_(link) {}

std::uint64_t JobRunner::line_bytes() const {
    return context_.counters.bytes_sent + context_.counters.bytes_received;
}

JobRunner::Outcome JobRunner::run(const JobPtr& job) {
    Try now;
    const std::uint64_t before = line_bytes();
    Result<Answer> answer = attempt(job, now);
    Outcome outcome;
    if (answer) {
        outcome.answered = true;
    } else {
        const Error error = explain(job, answer.error(), now);
        outcome.answered =
            now.started && damage_of(error.code) == Damage::none && !blames_link(error.code);
        const bool person = now.login_failed && link_.needs_person();
        if (person || (blames_link(error.code) && !now.failed_here)) {
            outcome.failure = error;
        }
        if (auto unsettled = settle(error, now)) {
            outcome.failure = std::move(unsettled);
        } else {
            outcome.in_order = damage_of(error.code) == Damage::unclear;
        }
        answer = fail(error);
    }
    job->line_bytes_ += line_bytes() - before;
    if (outcome.answered) {
        link_.note_answer();
    }
    if (!answer) {
        decide(job, answer.error(), now);
        return outcome;
    }
    context_.queue.note_progress();
    if (auto* transferred = std::get_if<Transferred>(&*answer)) {
        transferred->line_bytes = job->line_bytes_;
    }
    context_.queue.finish(job, std::move(answer));
    return outcome;
}

Result<Answer> JobRunner::attempt(const JobPtr& job, Try& now) {
    CHECK(check_limits(job->request(), can()));
    if (const auto* wanted = std::get_if<RetrieveRequest>(&job->request())) {
        if (wanted->sink && wanted->sink->demand() == Sink::Demand::stop) {
            now.stopped = true;
            return fail(Errc::cancelled, "nobody wants the file any more");
        }
    }
    if (auto session = link_.ensure_session(); !session) {
        now.login_failed = true;
        return fail(std::move(session).error());
    }
    now.started = true;
    now.stale = link_.silence() > stale_session;
    link_.begin_operation();
    Result<Answer> answer = perform(job, now);
    link_.end_operation();
    return answer;
}

Result<Answer> JobRunner::perform(const JobPtr& job, Try& now) {
    Dialect& dialect = link_.dialect();
    const Request& request = job->request();
    if (const auto* r = std::get_if<ListRequest>(&request)) {
        return list(r->directory);
    }
    if (const auto* r = std::get_if<StatRequest>(&request)) {
        TRY(const Stat stat, dialect.stat(r->file));
        return Answer(stat);
    }
    if (const auto* r = std::get_if<RetrieveRequest>(&request)) {
        return retrieve(job, *r, now);
    }
    if (const auto* r = std::get_if<StoreRequest>(&request)) {
        return store(job, *r, now);
    }
    if (const auto* r = std::get_if<RemoveRequest>(&request)) {
        CHECK(dialect.remove(r->file));
    } else if (const auto* m = std::get_if<MakeDirectoryRequest>(&request)) {
        CHECK(dialect.make_directory(m->directory));
    } else if (const auto* d = std::get_if<RemoveDirectoryRequest>(&request)) {
        CHECK(dialect.remove_directory(d->directory));
    } else if (const auto* n = std::get_if<RenameRequest>(&request)) {
        CHECK(dialect.rename(n->from, n->to));
    }
    return Answer();
}

bool JobRunner::is_unwanted(const JobPtr& job) const {
    const auto verdict = context_.queue.may_continue(job);
    return !verdict && verdict.error().code != Errc::gave_way;
}

Error JobRunner::explain(const JobPtr& job, Error error, Try& now) {
    if (now.stopped || now.failed_here || is_unwanted(job)) {
        return error;
    }
    // What a URC said is the cause of whatever the operation then met.
    auto loss = link_.take_loss();
    if (loss && (is_passing(error.code) || error.code == Errc::refused)) {
        loss->what = error.code == Errc::cancelled ? std::move(loss->what)
                                                   : fmt::format("{}; {}", error.what, loss->what);
        return *std::move(loss);
    }
    if (now.started && error.code == Errc::login_refused) {
        // "530 Please log in": the session ended behind our back, and nothing was done.
        now.started = false;
        error.code = Errc::session_lost;
    }
    if (now.started && error.code == Errc::refused && now.stale) {
        // A bare refusal is also what modules say when the server closed an idle session.
        link_.end_session();
        now.started = false;
        error.code = Errc::session_lost;
    }
    return error;
}

// Brings the link to where the next job can go on, or says why it cannot.
std::optional<Error> JobRunner::settle(const Error& error, const Try& now) {
    if (context_.stopping && error.code == Errc::cancelled) {
        link_.leave_unsettled();
        return std::nullopt;
    }
    const bool unclear = damage_of(error.code) == Damage::unclear;
    if ((now.started && (unclear || now.failed_here || now.stopped)) ||
        (now.login_failed && unclear)) {
        const auto recovered = link_.recover();
        if (now.login_failed) {
            link_.forget_session();
        }
        if (recovered) {
            return std::nullopt;
        }
        if (damage_of(recovered.error().code) == Damage::line) {
            link_.close_line();
        } else {
            link_.forget_module();
        }
        return recovered.error();
    }
    link_.degrade(error);
    return std::nullopt;
}

bool JobRunner::may_retry(const Job& job, const Error& error, const Try& now) {
    if (now.failed_here || !is_passing(error.code)) {
        return false;
    }
    if (!now.started && error.code == Errc::line_lost) {
        return true;  // it waits for the device, as long as whoever asked does
    }
    const bool nothing_done =
        !now.started || is_repeatable(job.kind()) || (now.transfer && !now.sent);
    return nothing_done && job.attempts_ < most_retries;
}

void JobRunner::decide(const JobPtr& job, const Error& error, const Try& now) {
    if (is_unwanted(job) || now.stopped) {
        context_.queue.finish(job, fail(Errc::cancelled, error.what));
    } else if (context_.stopping || error.code == Errc::gave_way) {
        job->ask_settled_ = job->ask_settled_ || now.sent;
        context_.queue.put_back(job);
    } else if (now.login_failed && link_.needs_person()) {
        context_.queue.put_back(job);  // fails with all the others
    } else if (may_retry(*job, error, now)) {
        if (now.started || error.code != Errc::line_lost) {
            ++job->attempts_;
        }
        context_.queue.put_back(job);
    } else {
        finish(job, error);
    }
}

void JobRunner::finish(const JobPtr& job, Error error) {
    constexpr int warning = 4;
    constexpr int info = 6;
    const bool verdict = damage_of(error.code) == Damage::none;
    context_.log(verdict ? info : warning,
                 fmt::format("{} {} failed: {}; the dialogue ended: {}", name(job->kind()),
                             printable(job->path().text()), error.what, link_.trace().tail()));
    context_.queue.finish(job, fail(std::move(error)));
}

}  // namespace modem
