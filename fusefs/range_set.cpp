// SPDX-License-Identifier: MIT
#include "fusefs/range_set.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace fusefs {

void RangeSet::add(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) {
        return;
    }
    auto next = ranges_.upper_bound(begin);
    if (next != ranges_.begin()) {
        const auto before = std::prev(next);
        if (before->second >= end) {
            return;
        }
        if (before->second >= begin) {
            begin = before->first;
            next = before;
        }
    }
    while (next != ranges_.end() && next->first <= end) {
        end = std::max(end, next->second);
        total_ -= next->second - next->first;
        next = ranges_.erase(next);
    }
    ranges_.emplace_hint(next, begin, end);
    total_ += end - begin;
}

void RangeSet::remove(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) {
        return;
    }
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second > begin) {
        --at;
    }
    while (at != ranges_.end() && at->first < end) {
        const auto [from, to] = *at;
        at = ranges_.erase(at);
        total_ -= to - from;
        if (from < begin) {
            ranges_.emplace_hint(at, from, begin);
            total_ += begin - from;
        }
        if (to > end) {
            ranges_.emplace_hint(at, end, to);
            total_ += to - end;
        }
    }
}

void RangeSet::clear() {
    ranges_.clear();
    total_ = 0;
}

std::uint64_t RangeSet::run_at(std::uint64_t at) const {
    const auto next = ranges_.upper_bound(at);
    if (next == ranges_.begin()) {
        return 0;
    }
    const auto end = std::prev(next)->second;
    return end > at ? end - at : 0;
}

bool RangeSet::contains(std::uint64_t begin, std::uint64_t end) const {
    return begin >= end || run_at(begin) >= end - begin;
}

std::optional<std::uint64_t> RangeSet::first_gap(std::uint64_t begin, std::uint64_t end) const {
    if (contains(begin, end)) {
        return std::nullopt;
    }
    return begin + run_at(begin);
}

std::optional<std::uint64_t> RangeSet::next_present(std::uint64_t at) const {
    if (run_at(at) > 0) {
        return at;
    }
    const auto next = ranges_.lower_bound(at);
    return next == ranges_.end() ? std::nullopt : std::optional(next->first);
}

std::string RangeSet::to_text() const {
    std::string text;
    for (const auto& [begin, end] : ranges_) {
        if (!text.empty()) {
            text += ',';
        }
        text += std::to_string(begin);
        text += '-';
        text += std::to_string(end - 1);
    }
    return text;
}

std::optional<RangeSet> RangeSet::from_text(std::string_view text) {
    RangeSet set;
    const char* at = text.data();
    const char* const end = at + text.size();
    // Smallest start that leaves a gap after what was read so far.
    std::uint64_t least = 0;
    while (at != end) {
        if (!set.empty() && *at++ != ',') {
            return std::nullopt;
        }
        std::uint64_t first = 0;
        const auto begin_read = std::from_chars(at, end, first);
        if (begin_read.ec != std::errc{} || begin_read.ptr == end || *begin_read.ptr != '-') {
            return std::nullopt;
        }
        std::uint64_t last = 0;
        const auto end_read = std::from_chars(begin_read.ptr + 1, end, last);
        if (end_read.ec != std::errc{} || last < first || last >= UINT64_MAX - 1 || first < least) {
            return std::nullopt;
        }
        set.add(first, last + 1);
        least = last + 2;
        at = end_read.ptr;
    }
    return set;
}

}  // namespace fusefs
