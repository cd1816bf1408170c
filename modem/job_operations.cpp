// SPDX-License-Identifier: MIT

// The operations of JobRunner that are more than one call of the dialect.

#include <algorithm>
#include <ctime>
#include <utility>

#include "modem/ftp/listing.hpp"
#include "modem/job_runner.hpp"

namespace modem {
namespace {

ListingParser::ToEpoch to_epoch(const std::string& timezone) {
    if (timezone == "UTC") {
        return [](std::tm time) { return ::timegm(&time); };
    }
    return [](std::tm time) { return ::mktime(&time); };  // under the daemon's TZ
}

bool shows_hidden(const Listing& listing) {
    return listing.shows_dot_entries ||
           std::any_of(listing.entries.begin(), listing.entries.end(),
                       [](const Entry& entry) { return entry.name.starts_with('.'); });
}

// Whether an error is the server's or module's answer, after which another question can follow.
bool is_verdict(const Error& error) {
    return damage_of(error.code) == Damage::none;
}

}  // namespace

Result<Listing> JobRunner::list_once(const RemotePath& directory, bool hidden) {
    ListingParser parser(std::time(nullptr), to_epoch(context_.config()->ftp.timezone));
    CHECK(link_.dialect().list(directory, ListOptions{.hidden = hidden},
                               [&](std::string_view text) { return parser.feed(text); }));
    return parser.finish();
}

void JobRunner::learnt(bool hidden) {
    context_.publish([&](LinkStatus& status) { status.hidden_listing = hidden; });
}

Result<Answer> JobRunner::list(const RemotePath& directory) {
    const auto known = context_.status().hidden_listing;
    if (can().list_hidden_option && !known) {
        return learn_hidden(directory);
    }
    TRY(Listing listing, list_once(directory, can().list_hidden_option && known.value_or(false)));
    return Answer(std::move(listing));
}

// Whether LIST -a works shows in what it lists: "." or any other name with a dot in front. Where
// it shows none, a plain LIST tells whether "-a" was taken for a name.
Result<Answer> JobRunner::learn_hidden(const RemotePath& directory) {
    auto all = list_once(directory, true);
    if (!all && !is_verdict(all.error())) {
        return fail(std::move(all).error());
    }
    if (all && shows_hidden(*all)) {
        learnt(true);
        return Answer(*std::move(all));
    }
    auto plain = list_once(directory, false);
    if (!plain) {
        if (all && is_verdict(plain.error())) {
            return Answer(*std::move(all));
        }
        return fail(std::move(plain).error());
    }
    if (!all || !plain->entries.empty()) {
        learnt(false);
    }
    return Answer(*std::move(plain));
}

Way JobRunner::way(bool download, std::optional<Way> asked,
                   std::optional<std::uint64_t> bytes) const {
    const auto config = context_.config();
    const WayChoice choice{.download = download,
                           .asked = asked,
                           .configured = config->modem.transfer,
                           .flow_control = config->line.flow_control,
                           .bytes = bytes};
    // check_limits() has seen that there is one.
    return choose_way(choice, link_.dialect().capabilities()).value_or(Way::stream);
}

Result<Answer> JobRunner::retrieve(const JobPtr& job, const RetrieveRequest& request, Try& now) {
    const std::uint64_t have = job->transferred_;
    const std::uint64_t next = request.offset + have;
    if (have > 0 && request.size && next >= *request.size) {
        return Answer(Transferred{.payload = have, .way = way(true, request.way, 0)});
    }
    const bool resumes = can().retrieve_offset && next <= can().max_offset;
    TransferRun::Plan plan;
    plan.start = resumes ? next : request.offset;
    plan.skip = next - plan.start;
    if (request.size) {
        plan.length = *request.size - std::min(*request.size, plan.start);
    }
    plan.way = way(true, request.way, plan.length);
    plan.can_yield = can().retrieve_offset;
    TransferRun run(context_.queue, job, plan, [this] { context_.alive(); });
    const auto done = link_.dialect().retrieve(request.file, run);
    now.transfer = true;
    now.stopped = run.stopped();
    now.failed_here = run.failed_here();
    CHECK(done);
    if (request.size && plan.length && run.moved() != *plan.length) {
        const bool longer = run.moved() > *plan.length;
        return fail(longer ? Errc::changed : Errc::size_mismatch,
                    "the file was listed with " + std::to_string(*request.size) + " bytes, and " +
                        std::to_string(plan.start + run.moved()) + " came");
    }
    return Answer(Transferred{.payload = job->transferred_, .way = plan.way});
}

// How much of a broken-off upload is in the remote file. Asked rather than remembered: the module
// may have taken bytes that it never passed on.
Result<std::uint64_t> JobRunner::settled(const JobPtr& job, const StoreRequest& request) {
    if (!job->ask_settled_) {
        return job->settled_;
    }
    const auto stat = link_.dialect().stat(request.file);
    if (!stat && !is_verdict(stat.error())) {
        return fail(stat.error());
    }
    job->ask_settled_ = false;
    const std::uint64_t base = request.mode == StoreMode::at_offset ? request.offset : 0;
    const bool plausible =
        stat && stat->size >= base && stat->size - base <= job->transferred_.load();
    job->settled_ = plausible ? stat->size - base : 0;
    return job->settled_;
}

Result<Answer> JobRunner::store(const JobPtr& job, const StoreRequest& request, Try& now) {
    now.transfer = true;
    TRY(const std::uint64_t have, settled(job, request));
    const std::uint64_t base = request.mode == StoreMode::at_offset ? request.offset : 0;
    TransferRun::Plan plan;
    const std::uint64_t left = request.length - have;
    plan.length = left;
    plan.way = way(false, request.way, left);
    plan.start = base + have;
    plan.mode = have > 0 ? StoreMode::at_offset : request.mode;
    plan.source_offset = request.offset + have;
    plan.can_yield = can().store_offset && can().size && request.mode != StoreMode::append &&
                     base + request.length <= can().max_offset && !request.file.has_glob();
    Transferred result{.payload = request.length, .confirmed = {}, .way = plan.way};
    if (have > 0 && have == request.length) {
        result.confirmed = have;
        return Answer(result);
    }
    TransferRun run(context_.queue, job, plan, [this] { context_.alive(); });
    const auto confirmed = link_.dialect().store(request.file, run);
    now.sent = run.moved() > 0;
    now.failed_here = run.failed_here();
    CHECK(confirmed);
    if (run.moved() != left) {
        return fail(Errc::size_mismatch, "the upload ended after " + std::to_string(run.moved()) +
                                             " of " + std::to_string(left) + " bytes");
    }
    if (const auto counted = confirmed.value_or(std::nullopt)) {
        result.confirmed = have + *counted;
    }
    return Answer(result);
}

}  // namespace modem
