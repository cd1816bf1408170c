// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "fusefs/session.hpp"
#include "tests/fusefs/volume_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;
using modem::JobKind;
using Names = std::vector<std::string>;

/// A real mount on the server in memory: programs run in child processes while this process serves.
class SessionTest : public VolumeTest {
protected:
    void SetUp() override {
        if (::access("/dev/fuse", R_OK | W_OK) != 0) {
            GTEST_SKIP() << "SKIPPED: /dev/fuse cannot be used here";
        }
        config.mount.path = (directory / "mnt").string();
        config.mount.allow_other = false;
        std::filesystem::create_directory(config.mount.path);
    }
    void TearDown() override {
        session.reset();
        if (!config.mount.path.empty()) {
            ::umount2(config.mount.path.c_str(), MNT_DETACH);
        }
    }
    void mount() {
        start();
        auto mounted = Session::mount(*volume, config);
        ASSERT_TRUE(mounted) << mounted.error().what;
        session = *std::move(mounted);
    }
    /// Serves until `condition` holds.
    bool serve(const std::function<bool()>& condition) {
        const auto deadline = modem::Clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            if (modem::Clock::now() > deadline) {
                return false;
            }
            pollfd fd{session->fd(), POLLIN, 0};
            ::poll(&fd, 1, 2);
            if ((fd.revents & (POLLIN | POLLERR)) != 0 && !session->process()) {
                unmounted = true;
                return condition();
            }
            loop.run_posted();
        }
        return true;
    }
    pid_t spawn(const std::string& command) {
        std::string shell = "/bin/bash";
        std::string flag = "-c";
        std::string script = "exec >" + (directory / "out").string() + " 2>&1; cd " +
                             config.mount.path + "; " + command;
        std::vector<char*> arguments{shell.data(), flag.data(), script.data(), nullptr};
        pid_t child = 0;
        EXPECT_EQ(::posix_spawn(&child, shell.c_str(), nullptr, nullptr, arguments.data(), environ),
                  0);
        return child;
    }
    int wait_for(pid_t child) {
        int status = -1;
        const bool ended = serve([&] { return ::waitpid(child, &status, WNOHANG) == child; });
        if (!ended) {
            ::kill(child, SIGKILL);
            session->unmount();
            ::waitpid(child, &status, 0);
            ADD_FAILURE() << "the program did not end";
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    /// Runs a shell command in the mount; returns its output.
    std::string run(const std::string& command, int expected = 0) {
        const int code = wait_for(spawn(command));
        std::ifstream file(directory / "out");
        std::stringstream text;
        text << file.rdbuf();
        EXPECT_EQ(code, expected) << command << "\n" << text.str();
        return text.str();
    }

    std::unique_ptr<Session> session;
    bool unmounted = false;
};

TEST_F(SessionTest, ProgramsWork) {
    server->put_directory("/d");
    server->put_file("/d/a b", "content");
    server->put_symlink("/link", "d");
    mount();
    EXPECT_EQ(run("cat d/a\\ b"), "content");
    EXPECT_EQ(run("echo hello > new; cat new; stat -c %s new"), "hello\n6\n");
    EXPECT_EQ(run("mkdir -p x/y && mv new x/y/z && ls x/y && rm -r x && ls"), "z\nd\nlink\n");
    EXPECT_EQ(run("readlink link; ls link/"), "d\na b\n");
    EXPECT_NE(run("ln -s a b", 1).find("Operation not permitted"), std::string::npos);
    EXPECT_EQ(run("getfattr --only-values -n user.modemftp.state d/a\\ b || true").empty(), false);
    EXPECT_EQ(server->content("/d/a b"), "content");
    EXPECT_EQ(server->paths(), (Names{"/d", "/d/a b", "/link"}));
}

TEST_F(SessionTest, LongListingsComeWhole) {
    for (int i = 0; i < 2000; ++i) {
        server->put_file("/entry-number-" + std::to_string(i), "x");
    }
    mount();
    EXPECT_EQ(run("ls -l | tail -n +2 | wc -l; ls -f | wc -l; stat -c %s entry-number-7"),
              "2000\n2002\n1\n");
    EXPECT_EQ(server->jobs(), 1);
}

TEST_F(SessionTest, LookupCountsAreExact) {
    for (int i = 0; i < 100; ++i) {
        server->put_file("/f" + std::to_string(i), "x");
    }
    mount();
    run("ls -l > /dev/null; stat f1 f2 f3 > /dev/null; echo x > own; mkdir d");
    // The kernel forgets everything when its caches are dropped; each node's count must meet it.
    const auto counted = [&] {
        std::uint64_t sum = 0;
        for (const auto& [name, node] : volume->node(root_ino)->directory->children) {
            sum += node->lookups;
        }
        return sum;
    };
    EXPECT_GT(counted(), 0U);
    if (::geteuid() == 0) {
        std::ofstream("/proc/sys/vm/drop_caches") << "2";
        EXPECT_TRUE(serve([&] {
            std::ofstream("/proc/sys/vm/drop_caches") << "2";
            return counted() == 0;
        })) << counted();
    }
}

TEST_F(SessionTest, LargeFilesAreSplicedWhole) {
    std::string content;
    for (int i = 0; i < 300'000; ++i) {
        content += static_cast<char>(i * 7 % 251);
    }
    server->put_file("/big", content);
    server->set_chunk(65'536);
    mount();
    const auto copy = (directory / "copy").string();
    run("cat big > " + copy + "; cat big | cmp - " + copy + " && cp big big2 && cmp big big2");
    EXPECT_EQ(server->content("/big2"), content);
    EXPECT_EQ(server->count(JobKind::retrieve), 1);
}

TEST_F(SessionTest, InterruptsEndWaitingProgramsAtOnce) {
    server->put_file("/f", "x");
    mount();
    run("ls");
    server->set_silent(true);
    volume->refresh(modem::RemotePath());
    for (const char* const command : {"exec cat f", "exec ls", "exec mkdir d"}) {
        const auto jobs = server->jobs();
        const pid_t child = spawn(command);
        EXPECT_TRUE(serve([&] { return server->jobs() > jobs; })) << command;
        ::kill(child, SIGINT);
        EXPECT_EQ(wait_for(child), 128 + SIGINT) << command;
    }
    server->set_silent(false);
    EXPECT_EQ(run("cat f"), "x");
}

TEST_F(SessionTest, WaitingProgramsAreAnsweredAtTheEnd) {
    mount();
    server->set_silent(true);
    const pid_t child = spawn("ls; true");
    EXPECT_TRUE(serve([&] { return lists() == 1; }));
    session->unmount();
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    server->set_silent(false);
}

TEST_F(SessionTest, ABusyMountIsLeftLazily) {
    mount();
    const pid_t child = spawn("sleep 1000");
    EXPECT_TRUE(serve([&] {
        std::error_code none;
        return std::filesystem::read_symlink("/proc/" + std::to_string(child) + "/cwd", none) ==
               config.mount.path;
    }));
    session->unmount();
    EXPECT_TRUE(session->was_busy());
    EXPECT_TRUE(std::filesystem::is_empty(config.mount.path));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

TEST_F(SessionTest, ACleanUnmountIsNotBusy) {
    mount();
    run("ls");
    session->unmount();
    EXPECT_FALSE(session->was_busy());
}

TEST_F(SessionTest, SomebodyElseMayUnmountIt) {
    mount();
    run("ls");
    EXPECT_EQ(::umount2(config.mount.path.c_str(), MNT_DETACH), 0);
    EXPECT_TRUE(serve([&] { return unmounted; }) || unmounted);
    EXPECT_TRUE(unmounted);
}

TEST_F(SessionTest, ADeadPredecessorIsUnmounted) {
    const pid_t child = ::fork();
    if (child == 0) {
        // Mounts and dies without unmounting: the descriptor goes with the process.
        const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
        const auto options =
            "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
        const int failed =
            ::mount("dead", config.mount.path.c_str(), "fuse.modemftp", 0, options.c_str());
        ::_exit(failed == 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) != 0) {
        GTEST_SKIP() << "SKIPPED: mount(2) needs root";
    }
    std::error_code error;
    EXPECT_FALSE(std::filesystem::exists(config.mount.path, error));
    mount();
    EXPECT_EQ(run("ls"), "");
}

TEST_F(SessionTest, AMissingMountPointIsSaidPlainly) {
    std::filesystem::remove(config.mount.path);
    start();
    const auto mounted = Session::mount(*volume, config);
    ASSERT_FALSE(mounted);
    EXPECT_NE(mounted.error().what.find("create the directory first"), std::string::npos);
}

}  // namespace
}  // namespace fusefs
