// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fusefs/range_set.hpp"

namespace fusefs {
namespace {

TEST(RangeSet, MergesWhatOverlapsOrTouches) {
    RangeSet set;
    set.add(10, 20);
    set.add(30, 40);
    EXPECT_EQ(set.to_text(), "10-19,30-39");
    set.add(20, 30);
    EXPECT_EQ(set.to_text(), "10-39");
    set.add(5, 50);
    EXPECT_EQ(set.to_text(), "5-49");
    set.add(7, 8);
    EXPECT_EQ(set.total(), 45U);
    EXPECT_EQ(set.end(), 50U);
    set.add(60, 60);
    EXPECT_EQ(set.to_text(), "5-49");
}

TEST(RangeSet, RemovesFromTheMiddleAndAcrossRanges) {
    RangeSet set;
    set.add(0, 100);
    set.remove(40, 60);
    EXPECT_EQ(set.to_text(), "0-39,60-99");
    set.remove(30, 70);
    EXPECT_EQ(set.to_text(), "0-29,70-99");
    set.remove(100, 200);
    set.remove(20, 20);
    EXPECT_EQ(set.total(), 60U);
    set.remove(0, 1000);
    EXPECT_TRUE(set.empty());
    EXPECT_EQ(set.total(), 0U);
}

TEST(RangeSet, AnEmptyRangeIsAlwaysContained) {
    const RangeSet set;
    EXPECT_TRUE(set.contains(0, 0));
    EXPECT_FALSE(set.contains(0, 1));
    EXPECT_EQ(set.first_gap(7, 7), std::nullopt);
    EXPECT_EQ(set.first_gap(7, 9), 7U);
    EXPECT_EQ(set.next_present(0), std::nullopt);
    EXPECT_EQ(set.end(), 0U);
}

TEST(RangeSet, ReachesTheLargestOffsets) {
    RangeSet set;
    set.add(UINT64_MAX - 10, UINT64_MAX - 1);
    EXPECT_EQ(set.run_at(UINT64_MAX - 5), 4U);
    EXPECT_EQ(RangeSet::from_text(set.to_text()), set);
}

TEST(RangeSet, ReadsOnlyWhatItWrites) {
    for (const auto* text : {"", "0-0", "0-4095,8192-9000", "5-5,7-7"}) {
        const auto set = RangeSet::from_text(text);
        ASSERT_TRUE(set) << text;
        EXPECT_EQ(set->to_text(), text);
    }
    for (const auto* text : {"x", "-", "1", "1-", "-1", "5-4", "1-2,", ",1-2", "1-2,,4-5",
                             "1-2 4-5", "1-2,3-4", "1-5,4-9", "7-9,1-2", "1-2,1-2", "+1-2", "1--2",
                             "0-18446744073709551615", "0-99999999999999999999", "1-2;"}) {
        EXPECT_FALSE(RangeSet::from_text(text)) << text;
    }
}

/// Everything it tells, compared with a plain array of flags.
void expect_equal(const RangeSet& set, const std::vector<bool>& model) {
    const auto size = model.size();
    std::uint64_t total = 0;
    for (std::size_t at = 0; at < size; ++at) {
        total += model[at] ? 1 : 0;
        std::size_t run = at;
        while (run < size && model[run]) {
            ++run;
        }
        ASSERT_EQ(set.run_at(at), run - at);
        ASSERT_EQ(set.contains(at, at + 1), model[at]);
        std::size_t next = at;
        while (next < size && !model[next]) {
            ++next;
        }
        ASSERT_EQ(set.next_present(at),
                  next < size ? std::optional<std::uint64_t>(next) : std::nullopt);
        ASSERT_EQ(set.first_gap(at, size),
                  run < size ? std::optional<std::uint64_t>(run) : std::nullopt);
    }
    ASSERT_EQ(set.total(), total);
    ASSERT_EQ(RangeSet::from_text(set.to_text()), set);
}

TEST(RangeSet, AgreesWithAnArrayOfFlags) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        std::vector<bool> model(64, false);
        RangeSet set;
        for (int step = 0; step < 200; ++step) {
            const auto begin = random() % 64;
            const auto end = begin + random() % (65 - begin);
            const bool on = random() % 5 < 3;
            on ? set.add(begin, end) : set.remove(begin, end);
            std::fill(model.begin() + begin, model.begin() + end, on);
            ASSERT_NO_FATAL_FAILURE(expect_equal(set, model));
        }
    }
}

}  // namespace
}  // namespace fusefs
