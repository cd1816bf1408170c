// SPDX-License-Identifier: MIT
#include <thread>

#include "tests/fusefs/volume_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;
using modem::JobKind;
using modem::LinkState;
using Names = std::vector<std::string>;

class DirectoriesTest : public VolumeTest {};

TEST_F(DirectoriesTest, OneListADirectoryHoweverManyNames) {
    for (int i = 0; i < 1000; ++i) {
        server->put_file("/f" + std::to_string(i), "x");
    }
    start();
    EXPECT_EQ(list("/")->size(), 1000U);
    for (int i = 0; i < 1000; i += 100) {
        EXPECT_EQ(stat("/f" + std::to_string(i))->st_size, 1);
    }
    EXPECT_EQ(code(stat("/missing")), Errc::not_found);
    EXPECT_EQ(code(stat("/missing")), Errc::not_found);
    EXPECT_EQ(server->jobs(), 1);
}

TEST_F(DirectoriesTest, ConcurrentAskersShareOneList) {
    server->put_file("/a", "x");
    server->put_file("/b", "x");
    start();
    queue->pause();
    int answered = 0;
    for (const char* const name : {"a", "b", "c", "a", "b", "a", "b", "a", "b", "a"}) {
        volume->lookup(root_ino, name, nullptr,
                       [&answered](const modem::Result<Ino>&) { ++answered; });
    }
    volume->opendir(
        root_ino, nullptr,
        [&answered](const modem::Result<std::shared_ptr<DirectoryHandle>>&) { ++answered; });
    queue->resume();
    EXPECT_TRUE(loop.run_until([&] { return answered == 11; }));
    EXPECT_EQ(server->jobs(), 1);
}

TEST_F(DirectoriesTest, AskersAfterTheTimeListAgain) {
    config.cache.directory_ttl = std::chrono::milliseconds(0);
    server->put_file("/a", "x");
    start();
    EXPECT_TRUE(list("/"));
    server->put_file("/b", "x");
    EXPECT_EQ(list("/"), (Names{"a", "b"}));
    EXPECT_EQ(lists(), 2);
}

TEST_F(DirectoriesTest, GetattrOfAnExpiredNameAsksForItsDirectory) {
    server->put_file("/a", "x");
    start();
    const auto ino = walk("/a");
    ASSERT_TRUE(ino);
    config.cache.directory_ttl = std::chrono::milliseconds(0);
    server->put_file("/a", "longer");
    const auto getattr = [&] {
        return wait<struct stat>(
            [&](auto done) { volume->getattr(*ino, nullptr, std::move(done)); });
    };
    EXPECT_EQ(getattr()->st_size, 6);
    EXPECT_EQ(lists(), 2);
    server->erase("/a");
    EXPECT_EQ(code(getattr()), Errc::not_found);
}

TEST_F(DirectoriesTest, ExpiredListingServesWhileTheLinkIsDown) {
    server->put_file("/a", "x");
    start();
    EXPECT_TRUE(list("/"));
    config.cache.directory_ttl = std::chrono::milliseconds(0);
    set_link(LinkState::registering);
    EXPECT_EQ(list("/"), Names{"a"});
    EXPECT_EQ(stat("/a")->st_size, 1);
    EXPECT_EQ(code(stat("/b")), Errc::not_found);
    EXPECT_EQ(lists(), 1);
}

TEST_F(DirectoriesTest, ExpiredListingServesWhenTheLinkBreaksTheList) {
    server->put_file("/a", "x");
    start();
    EXPECT_TRUE(list("/"));
    config.cache.directory_ttl = std::chrono::milliseconds(0);
    server->inject({JobKind::list, {Errc::session_lost, 421, "421 gone"}});
    EXPECT_EQ(list("/"), Names{"a"});
    EXPECT_EQ(stat("/a")->st_size, 1);  // not a wait for each name
    EXPECT_EQ(lists(), 2);
}

TEST_F(DirectoriesTest, WithoutAnyListingTheErrorIsTold) {
    start();
    server->inject({JobKind::list, {Errc::timed_out, 0, "no answer"}});
    EXPECT_EQ(code(list("/")), Errc::timed_out);
    EXPECT_TRUE(list("/"));
}

TEST_F(DirectoriesTest, InterruptedAskerIsAnsweredAtOnce) {
    server->set_silent(true);
    start();
    auto first = std::make_shared<Waiter>();
    auto second = std::make_shared<Waiter>();
    std::optional<Errc> one;
    std::optional<Errc> two;
    volume->lookup(root_ino, "a", first,
                   [&one](const modem::Result<Ino>& r) { one = r.error().code; });
    volume->lookup(root_ino, "a", second,
                   [&two](const modem::Result<Ino>& r) { two = r.error().code; });
    while (lists() == 0) {
        std::this_thread::yield();
    }
    first->interrupt();
    EXPECT_EQ(one, Errc::cancelled);
    EXPECT_FALSE(two);
    second->interrupt();
    EXPECT_EQ(two, Errc::cancelled);
    while (!queue->jobs().empty()) {  // the server's thread lets go of the job
        std::this_thread::yield();
    }
    server->set_silent(false);
    EXPECT_TRUE(list("/"));
}

TEST_F(DirectoriesTest, InterruptBeforeTheRequestCounts) {
    server->set_silent(true);
    start();
    auto waiter = std::make_shared<Waiter>();
    waiter->interrupt();
    std::optional<Errc> answer;
    volume->lookup(root_ino, "a", waiter,
                   [&answer](const modem::Result<Ino>& r) { answer = r.error().code; });
    EXPECT_EQ(answer, Errc::cancelled);
}

TEST_F(DirectoriesTest, ListingsSurviveARestart) {
    server->put_directory("/d");
    server->put_file("/d/x", "12345");
    server->put_symlink("/l", "d/x");
    start();
    EXPECT_TRUE(list("/"));
    EXPECT_TRUE(list("/d"));
    stop();
    start(false);
    const int before = lists();
    EXPECT_EQ(list("/"), (Names{"d", "l"}));
    EXPECT_EQ(stat("/d/x")->st_size, 5);
    EXPECT_EQ(volume->readlink(*walk("/l")), "d/x");
    EXPECT_EQ(lists(), before);
    link.capabilities = capabilities();
    set_link(LinkState::ready);
    server->put_file("/d/y", "");
    EXPECT_EQ(list("/d"), (Names{"x", "y"}));
    EXPECT_EQ(lists(), before + 2);  // the root was asked as well, once each
}

TEST_F(DirectoriesTest, OwnTemporariesStayHidden) {
    server->put_file("/.mftp-42", "half");
    server->put_file("/.mftp-42o", "old");
    server->put_file("/.mftp-u7", "open");
    server->put_file("/.mftp-x", "not ours");
    server->put_file("/.mftp-", "nor this");
    start();
    EXPECT_EQ(list("/"), (Names{".mftp-", ".mftp-x"}));
    EXPECT_EQ(code(stat("/.mftp-42")), Errc::invalid_name);
}

TEST_F(DirectoriesTest, OwnChangesNeverCauseAList) {
    server->put_file("/old", "x");
    start();
    EXPECT_TRUE(list("/"));
    EXPECT_TRUE(mkdir("/d"));
    EXPECT_TRUE(save("/d/new", "hello"));
    EXPECT_TRUE(rename("/d/new", "/moved"));
    EXPECT_TRUE(unlink("/old"));
    EXPECT_TRUE(rmdir("/d"));
    EXPECT_EQ(list("/"), Names{"moved"});
    EXPECT_EQ(stat("/moved")->st_size, 5);
    EXPECT_EQ(lists(), 1);
    EXPECT_EQ(server->paths(), Names{"/moved"});
}

TEST_F(DirectoriesTest, RefreshForgetsWhatIsBelow) {
    server->put_directory("/d");
    server->put_file("/d/x", "1");
    start();
    EXPECT_TRUE(list("/d"));
    EXPECT_EQ(lists(), 2);
    volume->refresh(*modem::RemotePath::parse("/d"));
    EXPECT_TRUE(list("/d"));
    EXPECT_EQ(lists(), 3);
    volume->refresh(modem::RemotePath());
    EXPECT_TRUE(list("/d"));
    EXPECT_EQ(lists(), 5);
}

TEST_F(DirectoriesTest, RewindShowsChanges) {
    server->put_file("/a", "");
    start();
    auto handle = wait<std::shared_ptr<DirectoryHandle>>(
        [&](auto done) { volume->opendir(root_ino, nullptr, std::move(done)); });
    ASSERT_TRUE(handle);
    EXPECT_EQ((*handle)->items.size(), 3U);
    EXPECT_TRUE(mkdir("/b"));
    EXPECT_EQ((*handle)->items.size(), 3U);
    volume->snapshot(**handle);
    EXPECT_EQ((*handle)->items.size(), 4U);
}

}  // namespace
}  // namespace fusefs
