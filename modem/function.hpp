// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace modem {

/// A callable that is moved, never copied (std::move_only_function is C++23): completions own
/// replies and descriptors that exist once. Calling an empty one is a bug.
template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
public:
    UniqueFunction() = default;

    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
                 std::is_invocable_r_v<R, F&, Args...>)
    UniqueFunction(F&& function)  // implicit, as std::function is
        : body_(std::make_unique<Body<std::decay_t<F>>>(std::forward<F>(function))) {}

    explicit operator bool() const { return body_ != nullptr; }
    R operator()(Args... args) { return body_->call(std::forward<Args>(args)...); }

private:
    struct Base {
        virtual ~Base() = default;
        virtual R call(Args... args) = 0;
    };
    template <typename F>
    struct Body final : Base {
        explicit Body(F f) : function(std::move(f)) {}
        R call(Args... args) override { return function(std::forward<Args>(args)...); }
        F function;
    };
    std::unique_ptr<Base> body_;
};

/// Runs a task on the main thread, in the order given; callable from any thread.
using Post = UniqueFunction<void(UniqueFunction<void()>)>;

}  // namespace modem
