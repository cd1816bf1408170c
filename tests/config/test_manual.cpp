// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "config/config.hpp"

namespace config {
namespace {

/// The keys that modemftp.toml(5) has, with what stands in the parentheses behind each.
std::map<std::string, std::string> manual() {
    std::stringstream text;
    text << std::ifstream(SOURCE_ROOT "/man/modemftp.toml.5.rst").rdbuf();
    const std::string page = text.str();
    const std::regex entry(R"re(\n``([a-z.-]+)`` \(([^\n]*)\)\n    )re");
    std::map<std::string, std::string> keys;
    for (std::sregex_iterator found(page.begin(), page.end(), entry), end; found != end; ++found) {
        keys.emplace((*found)[1], (*found)[2]);
    }
    return keys;
}

TEST(Manual, HasEveryKeyAndNoOther) {
    const auto documented = manual();
    const auto known = known_keys();
    EXPECT_EQ(documented.size(), known.size());
    for (const std::string& key : known) {
        EXPECT_TRUE(documented.contains(key)) << key;
    }
}

TEST(Manual, MarksWhatAppliesLive) {
    for (const auto& [key, description] : manual()) {
        EXPECT_EQ(description.ends_with("; live"), is_live(key)) << key;
    }
}

}  // namespace
}  // namespace config
