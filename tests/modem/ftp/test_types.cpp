// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "modem/ftp/types.hpp"

namespace modem {
namespace {

RemotePath path(std::string_view text) {
    return RemotePath::parse(text).value();
}

TEST(RemotePath, NormalisesWhatMeansTheSame) {
    EXPECT_EQ(path("/").text(), "/");
    EXPECT_EQ(path("//").text(), "/");
    EXPECT_EQ(path("/a/b").text(), "/a/b");
    EXPECT_EQ(path("//a///b/").text(), "/a/b");
    EXPECT_EQ(path("/./a/./b/.").text(), "/a/b");
    EXPECT_EQ(path("/...").text(), "/...");
    EXPECT_EQ(path("/a b/ c").text(), "/a b/ c");
}

TEST(RemotePath, RefusesWhatMustNotReachTheLine) {
    const std::string nul("/a\0b", 4);
    for (const std::string& bad :
         {std::string(""), std::string("a"), std::string("/.."), std::string("/a/../b"),
          std::string("/a\rAT+CFUN=0"), std::string("/a\nb"), std::string("/a\x1b[0m"),
          std::string("/a\x7f"), std::string("/a\"b"), std::string("/\x01"), nul}) {
        const auto result = RemotePath::parse(bad);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(result.error().code, Errc::invalid_name);
    }
}

TEST(RemotePath, MakesChildrenOfTheRootAndOfDirectories) {
    EXPECT_EQ(RemotePath().child("a").value().text(), "/a");
    EXPECT_EQ(path("/a").child("b c").value().text(), "/a/b c");
    EXPECT_EQ(path("/a").child("\xc3\xa9").value().text(), "/a/\xc3\xa9");
    for (const char* bad : {"", ".", "..", "a/b", "/", "a\r", "a\"", "\x7f"}) {
        EXPECT_FALSE(path("/a").child(bad).has_value()) << bad;
    }
}

TEST(RemotePath, KnowsItsPlace) {
    EXPECT_TRUE(RemotePath().is_root());
    EXPECT_EQ(RemotePath().name(), "");
    EXPECT_EQ(RemotePath().parent(), RemotePath());
    EXPECT_EQ(path("/a").parent(), RemotePath());
    EXPECT_EQ(path("/a/b").parent(), path("/a"));
    EXPECT_EQ(path("/a/b").name(), "b");
    EXPECT_TRUE(path("/a/b").is_within(path("/a")));
    EXPECT_TRUE(path("/a").is_within(path("/a")));
    EXPECT_TRUE(path("/a").is_within(RemotePath()));
    EXPECT_FALSE(path("/ab").is_within(path("/a")));
    EXPECT_FALSE(path("/a").is_within(path("/a/b")));
}

TEST(RemotePath, TellsPatternsAndOptions) {
    for (const char* pattern : {"/a*b", "/a/?", "/[x]", "/{a,b}", "/-la", "/a/-R/b"}) {
        EXPECT_TRUE(path(pattern).has_glob()) << pattern;
    }
    for (const char* plain : {"/", "/a-b", "/a/b.txt", "/a b", "/~x"}) {
        EXPECT_FALSE(path(plain).has_glob()) << plain;
    }
}

}  // namespace
}  // namespace modem
