// SPDX-License-Identifier: MIT
#include "modem/at/error_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace modem::test {
namespace {

TEST(error_codes, tables_are_sorted_and_have_words) {
    for (const auto table : {cme_errors(), cms_errors()}) {
        EXPECT_TRUE(std::is_sorted(table.begin(), table.end(), [](const auto& a, const auto& b) {
            return a.number < b.number;
        }));
        std::set<int> numbers;
        for (const auto& row : table) {
            EXPECT_TRUE(numbers.insert(row.number).second) << row.number;
            EXPECT_FALSE(row.words.empty()) << row.number;
        }
    }
}

TEST(error_codes, every_row_is_found_by_number_and_by_words) {
    for (const auto& row : cme_errors()) {
        const auto by_number = cme_error(row.number);
        EXPECT_EQ(by_number.code, row.code) << row.number;
        EXPECT_EQ(by_number.number, row.number);
        EXPECT_EQ(by_number.what,
                  std::string(row.words) + " (+CME ERROR: " + std::to_string(row.number) + ")");
        if (row.number < 1000) {  // call causes repeat some words
            EXPECT_EQ(cme_error(row.words).code, row.code) << row.number;
        }
    }
    for (const auto& row : cms_errors()) {
        EXPECT_EQ(cms_error(row.number).code, row.code) << row.number;
    }
}

TEST(error_codes, what_they_mean_to_us) {
    EXPECT_EQ(cme_error(10).code, Errc::sim_missing);
    EXPECT_EQ(cme_error(11).code, Errc::pin_required);
    EXPECT_EQ(cme_error(12).code, Errc::pin_required);
    EXPECT_EQ(cme_error(30).code, Errc::no_service);
    EXPECT_EQ(cme_error(20).code, Errc::module_memory);
    EXPECT_EQ(cme_error(4).code, Errc::not_supported);
    EXPECT_EQ(cme_error(149).code, Errc::bearer_lost);
    EXPECT_EQ(cme_error(4711).code, Errc::refused);
    EXPECT_EQ(cme_error(4711).what, "+CME ERROR: 4711");
    EXPECT_EQ(cme_error("never heard of").what, "never heard of (+CME ERROR)");
}

TEST(error_codes, a_vendors_row_wins) {
    constexpr ErrorCode vendor[] = {{20, Errc::dns_failed, "no such host"}};
    EXPECT_EQ(cme_error(20, vendor).code, Errc::dns_failed);
    EXPECT_EQ(cme_error("NO SUCH HOST", vendor).number, 20);
    EXPECT_EQ(cme_error(10, vendor).code, Errc::sim_missing);
}

}  // namespace
}  // namespace modem::test
