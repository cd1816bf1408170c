// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "modem/job.hpp"
#include "modem/worker.hpp"

namespace service {

/// What the daemon does at the moment, as far as a person wants to know.
struct Activity {
    struct Running {
        modem::JobKind kind{};
        std::string name;  ///< last component of the path
        std::uint64_t transferred = 0;
        std::uint64_t total = 0;  ///< 0: unknown
    };
    std::optional<Running> running;
    std::size_t queued = 0;  ///< jobs and uploads that wait
    std::size_t failed = 0;  ///< uploads that need a person
};

/// One line for `systemctl status`: "ready: 2 queued, uploading log.csv 41 %".
[[nodiscard]] std::string status_line(const modem::LinkStatus& link, const Activity& activity);

}  // namespace service
