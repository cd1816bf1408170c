// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fusefs {

/// Which bytes of a file are here: sorted, disjoint, never adjacent half-open ranges. Pure.
class RangeSet {
public:
    void add(std::uint64_t begin, std::uint64_t end);
    void remove(std::uint64_t begin, std::uint64_t end);
    void clear();
    [[nodiscard]] bool contains(std::uint64_t begin, std::uint64_t end) const;
    /// Bytes present from `at` on without a hole.
    [[nodiscard]] std::uint64_t run_at(std::uint64_t at) const;
    /// First missing byte in [begin, end), or nothing.
    [[nodiscard]] std::optional<std::uint64_t> first_gap(std::uint64_t begin,
                                                         std::uint64_t end) const;
    /// Start of the first range present at or after `at`, or nothing.
    [[nodiscard]] std::optional<std::uint64_t> next_present(std::uint64_t at) const;
    [[nodiscard]] std::uint64_t total() const { return total_; }
    /// End of the last range, or 0.
    [[nodiscard]] std::uint64_t end() const {
        return ranges_.empty() ? 0 : ranges_.rbegin()->second;
    }
    [[nodiscard]] bool empty() const { return ranges_.empty(); }
    /// "0-4095,8192-9000" (inclusive ends), for ledger and cache index; empty for none.
    [[nodiscard]] std::string to_text() const;
    /// Reads what to_text() writes and nothing else: sorted, disjoint, not adjacent.
    static std::optional<RangeSet> from_text(std::string_view text);
    friend bool operator==(const RangeSet&, const RangeSet&) = default;

private:
    std::map<std::uint64_t, std::uint64_t> ranges_;  ///< begin → end
    std::uint64_t total_ = 0;
};

}  // namespace fusefs
