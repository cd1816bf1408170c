// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

#include "daemon/child.hpp"
#include "daemon/event_loop.hpp"
#include "modem/fd.hpp"

namespace service {
namespace {

using namespace std::chrono_literals;

class EventLoopTest : public testing::Test {
protected:
    EventLoopTest() : loop_(std::move(*EventLoop::create())) {}
    EventLoop& loop() { return *loop_; }
    /// Runs until a task calls exit(); a loop that nobody ends fails the test after ten seconds.
    int run() {
        const auto limit = loop_->every(10s, [this] { loop_->exit(99); });
        return *loop_->run();
    }

private:
    std::unique_ptr<EventLoop> loop_;
};

TEST_F(EventLoopTest, TasksOfOtherThreadsRunHereInTheirOrder) {
    std::vector<int> order;
    const auto here = std::this_thread::get_id();
    std::thread other([&, post = loop().post()]() mutable {
        for (int i = 0; i < 1000; ++i) {
            post([&, i] {
                EXPECT_EQ(std::this_thread::get_id(), here);
                order.push_back(i);
            });
        }
        post([&] { loop().exit(7); });
    });
    EXPECT_EQ(run(), 7);
    other.join();
    ASSERT_EQ(order.size(), 1000U);
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(EventLoopTest, ATaskThatPostsForEverKeepsNobodyElseOut) {
    auto post = loop().post();
    std::function<void()> again = [&] { post([&] { again(); }); };
    again();
    const auto timer = loop().every(5ms, [&] { loop().exit(3); });
    EXPECT_EQ(run(), 3);
}

TEST(EventLoopEnd, ATaskPostedTooLateIsDropped) {
    auto loop = std::move(*EventLoop::create());
    auto post = loop->post();
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    post([owned = std::move(owned)] { FAIL(); });
    loop.reset();
    EXPECT_TRUE(watched.expired());
    post([] { FAIL(); });
}

TEST_F(EventLoopTest, RunPostedRunsWhatTasksPostToo) {
    auto post = loop().post();
    int ran = 0;
    post([&] {
        ++ran;
        post([&] { ++ran; });
    });
    loop().run_posted();
    EXPECT_EQ(ran, 2);
}

TEST_F(EventLoopTest, ASourceMayEndItselfInItsCallback) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const modem::Fd reader(ends[0]);
    const modem::Fd writer(ends[1]);
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    int calls = 0;
    Source source;
    source = *loop().watch(reader.get(), EPOLLIN, [&](std::uint32_t events) {
        EXPECT_TRUE(events & EPOLLIN);
        ++calls;
        source.reset();
    });
    const auto timer = loop().every(20ms, [&] { loop().exit(0); });
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, ATimerRepeats) {
    int times = 0;
    const auto timer = loop().every(2ms, [&] {
        if (++times == 3) {
            loop().exit(0);
        }
    });
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(times, 3);
}

TEST_F(EventLoopTest, ASignalArrivesAsACallback) {
    const auto source = loop().on_signal(SIGUSR2, [&] { loop().exit(5); });
    ASSERT_TRUE(source);
    ::kill(::getpid(), SIGUSR2);
    EXPECT_EQ(run(), 5);
}

TEST_F(EventLoopTest, AChildTellsHowItEnded) {
    Child child(loop());
    std::string words = "none";
    const auto ended = [&](const std::string& how) {
        words = how;
        loop().exit(0);
    };
    ASSERT_TRUE(child.start({"sh", "-c", "exit 3"}, ended));
    EXPECT_TRUE(child.running());
    EXPECT_FALSE(child.start({"true"}, ended));
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(words, "failed with exit code 3");
    EXPECT_FALSE(child.running());
}

TEST_F(EventLoopTest, AProgramThatIsNotThereIsAnError) {
    Child child(loop());
    const auto started = child.start({"/nonexistent/power-cycle"}, [](const std::string&) {});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().what,
              "/nonexistent/power-cycle cannot be started: No such file or directory");
    EXPECT_FALSE(child.running());
}

}  // namespace
}  // namespace service
