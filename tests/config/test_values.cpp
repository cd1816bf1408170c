// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "config/config.hpp"

namespace config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, TakesUnitsAndSums) {
    EXPECT_EQ(parse_duration("60s"), 60s);
    EXPECT_EQ(parse_duration("2min"), 2min);
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("1h"), 1h);
    EXPECT_EQ(parse_duration("7d"), 168h);
    EXPECT_EQ(parse_duration("1min 30s"), 90s);
    EXPECT_EQ(parse_duration("1min30s"), 90s);
    EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Duration, RefusesEverythingElse) {
    for (const auto* text : {"",
                             " ",
                             "60",
                             "s",
                             "5 parsecs",
                             "60 s",
                             "-1s",
                             "+1s",
                             "1.5s",
                             "60s ",
                             " 60s",
                             "60S",
                             "1m",
                             "1s  1s",
                             "1s,1s",
                             "0x10s",
                             "99999999999999999999s",
                             "36500d",
                             "3650d 1ms",
                             "18446744073709551615ms"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Size, TakesBinaryMultiples) {
    EXPECT_EQ(parse_size("4096"), 4096U);
    EXPECT_EQ(parse_size("300K"), 300U * 1024);
    EXPECT_EQ(parse_size("64M"), 64U << 20U);
    EXPECT_EQ(parse_size("1G"), 1U << 30U);
    EXPECT_EQ(parse_size("2T"), 2ULL << 40U);
    EXPECT_EQ(parse_size("0"), 0U);
}

TEST(Size, RefusesEverythingElse) {
    for (const auto* text : {"", "M", "64 M", "64MB", "64m", "-1", "1.5G", "1G1M", "1 ", " 1",
                             "9223372036854775808", "8388608T", "99999999999999999999"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(InstanceName, IsWhatABusNameCanEndIn) {
    for (const auto* good : {"site", "Site_2", "_x", "a"}) {
        EXPECT_TRUE(is_instance_name(good)) << good;
    }
    for (const auto* bad : {"", "2site", "my-site", "a.b", "a/b", "a b", "..", "ä"}) {
        EXPECT_FALSE(is_instance_name(bad)) << bad;
    }
    EXPECT_FALSE(is_instance_name(std::string(201, 'a')));
}

}  // namespace
}  // namespace config
