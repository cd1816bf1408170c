// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "modem/ftp/rescue.hpp"

namespace modem {
namespace {

std::string cut(std::string_view bytes, std::uint64_t sent) {
    return cut_dle_pair(std::span(bytes.data(), bytes.size()), sent);
}

// "a", ETX, DLE, "b" cross the line as a, DLE ETX, DLE DLE, b.
constexpr std::string_view payload(
    "a\x03\x10"
    "b");

TEST(CutDlePair, NothingIsMissingBetweenBytes) {
    for (const std::uint64_t sent : {0U, 1U, 3U, 5U, 6U}) {
        EXPECT_EQ(cut(payload, sent), "") << sent;
    }
}

TEST(CutDlePair, TheEscapedByteIsMissingInsideAPair) {
    EXPECT_EQ(cut(payload, 2), "\x03");
    EXPECT_EQ(cut(payload, 4), "\x10");
}

TEST(CutDlePair, MoreThanAllIsAll) {
    EXPECT_EQ(cut(payload, 7), "");
    EXPECT_EQ(cut("", 1), "");
}

}  // namespace
}  // namespace modem
