// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "fusefs/ledger.hpp"
#include "fusefs/local_file.hpp"
#include "fusefs/storage.hpp"
#include "fusefs/tree.hpp"
#include "modem/function.hpp"
#include "modem/job_queue.hpp"
#include "modem/worker.hpp"

namespace fusefs {

template <typename T>
using Done = modem::UniqueFunction<void(modem::Result<T>)>;

/// A program that waits inside one FUSE request. Interrupting it (Ctrl-C, a dead caller) runs what
/// the code that it waits for has set; that code then answers `cancelled`. Main thread.
class Waiter {
public:
    /// Replaces what an interrupt does; an interrupt that came before runs it at once.
    void on_interrupt(modem::UniqueFunction<void()> action) {
        action_ = std::move(action);
        if (interrupted_) {
            fire();
        }
    }
    void interrupt() {
        interrupted_ = true;
        fire();
    }
    [[nodiscard]] bool interrupted() const { return interrupted_; }

private:
    void fire() {
        if (action_) {
            auto action = std::move(action_);
            action_ = {};
            action();
        }
    }
    modem::UniqueFunction<void()> action_;
    bool interrupted_ = false;
};
using WaiterPtr = std::shared_ptr<Waiter>;  ///< nullptr: nobody can interrupt

/// What the parts of the file system share. One instance, owned by the Volume; main thread, except
/// `ledger` and `spool`, which belong to the storage thread (Spool's accounting excepted).
struct Core {
    const config::Config* config = nullptr;
    modem::JobQueue* queue = nullptr;
    Storage* storage = nullptr;
    std::shared_ptr<Ledger> ledger;
    std::shared_ptr<Spool> spool;
    Tree tree;
    modem::LinkStatus link;                                       ///< the last one told
    modem::RemotePath root;                                       ///< `ftp.root`
    std::function<void(int level, const std::string& text)> log;  ///< syslog level
    std::function<std::time_t()> now;                            ///< UTC seconds (a seam for tests)
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);  ///< false: the Volume is gone

    /// The server's path of a path below the mount's root. Errors: invalid_name.
    [[nodiscard]] modem::Result<modem::RemotePath> remote(const modem::RemotePath& below) const;
    /// Capabilities of the module, as far as known.
    [[nodiscard]] const modem::Capabilities& capabilities() const;
    /// True while a job can be expected to run soon.
    [[nodiscard]] bool link_up() const;
    /// True when this server's listings leave dot-files out, or nobody knows yet.
    [[nodiscard]] bool hides_dots() const;
    /// A name of ours on the server: an upload's temporary (`PREFIX42`), what stepped aside for one
    /// (`PREFIX42o`), or an open file that was unlinked (`PREFIXu7`). Never shown to programs.
    [[nodiscard]] bool is_ours(std::string_view name) const;
};

}  // namespace fusefs
