// SPDX-License-Identifier: MIT
#include "modem/transfer_run.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace modem {
namespace {

// A transfer with less than this to go is finished rather than broken off: ending the session and
// logging in again would take longer.
constexpr std::uint64_t nearly_done = 8192;
// Up to this size a download that cannot be broken off keeps nobody waiting for long.
constexpr std::uint64_t small_download = 65536;
constexpr int slice_ms = 500;

Way other(Way way) {
    return way == Way::stream ? Way::paced : Way::stream;
}

Way automatic(const WayChoice& choice, const Capabilities& can) {
    if (choice.flow_control == config::FlowControl::none) {
        // A UART without flow control drops bytes in long streams.
        return Way::paced;
    }
    if (!choice.download) {
        return Way::stream;
    }
    const bool is_small = choice.bytes && *choice.bytes <= small_download;
    if (is_small || can.break_off_stream || !can.break_off_paced) {
        return Way::stream;
    }
    return Way::paced;
}

}  // namespace

std::optional<Way> choose_way(const WayChoice& choice, const Capabilities& can) {
    const auto possible = [&](Way way) {
        if (choice.download) {
            return way == Way::stream ? can.retrieve_stream : can.retrieve_paced;
        }
        return way == Way::stream ? can.store_stream : can.store_paced;
    };
    if (!possible(Way::stream) && !possible(Way::paced)) {
        return std::nullopt;
    }
    if (choice.asked && possible(*choice.asked)) {
        return choice.asked;
    }
    Way way = automatic(choice, can);
    if (choice.configured != config::TransferWay::automatic) {
        way = choice.configured == config::TransferWay::stream ? Way::stream : Way::paced;
    }
    return possible(way) ? way : other(way);
}

TransferRun::TransferRun(JobQueue& queue, JobPtr job, Plan plan, std::function<void()> alive)
    : queue_(queue), job_(std::move(job)), plan_(plan), alive_(std::move(alive)) {
    if (const auto* retrieve = std::get_if<RetrieveRequest>(&job_->request())) {
        sink_ = retrieve->sink;
    }
    if (const auto* store = std::get_if<StoreRequest>(&job_->request())) {
        source_ = store->source;
    }
}

Result<void> TransferRun::deliver(std::span<const char> bytes) {
    const std::uint64_t offset = plan_.start + moved_;
    moved_ += bytes.size();
    const std::uint64_t known_end = plan_.start + plan_.skip;
    const std::uint64_t skipped =
        offset < known_end ? std::min<std::uint64_t>(known_end - offset, bytes.size()) : 0;
    const auto fresh = bytes.subspan(static_cast<std::size_t>(skipped));
    queue_.note_progress();
    if (fresh.empty() || !sink_) {
        return {};
    }
    auto written = sink_->write(offset + skipped, fresh);
    if (!written) {
        failed_here_ = true;
        return written;
    }
    job_->transferred_ += fresh.size();
    job_->attempts_ = 0;
    return {};
}

Result<std::span<const char>> TransferRun::fetch(std::size_t most) {
    const std::uint64_t left = plan_.length.value_or(0) - moved_;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, left));
    if (wanted == 0 || !source_) {
        return std::span<const char>();
    }
    buffer_.resize(wanted);
    const auto got = source_->read(plan_.source_offset + moved_, buffer_);
    if (!got || *got < wanted) {
        failed_here_ = true;
        return got ? fail(Errc::local_io, "the file became shorter while it was sent")
                   : fail(got.error());
    }
    moved_ += wanted;
    job_->transferred_ = plan_.source_offset + moved_ - first_byte();
    queue_.note_progress();
    return std::span<const char>(buffer_);
}

std::uint64_t TransferRun::first_byte() const {
    return std::get<StoreRequest>(job_->request()).offset;
}

bool TransferRun::is_nearly_done() const {
    return plan_.length && *plan_.length - std::min(*plan_.length, moved_) <= nearly_done;
}

Result<void> TransferRun::checkpoint(milliseconds patience) {
    const Clock::time_point end = Clock::now() + patience;
    while (true) {
        queue_.nudged().clear();
        auto verdict = queue_.may_continue(job_);
        if (!verdict && verdict.error().code != Errc::gave_way) {
            return verdict;
        }
        const Sink::Demand demand = sink_ ? sink_->demand() : Sink::Demand::more;
        if (demand == Sink::Demand::stop) {
            stopped_ = true;
            return fail(Errc::cancelled, "nobody wants the rest");
        }
        if (!verdict && plan_.can_yield && (demand == Sink::Demand::pause || !is_nearly_done())) {
            return verdict;
        }
        if (demand == Sink::Demand::more) {
            return {};
        }
        if (Clock::now() >= end) {
            return fail(Errc::gave_way, "the reader has paused");
        }
        wait_for_nudge(end);
    }
}

void TransferRun::wait_for_nudge(Clock::time_point end) const {
    alive_();
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count() + 1;
    pollfd poll{queue_.nudged().fd(), POLLIN, 0};
    ::poll(&poll, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, slice_ms)));
}

}  // namespace modem
