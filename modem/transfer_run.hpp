// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/config.hpp"
#include "modem/ftp/transfer.hpp"
#include "modem/job.hpp"
#include "modem/job_queue.hpp"

namespace modem {

/// What decides how payload crosses the line.
struct WayChoice {
    bool download = true;
    std::optional<Way> asked = {};  ///< by the job
    config::TransferWay configured = config::TransferWay::automatic;
    config::FlowControl flow_control = config::FlowControl::none;
    std::optional<std::uint64_t> bytes = {};  ///< to move, if known
};
/// Nothing: this module cannot transfer in this direction at all. Pure.
[[nodiscard]] std::optional<Way> choose_way(const WayChoice& choice,
                                            const Capabilities& capabilities);

/// One try at a job's transfer, as the dialect sees it: bytes go to the sink or come from the
/// source, are counted, and at each checkpoint it is decided whether to go on. Modem thread only.
class TransferRun final : public Transfer {
public:
    struct Plan {
        Way way = Way::stream;
        std::uint64_t start = 0;              ///< in the remote file
        std::optional<std::uint64_t> length;  ///< from there on
        StoreMode mode = StoreMode::create;
        std::uint64_t source_offset = 0;  ///< upload: first byte of the source to send
        std::uint64_t skip = 0;           ///< download: bytes at its start that are known
        bool can_yield = true;            ///< it can be resumed later
    };
    TransferRun(JobQueue& queue, JobPtr job, Plan plan, std::function<void()> alive);

    [[nodiscard]] Way way() const override { return plan_.way; }
    [[nodiscard]] std::uint64_t start() const override { return plan_.start; }
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return plan_.length; }
    [[nodiscard]] StoreMode mode() const override { return plan_.mode; }
    [[nodiscard]] std::uint64_t moved() const override { return moved_; }

    Result<void> deliver(std::span<const char> bytes) override;
    Result<std::span<const char>> fetch(std::size_t most) override;
    Result<void> checkpoint(milliseconds patience) override;

    /// The sink wants no more.
    [[nodiscard]] bool stopped() const { return stopped_; }
    /// Sink or source failed: its error is the transfer's, and the line is in mid-transfer.
    [[nodiscard]] bool failed_here() const { return failed_here_; }

private:
    [[nodiscard]] bool is_nearly_done() const;
    [[nodiscard]] std::uint64_t first_byte() const;
    void wait_for_nudge(Clock::time_point end) const;
    JobQueue& queue_;
    JobPtr job_;
    Plan plan_;
    std::function<void()> alive_;
    std::shared_ptr<Sink> sink_;
    std::shared_ptr<Source> source_;
    std::uint64_t moved_ = 0;
    std::vector<char> buffer_;
    bool stopped_ = false;
    bool failed_here_ = false;
};

}  // namespace modem
