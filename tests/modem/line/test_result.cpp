// SPDX-License-Identifier: MIT
#include "modem/result.hpp"

#include <gtest/gtest.h>

#include <set>

namespace modem::test {
namespace {

TEST(errc, every_code_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Errc::cross_device); ++i) {
        const auto text = name(static_cast<Errc>(i));
        EXPECT_NE(text, "unknown") << i;
        EXPECT_TRUE(names.insert(text).second) << text;
    }
    EXPECT_EQ(name(static_cast<Errc>(999)), "unknown");
}

TEST(errc, time_heals_the_link_and_a_busy_server_only) {
    for (const auto code :
         {Errc::line_lost, Errc::timed_out, Errc::link_down, Errc::bearer_lost, Errc::dns_failed,
          Errc::connect_failed, Errc::session_lost, Errc::data_connection, Errc::server_busy,
          Errc::no_space, Errc::size_mismatch, Errc::cancelled, Errc::garbled}) {
        EXPECT_TRUE(is_transient(code)) << name(code);
    }
    for (const auto code : {Errc::login_refused, Errc::rejected, Errc::permission, Errc::not_found,
                            Errc::pin_required, Errc::invalid_name, Errc::not_supported,
                            Errc::read_only, Errc::local_no_space, Errc::exists}) {
        EXPECT_FALSE(is_transient(code)) << name(code);
    }
}

TEST(errc, the_replys_number_tells_452_from_552) {
    EXPECT_TRUE(is_transient(Error{Errc::no_space, 452, ""}));
    EXPECT_FALSE(is_transient(Error{Errc::no_space, 552, ""}));
    EXPECT_TRUE(is_transient(Error{Errc::no_space, 0, ""}));
    EXPECT_FALSE(is_transient(Error{Errc::rejected, 553, ""}));
}

Result<int> half(int value) {
    if (value % 2 != 0) {
        return fail(Errc::invalid_argument, "odd", value);
    }
    return value / 2;
}

Result<int> quarter(int value) {
    TRY(const int first, half(value));
    CHECK(half(first));
    return half(first);
}

TEST(result, errors_travel_unchanged) {
    EXPECT_EQ(quarter(12).value(), 3);
    EXPECT_EQ(quarter(5).error().number, 5);
    EXPECT_EQ(quarter(6).error().number, 3);
    EXPECT_EQ(quarter(6).error().what, "odd");
}

}  // namespace
}  // namespace modem::test
