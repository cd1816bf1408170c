// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "fusefs/capabilities_text.hpp"

namespace fusefs {
namespace {

TEST(CapabilitiesText, SurvivesTheLedger) {
    modem::Capabilities all;
    all.list = true;
    all.store = true;
    all.rename = true;
    all.unknown_names_askable = false;
    all.host_names = false;
    all.max_name = 99;
    all.max_path = 0;
    all.max_size = 123'456'789'012;
    const auto text = to_text(all);
    const auto back = capabilities_from_text(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_text(*back), text);
    EXPECT_TRUE(back->list);
    EXPECT_FALSE(back->remove);
    EXPECT_FALSE(back->unknown_names_askable);
    EXPECT_EQ(back->max_name, 99U);
    EXPECT_EQ(back->max_path, 0U);
    EXPECT_EQ(back->max_size, 123'456'789'012U);
    EXPECT_EQ(back->max_offset, UINT64_MAX);
}

TEST(CapabilitiesText, RefusesWhatItDoesNotKnow) {
    EXPECT_FALSE(capabilities_from_text("list teleport"));
    EXPECT_FALSE(capabilities_from_text("max_name=12x"));
    EXPECT_FALSE(capabilities_from_text("max_fun=12"));
}

}  // namespace
}  // namespace fusefs
