// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "fusefs/core.hpp"

namespace fusefs {

/// A callback that is harmless once the file system is gone: it then only drops what it holds.
template <typename Function>
struct WhileAlive {
    std::weak_ptr<bool> alive;
    Function function;
    template <typename... Arguments>
    void operator()(Arguments&&... arguments) {
        if (!alive.expired()) {
            function(std::forward<Arguments>(arguments)...);
        }
    }
};
template <typename Function>
WhileAlive<Function> while_alive(const Core& core, Function function) {
    return {std::weak_ptr<bool>(core.alive), std::move(function)};
}

/// Submits a job that one program waits for; an interrupt cancels it.
template <typename Then>
void ask(Core& core, modem::Request request, modem::Priority priority, const WaiterPtr& waiter,
         Then then) {
    const auto ticket =
        core.queue->submit(std::move(request), priority, while_alive(core, std::move(then)));
    if (waiter) {
        waiter->on_interrupt([queue = core.queue, ticket] { queue->cancel(ticket); });
    }
}

}  // namespace fusefs
