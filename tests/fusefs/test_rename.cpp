// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <linux/fs.h>

#include <algorithm>

#include "tests/fusefs/volume_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;
using modem::JobKind;
using modem::LinkState;
using Names = std::vector<std::string>;

class RenameTest : public VolumeTest {
protected:
    int renames() const { return server->count(JobKind::rename); }
};

TEST_F(RenameTest, FollowsRename2) {
    server->put_directory("/d");
    server->put_directory("/d/sub");
    server->put_directory("/e");
    server->put_file("/e/x", "");
    server->put_file("/f", "f");
    server->put_file("/g", "g");
    start();
    for (const char* const path : {"/", "/d", "/e"}) {
        EXPECT_TRUE(list(path));
    }
    EXPECT_EQ(code(rename("/missing", "/x")), Errc::not_found);
    EXPECT_EQ(code(rename("/d", "/d/sub/d")), Errc::invalid_argument);
    EXPECT_EQ(code(rename("/d", "/e")), Errc::not_empty);
    EXPECT_EQ(code(rename("/f", "/e")), Errc::is_directory);
    EXPECT_EQ(code(rename("/d", "/f")), Errc::not_directory);
    EXPECT_EQ(code(rename("/d/sub", "/d")), Errc::not_empty);
    EXPECT_EQ(code(rename("/f", "/g", RENAME_NOREPLACE)), Errc::exists);
    EXPECT_EQ(code(rename("/f", "/g", RENAME_EXCHANGE)), Errc::invalid_argument);
    EXPECT_TRUE(rename("/f", "/f"));
    EXPECT_EQ(renames(), 0);
    EXPECT_TRUE(rename("/f", "/h", RENAME_NOREPLACE));
    EXPECT_TRUE(rename("/h", "/g"));
    EXPECT_EQ(server->content("/g"), "f");
    EXPECT_TRUE(rename("/e", "/d/sub"));
    EXPECT_EQ(server->paths(), (Names{"/d", "/d/sub", "/d/sub/x", "/g"}));
    EXPECT_EQ(list("/d/sub"), Names{"x"});
    EXPECT_EQ(lists(), 4);  // /d/sub had not been seen before
}

TEST_F(RenameTest, TakesTheContentAlong) {
    server->put_directory("/d");
    server->put_file("/d/f", "content");
    start();
    EXPECT_EQ(load("/d/f"), "content");
    EXPECT_TRUE(set("/d/f", {.mtime_ns = 5'000'000'000}));
    EXPECT_TRUE(rename("/d", "/e"));
    EXPECT_EQ(load("/e/f"), "content");
    EXPECT_EQ(server->count(JobKind::retrieve), 1);
    stop();
    start();
    EXPECT_EQ(stat("/e/f")->st_mtim.tv_sec, 5);
    EXPECT_EQ(load("/e/f"), "content");
}

TEST_F(RenameTest, WaitingUploadsOnlyMoveInTheLedger) {
    start();
    EXPECT_TRUE(mkdir("/d"));
    server->inject({JobKind::store, {Errc::session_lost, 421, "421"}, "", {}, 100});
    EXPECT_FALSE(save("/d/new", "waiting"));
    EXPECT_TRUE(rename("/d/new", "/d/newer"));
    EXPECT_EQ(renames(), 0);
    EXPECT_EQ(load("/d/newer"), "waiting");
    stop();
    start(false);
    EXPECT_EQ(load("/d/newer"), "waiting");
    EXPECT_EQ(code(stat("/d/new")), Errc::not_found);
}

TEST_F(RenameTest, AWaitingUploadReplacesWhatIsThere) {
    server->put_file("/target", "old");
    start();
    EXPECT_TRUE(list("/"));
    server->inject({JobKind::store, {Errc::session_lost, 421, "421"}});
    EXPECT_FALSE(save("/new", "waiting"));
    EXPECT_TRUE(rename("/new", "/target"));
    EXPECT_EQ(load("/target"), "waiting");
    volume->uploads().retry(volume->uploads().find("/target")->id);
    EXPECT_TRUE(loop.run_until([&] { return volume->uploads().pending() == 0; }));
    EXPECT_EQ(server->content("/target"), "waiting");
    EXPECT_EQ(server->paths(), Names{"/target"});
}

TEST_F(RenameTest, AFileThatIsJustBecomingAnUploadArrivesUnderItsNewName) {
    start();
    EXPECT_TRUE(list("/"));
    const auto handle = create("/old");
    ASSERT_TRUE(handle);
    EXPECT_TRUE(write(*handle, 0, "content"));
    volume->release(*handle);  // no FLUSH: it becomes durable behind our back
    EXPECT_TRUE(rename("/old", "/new"));
    EXPECT_TRUE(
        loop.run_until([&] { return volume->uploads().pending() == 0 && server->exists("/new"); }));
    EXPECT_EQ(server->paths(), Names{"/new"});
    EXPECT_EQ(server->content("/new"), "content");
    EXPECT_EQ(list("/"), Names{"new"});
}

TEST_F(RenameTest, AWaitingReplacementFollowsARenameOnTheServer) {
    server->put_file("/old", "before");
    start();
    EXPECT_TRUE(list("/"));
    server->inject({JobKind::store, {Errc::session_lost, 421, "421"}});
    EXPECT_FALSE(save("/old", "after"));
    EXPECT_TRUE(rename("/old", "/new"));
    EXPECT_EQ(server->content("/new"), "before");
    volume->uploads().retry(volume->uploads().find("/new")->id);
    EXPECT_TRUE(loop.run_until([&] { return volume->uploads().pending() == 0; }));
    EXPECT_EQ(server->content("/new"), "after");
    EXPECT_EQ(server->paths(), Names{"/new"});
}

TEST_F(RenameTest, ServersThatRefuseToReplaceAreHelped) {
    server->refuse_to_replace(true);
    server->put_file("/a", "a");
    server->put_file("/b", "b");
    server->put_file("/c", "c");
    start();
    EXPECT_TRUE(rename("/a", "/b"));
    EXPECT_EQ(server->content("/b"), "a");
    EXPECT_TRUE(loop.run_until([&] { return server->paths() == Names{"/b", "/c"}; }));
    EXPECT_EQ(renames(), 3);  // refused, aside, into place
    EXPECT_TRUE(rename("/b", "/c"));
    EXPECT_EQ(renames(), 5);  // learnt
    stop();
    start();
    server->put_file("/d", "d");
    volume->refresh(modem::RemotePath());
    EXPECT_TRUE(rename("/c", "/d"));
    EXPECT_EQ(renames(), 7);  // remembered
    EXPECT_EQ(server->content("/d"), "a");
}

TEST_F(RenameTest, AFailedReplacementPutsTheOldFileBack) {
    server->refuse_to_replace(true);
    server->put_file("/a", "a");
    server->put_file("/b", "b");
    start();
    EXPECT_TRUE(list("/"));
    server->inject({JobKind::rename, {Errc::permission, 550, "550"}, "/a", {}, 2});
    EXPECT_EQ(code(rename("/a", "/b")), Errc::permission);
    EXPECT_EQ(server->content("/a"), "a");
    EXPECT_EQ(server->content("/b"), "b");
    EXPECT_EQ(list("/"), (Names{"a", "b"}));
}

TEST_F(RenameTest, EmptyDirectoriesGiveWayOnSuchServers) {
    server->refuse_to_replace(true);
    server->put_directory("/a");
    server->put_file("/a/x", "");
    server->put_directory("/b");
    start();
    EXPECT_TRUE(list("/a"));
    EXPECT_TRUE(rename("/a", "/b"));
    EXPECT_EQ(server->paths(), (Names{"/b", "/b/x"}));
    EXPECT_EQ(list("/b"), Names{"x"});
}

TEST_F(RenameTest, AReplacedFileCanStillBeRead) {
    const std::string content(100'000, 'o');
    server->put_file("/a", "new");
    server->put_file("/b", content);
    start();
    const auto handle = open("/b", O_RDONLY);
    ASSERT_TRUE(handle);
    EXPECT_EQ(read(*handle, 0, 4), "oooo");
    EXPECT_TRUE(rename("/a", "/b"));
    EXPECT_EQ(load("/b"), "new");
    EXPECT_EQ(read(*handle, 99'000, 10'000), content.substr(99'000));
    volume->files().release(*handle);
    volume->tick();
    EXPECT_TRUE(loop.run_until([&] { return server->paths() == Names{"/b"}; }));
}

TEST_F(RenameTest, WithoutTheCommand) {
    server->put_directory("/d");
    server->put_file("/f", "");
    start();
    link.capabilities->rename = false;
    set_link(LinkState::session);
    EXPECT_EQ(code(rename("/f", "/g")), Errc::cross_device);
    EXPECT_EQ(code(rename("/d", "/e")), Errc::not_supported);
}

TEST_F(RenameTest, RefusalsWithoutWordsAreExplained) {
    server->plain_rejections(true);
    server->put_file("/a", "");
    start();
    EXPECT_TRUE(walk("/a"));
    server->inject({JobKind::rename, {Errc::rejected, 550, "550"}});
    EXPECT_EQ(code(rename("/a", "/b")), Errc::permission);
}

TEST_F(RenameTest, AnInterruptedRenameMakesTheNextLookAsk) {
    server->put_file("/a", "");
    start();
    EXPECT_TRUE(walk("/a"));
    server->set_silent(true);
    auto waiter = std::make_shared<Waiter>();
    std::optional<Errc> answer;
    volume->rename(root_ino, "a", root_ino, "b", 0, waiter,
                   [&](const modem::Result<void>& r) { answer = r.error().code; });
    waiter->interrupt();
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer, Errc::cancelled);
    server->set_silent(false);
    EXPECT_EQ(list("/"), Names{"a"});
    EXPECT_EQ(lists(), 2);
}

}  // namespace
}  // namespace fusefs
