// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "modem/job.hpp"
#include "modem/link.hpp"
#include "modem/transfer_run.hpp"
#include "modem/worker_context.hpp"

namespace modem {

/// Runs jobs on a link that is up, one try at a time, and decides what a failed try means for its
/// job: the answer, another try, or nothing since nobody waits any more. Modem thread only.
class JobRunner {
public:
    JobRunner(WorkerContext& context, Link& link);

    /// What a try has told about the link.
    struct Outcome {
        bool answered = false;         ///< module and server work
        std::optional<Error> failure;  ///< the link, or the far end, is to blame
        bool in_order = false;         ///< the dialect has found its way back after it
    };
    Outcome run(const JobPtr& job);

private:
    /// What happened on the way, for the decision afterwards.
    struct Try {
        bool started = false;  ///< the operation itself, after checks and login
        bool login_failed = false;
        bool stale = false;        ///< the session had not been used for a while
        bool stopped = false;      ///< the sink wants no more
        bool failed_here = false;  ///< sink or source failed in the middle
        bool sent = false;         ///< upload: payload has left us
        bool transfer = false;
    };

    Result<Answer> attempt(const JobPtr& job, Try& now);
    Result<Answer> perform(const JobPtr& job, Try& now);
    Result<Answer> list(const RemotePath& directory);
    Result<Listing> list_once(const RemotePath& directory, bool hidden);
    Result<Answer> learn_hidden(const RemotePath& directory);
    void learnt(bool hidden);
    Result<Answer> retrieve(const JobPtr& job, const RetrieveRequest& request, Try& now);
    Result<Answer> store(const JobPtr& job, const StoreRequest& request, Try& now);
    [[nodiscard]] Result<std::uint64_t> settled(const JobPtr& job, const StoreRequest& request);
    [[nodiscard]] Way way(bool download, std::optional<Way> asked,
                          std::optional<std::uint64_t> bytes) const;
    [[nodiscard]] const Capabilities& can() { return link_.dialect().capabilities(); }

    Error explain(const JobPtr& job, Error error, Try& now);
    std::optional<Error> settle(const Error& error, const Try& now);
    void decide(const JobPtr& job, const Error& error, const Try& now);
    [[nodiscard]] static bool may_retry(const Job& job, const Error& error, const Try& now);
    void finish(const JobPtr& job, Error error);
    [[nodiscard]] bool is_unwanted(const JobPtr& job) const;
    [[nodiscard]] std::uint64_t line_bytes() const;

    WorkerContext& context_;
    Link& link_;
};

}  // namespace modem
