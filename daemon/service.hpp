// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "config/config.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/log.hpp"
#include "daemon/options.hpp"
#include "modem/result.hpp"
#include "modem/worker.hpp"

namespace service {

/// One modem's daemon, put together: volume and mount, job queue and modem thread, storage thread,
/// bus, systemd, signals. The only one that knows all parts. Main thread.
class Service {
public:
    /// Takes the state directory, opens ledger and caches, mounts, and only then starts the modem
    /// thread. Errors: local_io, exists.
    static modem::Result<std::unique_ptr<Service>> start(const Options& options,
                                                         config::Config config,
                                                         modem::Secrets secrets, EventLoop& loop,
                                                         Log& log);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();  ///< stop()

    /// Unmounts, ends the threads, leaves what is not uploaded for the next start. At most ten
    /// seconds; a second signal meanwhile ends the process at once. Idempotent.
    void stop();

private:
    struct Body;
    explicit Service(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

}  // namespace service
