// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "tests/fusefs/volume_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;
using modem::JobKind;
using modem::LinkState;
using Names = std::vector<std::string>;

TEST_F(VolumeTest, FilesGoOutAndComeBack) {
    start();
    EXPECT_TRUE(save("/a", "hello"));
    EXPECT_EQ(server->content("/a"), "hello");
    EXPECT_EQ(load("/a"), "hello");
    EXPECT_EQ(server->count(JobKind::retrieve), 0);
    server->put_file("/b", "from there");
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(load("/b"), "from there");
}

TEST_F(VolumeTest, BelowAnotherRoot) {
    config.ftp.root = "/home/gw";
    server->put_directory("/home");
    server->put_directory("/home/gw");
    server->put_file("/home/gw/x", "1");
    start();
    EXPECT_EQ(list("/"), Names{"x"});
    EXPECT_TRUE(mkdir("/d"));
    EXPECT_TRUE(rename("/x", "/d/y"));
    EXPECT_EQ(server->paths(), (Names{"/home", "/home/gw", "/home/gw/d", "/home/gw/d/y"}));
}

TEST_F(VolumeTest, NamesThatMustNotReachTheLine) {
    start();
    EXPECT_TRUE(list("/"));
    const int before = server->jobs();
    for (const std::string name : {"a\rAT", "a\nb", "a\"b", "\x01", "tab\t"}) {
        EXPECT_EQ(code(stat("/" + name)), Errc::invalid_name) << name;
        EXPECT_EQ(code(create("/" + name)), Errc::invalid_name);
        EXPECT_EQ(code(mkdir("/" + name)), Errc::invalid_name);
    }
    EXPECT_EQ(code(mkdir("/" + std::string(300, 'x'))), Errc::name_too_long);
    EXPECT_EQ(server->jobs(), before);
}

TEST_F(VolumeTest, LimitsOfTheModuleCount) {
    start();
    link.capabilities->max_name = 10;
    link.capabilities->max_path = 16;
    link.capabilities->eight_bit_names = false;
    set_link(LinkState::session);
    EXPECT_EQ(code(mkdir("/12345678901")), Errc::name_too_long);
    EXPECT_TRUE(mkdir("/1234567890"));
    EXPECT_EQ(code(mkdir("/1234567890/123456")), Errc::name_too_long);
    EXPECT_EQ(code(mkdir("/\xc3\xa4")), Errc::not_representable);
}

TEST_F(VolumeTest, MkdirSaysWhatStandsInTheWay) {
    server->put_file("/f", "");
    start();
    EXPECT_EQ(code(mkdir("/f")), Errc::exists);
    EXPECT_EQ(server->count(JobKind::make_directory), 0);
    server->plain_rejections(true);
    server->put_directory("/late");  // since the listing
    EXPECT_EQ(code(mkdir("/late")), Errc::rejected);
    volume->refresh(modem::RemotePath());
    server->inject({JobKind::make_directory, {Errc::rejected, 550, "550 no"}});
    EXPECT_EQ(code(mkdir("/other")), Errc::rejected);
}

TEST_F(VolumeTest, ANewDirectoryIsKnownToBeEmpty) {
    start();
    EXPECT_TRUE(mkdir("/d"));
    EXPECT_EQ(list("/d"), Names{});
    EXPECT_EQ(code(stat("/d/.hidden")), Errc::not_found);
    EXPECT_EQ(lists(), 1);
    EXPECT_EQ(server->count(JobKind::stat), 0);
}

TEST_F(VolumeTest, RmdirSaysWhy) {
    server->put_directory("/full");
    server->put_file("/full/x", "");
    server->put_directory("/empty");
    server->put_file("/file", "");
    start();
    EXPECT_EQ(code(rmdir("/file")), Errc::not_directory);
    EXPECT_EQ(code(rmdir("/full")), Errc::not_empty);
    EXPECT_TRUE(list("/full"));
    const int before = server->jobs();
    EXPECT_EQ(code(rmdir("/full")), Errc::not_empty);
    EXPECT_EQ(server->jobs(), before);
    EXPECT_TRUE(rmdir("/empty"));
    server->put_directory("/d2");
    server->put_file("/d2/x", "");
    volume->refresh(modem::RemotePath());
    server->plain_rejections(true);
    EXPECT_EQ(code(rmdir("/d2")), Errc::not_empty);  // one LIST of it tells
}

TEST_F(VolumeTest, UnlinkSaysWhy) {
    server->put_directory("/d");
    server->put_file("/f", "x");
    server->put_file("/g", "x");
    start();
    EXPECT_EQ(code(unlink("/d")), Errc::is_directory);
    EXPECT_TRUE(unlink("/f"));
    EXPECT_FALSE(server->exists("/f"));
    EXPECT_TRUE(walk("/g"));
    server->erase("/g");
    EXPECT_EQ(code(unlink("/g")), Errc::not_found);
    EXPECT_EQ(list("/"), Names{"d"});
    EXPECT_EQ(lists(), 1);
}

TEST_F(VolumeTest, UnlinkOfWhatExistsOnlyHereAsksNobody) {
    start();
    const auto handle = create("/tmp");
    ASSERT_TRUE(handle);
    EXPECT_TRUE(write(*handle, 0, "secret"));
    EXPECT_TRUE(unlink("/tmp"));
    EXPECT_EQ(read(*handle, 0, 100), "secret");
    EXPECT_TRUE(write(*handle, 6, "!"));
    EXPECT_EQ(read(*handle, 0, 100), "secret!");
    EXPECT_TRUE(flush(*handle));
    volume->files().release(*handle);
    EXPECT_EQ(server->jobs(), 0);
    EXPECT_EQ(list("/"), Names{});
}

TEST_F(VolumeTest, OpenUnlinkedFilesKeepTheirSize) {
    start();
    const auto ino = [&] {
        const auto handle = create("/tmp");
        EXPECT_TRUE(handle);
        const Ino number = known("/tmp")->ino;
        EXPECT_TRUE(unlink("/tmp"));
        EXPECT_TRUE(write(*handle, 0, "12345"));
        const auto st = wait<struct stat>(
            [&](auto done) { volume->getattr(number, nullptr, std::move(done)); });
        EXPECT_EQ(st->st_size, 5);
        const auto cut = wait<struct stat>([&](auto done) {
            volume->setattr(number, {.size = 2}, *handle, nullptr, std::move(done));
        });
        EXPECT_EQ(cut->st_size, 2);
        volume->files().release(*handle);
        return number;
    }();
    volume->forget(ino, 100);
    EXPECT_EQ(volume->node(ino), nullptr);
    EXPECT_EQ(server->paths(), Names{});
}

TEST_F(VolumeTest, OpenUnlinkedRemoteFilesCanStillBeRead) {
    const std::string content(100'000, 'r');
    server->put_file("/f", content);
    start();
    const auto handle = open("/f", O_RDONLY);
    ASSERT_TRUE(handle);
    EXPECT_EQ(read(*handle, 0, 10), content.substr(0, 10));
    EXPECT_TRUE(unlink("/f"));
    EXPECT_EQ(list("/"), Names{});
    EXPECT_EQ(code(stat("/f")), Errc::not_found);
    EXPECT_EQ(read(*handle, 99'000, 10'000), content.substr(99'000));
    EXPECT_EQ(server->paths().size(), 1U);  // under a hidden name
    volume->tick();
    loop.run_posted();
    EXPECT_EQ(server->paths().size(), 1U);
    volume->release(*handle);
    EXPECT_TRUE(loop.run_until([&] { return server->paths().empty(); }));
}

TEST_F(VolumeTest, HiddenLeftoversAreRemovedAfterARestart) {
    server->put_file("/f", std::string(100'000, 'r'));
    start();
    const auto handle = open("/f", O_RDONLY);
    ASSERT_TRUE(handle);
    EXPECT_TRUE(unlink("/f"));
    EXPECT_EQ(server->paths().size(), 1U);
    stop();
    start();
    volume->tick();
    EXPECT_TRUE(loop.run_until([&] { return server->paths().empty(); }));
}

TEST_F(VolumeTest, ReadOnlyMountsRefuseToWrite) {
    config.mount.read_only = true;
    server->put_file("/f", "x");
    start();
    EXPECT_EQ(code(mkdir("/d")), Errc::read_only);
    EXPECT_EQ(code(create("/g")), Errc::read_only);
    EXPECT_EQ(code(open("/f", O_WRONLY)), Errc::read_only);
    EXPECT_EQ(code(unlink("/f")), Errc::read_only);
    EXPECT_EQ(code(set("/f", {.mtime_ns = 5})), Errc::read_only);
    EXPECT_EQ(load("/f"), "x");
}

TEST_F(VolumeTest, ModulesThatCannotWriteAreReadOnly) {
    start();
    link.capabilities->store = false;
    set_link(LinkState::session);
    EXPECT_EQ(code(mkdir("/d")), Errc::read_only);
    link.capabilities->store = true;
    link.capabilities->make_directory = false;
    set_link(LinkState::session);
    EXPECT_EQ(code(mkdir("/d")), Errc::not_supported);
}

TEST_F(VolumeTest, WritersWaitForTheFirstIdentification) {
    server->put_file("/f", "x");
    start(false);
    std::optional<bool> made;
    volume->mkdir(root_ino, "d", nullptr,
                  [&made](const modem::Result<Ino>& r) { made = r.has_value(); });
    auto waiter = std::make_shared<Waiter>();
    std::optional<Errc> interrupted;
    volume->mkdir(root_ino, "e", waiter,
                  [&](const modem::Result<Ino>& r) { interrupted = r.error().code; });
    loop.run_posted();
    EXPECT_FALSE(made);
    waiter->interrupt();
    EXPECT_EQ(interrupted, Errc::cancelled);
    link.capabilities = capabilities();
    set_link(LinkState::session);
    EXPECT_TRUE(loop.run_until([&] { return made.has_value(); }));
    EXPECT_TRUE(*made);
}

TEST_F(VolumeTest, WritersDoNotWaitForEver) {
    config.link.timeout = std::chrono::milliseconds(0);
    start(false);
    std::optional<Errc> answer;
    volume->mkdir(root_ino, "d", nullptr,
                  [&](const modem::Result<Ino>& r) { answer = r.error().code; });
    EXPECT_FALSE(answer);
    volume->tick();
    EXPECT_EQ(answer, Errc::link_down);
}

TEST_F(VolumeTest, CapabilitiesAreKnownAfterARestart) {
    start();
    loop.run_posted();
    stop();
    start(false);
    std::optional<bool> made;
    volume->mkdir(root_ino, "d", nullptr,
                  [&made](const modem::Result<Ino>& r) { made = r.has_value(); });
    EXPECT_TRUE(loop.run_until([&] { return made.has_value(); }));
}

TEST_F(VolumeTest, AttributesFollowTheConfig) {
    config.mount.umask = 027;
    config.mount.uid = 12;
    config.mount.gid = 34;
    server->put_file("/f", "12345", 1'600'000'000);
    server->put_directory("/d");
    server->put_symlink("/l", "target");
    start();
    const auto f = stat("/f");
    EXPECT_EQ(f->st_mode, static_cast<mode_t>(S_IFREG | 0640));
    EXPECT_EQ(f->st_uid, 12U);
    EXPECT_EQ(f->st_gid, 34U);
    EXPECT_EQ(f->st_mtim.tv_sec, 1'600'000'000);
    EXPECT_EQ(f->st_nlink, 1U);
    EXPECT_EQ(stat("/d")->st_mode, static_cast<mode_t>(S_IFDIR | 0750));
    EXPECT_EQ(stat("/l")->st_mode & S_IFMT, static_cast<mode_t>(S_IFLNK));
    EXPECT_EQ(stat("/l")->st_size, 6);
    EXPECT_EQ(stat("/")->st_mode, static_cast<mode_t>(S_IFDIR | 0750));
}

TEST_F(VolumeTest, SetTimesAreRememberedAcrossRestarts) {
    server->put_file("/f", "12345");
    start();
    EXPECT_TRUE(set("/f", {.mtime_ns = 1'234'567'890'000'000'001, .mode = 0600}));
    EXPECT_EQ(stat("/f")->st_mtim.tv_sec, 1'234'567'890);
    EXPECT_EQ(stat("/f")->st_mtim.tv_nsec, 1);
    EXPECT_TRUE(save("/new", "abc"));
    EXPECT_TRUE(set("/new", {.mtime_ns = 5'000'000'000}));
    EXPECT_TRUE(mkdir("/d"));
    EXPECT_TRUE(set("/d", {.mtime_ns = 7'000'000'000}));
    stop();
    start();
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(stat("/f")->st_mtim.tv_sec, 1'234'567'890);
    EXPECT_EQ(stat("/f")->st_mode & 07777U, 0600U);
    EXPECT_EQ(stat("/new")->st_mtim.tv_sec, 5);
    EXPECT_EQ(stat("/d")->st_mtim.tv_sec, 7);
    server->put_file("/f", "changed", 1'700'009'000);
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(stat("/f")->st_mtim.tv_sec, 1'700'009'000);
    EXPECT_EQ(stat("/f")->st_mode & 07777U, 0644U);
}

TEST_F(VolumeTest, NewContentHasANewTime) {
    server->put_file("/f", "12345");
    start();
    EXPECT_TRUE(set("/f", {.mtime_ns = 5'000'000'000}));
    EXPECT_TRUE(save("/f", "other"));
    EXPECT_GT(stat("/f")->st_mtim.tv_sec, 1'000'000'000);
}

TEST_F(VolumeTest, ModesGivenAtCreationHold) {
    start();
    const auto handle = create("/script", 0755);
    ASSERT_TRUE(handle);
    EXPECT_TRUE(write(*handle, 0, "#!/bin/sh"));
    EXPECT_TRUE(flush(*handle));
    volume->files().release(*handle);
    EXPECT_EQ(stat("/script")->st_mode & 07777U, 0755U);
    stop();
    start();
    EXPECT_EQ(stat("/script")->st_mode & 07777U, 0755U);
}

TEST_F(VolumeTest, ExtendedAttributesTellTheState) {
    server->put_file("/f", "12345");
    start();
    const auto ino = walk("/f");
    ASSERT_TRUE(ino);
    EXPECT_EQ(volume->getxattr(*ino, "user.modemftp.state"), "clean");
    EXPECT_EQ(volume->getxattr(*ino, "user.modemftp.cached"), "0");
    EXPECT_EQ(load("/f"), "12345");
    EXPECT_EQ(volume->getxattr(*ino, "user.modemftp.cached"), "5");
    EXPECT_EQ(volume->getxattr(*ino, "user.modemftp.error"), "");
    EXPECT_EQ(code(volume->getxattr(*ino, "security.selinux")), Errc::not_found);
    EXPECT_EQ(volume->listxattr(*ino)->size(), 3U);
}

TEST_F(VolumeTest, DotFilesThatListingsHideAreRemembered) {
    server->hide_dot_files(true);
    start();
    EXPECT_TRUE(mkdir("/.git"));
    EXPECT_TRUE(save("/.git/config", "[core]"));
    EXPECT_TRUE(save("/.profile", "x"));
    EXPECT_TRUE(save("/plain", "x"));
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(list("/"), (Names{".git", ".profile", "plain"}));
    EXPECT_EQ(list("/.git"), Names{"config"});
    stop();
    start();
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(list("/"), (Names{".git", ".profile", "plain"}));
    EXPECT_EQ(load("/.profile"), "x");
    EXPECT_TRUE(unlink("/.profile"));
    EXPECT_TRUE(rename("/.git", "/git"));
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(list("/"), (Names{"git", "plain"}));
    EXPECT_TRUE(rename("/plain", "/.plain"));
    volume->refresh(modem::RemotePath());
    EXPECT_EQ(list("/"), (Names{".plain", "git"}));
}

TEST_F(VolumeTest, UnknownDotFilesAreAskedForOnceWhereThatIsCheap) {
    server->hide_dot_files(true);
    server->put_file("/.there", "12345");
    start();
    EXPECT_EQ(stat("/.there")->st_size, 5);
    EXPECT_EQ(code(stat("/.not")), Errc::not_found);
    EXPECT_EQ(code(stat("/.not")), Errc::not_found);
    EXPECT_EQ(server->count(JobKind::stat), 2);
    link.capabilities->size = false;
    set_link(LinkState::session);
    EXPECT_EQ(code(stat("/.other")), Errc::not_found);
    EXPECT_EQ(server->count(JobKind::stat), 2);
}

TEST_F(VolumeTest, DotFilesOfServersThatShowThemAreNotAskedFor) {
    server->put_file("/.there", "1");
    start();
    EXPECT_EQ(list("/"), Names{".there"});
    EXPECT_EQ(code(stat("/.not")), Errc::not_found);
    EXPECT_EQ(server->count(JobKind::stat), 0);
}

TEST_F(VolumeTest, WaitingUploadsShowAfterARestart) {
    server->put_directory("/d");
    server->put_file("/d/old", "before");
    start();
    EXPECT_TRUE(list("/d"));
    server->inject({JobKind::store, {Errc::session_lost, 421, "421"}, "", {}, 100});
    EXPECT_FALSE(save("/d/new", "written"));
    EXPECT_FALSE(save("/d/old", "after!!"));
    EXPECT_EQ(load("/d/new"), "written");
    stop();
    start(false);
    EXPECT_EQ(list("/d"), (Names{"new", "old"}));
    EXPECT_EQ(stat("/d/old")->st_size, 7);
    EXPECT_EQ(load("/d/new"), "written");
    EXPECT_EQ(volume->getxattr(*walk("/d/new"), "user.modemftp.state"), "queued");
}

TEST_F(VolumeTest, StatfsShowsTheSpool) {
    config.upload.spool_size = 1U << 20U;
    start();
    const auto st = volume->statfs();
    EXPECT_LE(st.f_bavail * st.f_bsize, 1U << 20U);
    EXPECT_EQ(st.f_namemax, 255U);
}

}  // namespace
}  // namespace fusefs
