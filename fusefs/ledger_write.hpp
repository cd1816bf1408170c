// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "fusefs/core.hpp"

namespace fusefs {

/// Gives the ledger something to remember that nobody waits for: `work(Ledger&)` runs on the
/// storage thread, what goes wrong is logged.
template <typename Work>
void write_ledger(Core& core, Work work) {
    core.storage->call([ledger = core.ledger, work = std::move(work)]() { return work(*ledger); },
                       [log = core.log](const modem::Result<void>& written) {
                           if (!written) {
                               log(3, "the ledger cannot be written: " + written.error().what);
                           }
                       });
}

}  // namespace fusefs
