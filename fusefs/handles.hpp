// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

namespace fusefs {

/// What the kernel's file handles refer to. Numbers are never used twice, so that a stale one finds
/// nothing instead of another file. Main thread.
template <typename T>
class Handles {
public:
    std::uint64_t add(std::shared_ptr<T> handle) {
        all_.emplace(++last_, std::move(handle));
        return last_;
    }
    /// nullptr: unknown.
    [[nodiscard]] std::shared_ptr<T> find(std::uint64_t number) const {
        const auto found = all_.find(number);
        return found == all_.end() ? nullptr : found->second;
    }
    std::shared_ptr<T> take(std::uint64_t number) {
        const auto node = all_.extract(number);
        return node.empty() ? nullptr : std::move(node.mapped());
    }
    [[nodiscard]] std::size_t size() const { return all_.size(); }
    /// All of them, at the end.
    std::unordered_map<std::uint64_t, std::shared_ptr<T>> take_all() {
        return std::exchange(all_, {});
    }

private:
    std::unordered_map<std::uint64_t, std::shared_ptr<T>> all_;
    std::uint64_t last_ = 0;
};

}  // namespace fusefs
