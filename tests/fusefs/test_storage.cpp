// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "fusefs/storage.hpp"
#include "modem/result.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

TEST(Storage, RunsWorksInOrderOnOneThreadAndPostsTheirEnds) {
    MainLoop loop;
    Storage storage(loop.post());
    std::vector<int> worked;
    std::vector<int> ended;
    std::thread::id worker;
    for (int i = 0; i < 100; ++i) {
        storage.run(
            [&, i] {
                worked.push_back(i);
                worker = std::this_thread::get_id();
            },
            [&, i] { ended.push_back(i); });
    }
    loop.run_until([&] { return ended.size() == 100; });
    std::vector<int> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(worked, expected);
    EXPECT_EQ(ended, expected);
    EXPECT_NE(worker, std::this_thread::get_id());
}

TEST(Storage, HandsValuesAndErrorsToTheMainThread) {
    MainLoop loop;
    Storage storage(loop.post());
    std::optional<modem::Result<int>> good;
    std::optional<modem::Result<int>> bad;
    storage.call([]() -> modem::Result<int> { return 7; },
                 [&](modem::Result<int> result) { good = std::move(result); });
    storage.call(
        []() -> modem::Result<int> { return modem::fail(modem::Errc::local_no_space, "full", 28); },
        [&](modem::Result<int> result) { bad = std::move(result); });
    loop.run_until([&] { return good && bad; });
    EXPECT_EQ(**good, 7);
    ASSERT_FALSE(*bad);
    EXPECT_EQ(bad->error().code, modem::Errc::local_no_space);
    EXPECT_EQ(bad->error().number, 28);
}

TEST(Storage, AnEmptyWorkMarksAPlaceInTheOrder) {
    MainLoop loop;
    Storage storage(loop.post());
    int done = 0;
    bool marked = false;
    for (int i = 0; i < 10; ++i) {
        storage.run([&] { ++done; });
    }
    storage.run({}, [&] { marked = true; });
    loop.run_until([&] { return marked; });
    EXPECT_EQ(done, 10);
}

TEST(Storage, WhatAWorkOwnsIsGoneBeforeItsEndIsTold) {
    MainLoop loop;
    Storage storage(loop.post());
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = owned;
    std::optional<bool> gone;
    storage.run([owned = std::move(owned)] {}, [&] { gone = watch.expired(); });
    loop.run_until([&] { return gone.has_value(); });
    EXPECT_TRUE(*gone);
}

TEST(Storage, CloseFinishesWhatWasGivenAndDropsWhatComesLater) {
    MainLoop loop;
    Storage storage(loop.post());
    std::promise<void> gate;
    std::atomic<int> worked{0};
    storage.run([&] { gate.get_future().wait(); });
    for (int i = 0; i < 50; ++i) {
        storage.run([&] { ++worked; });
    }
    gate.set_value();
    storage.close();
    EXPECT_EQ(worked, 50);
    auto dropped = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = dropped;
    storage.run([dropped = std::move(dropped), &worked] { ++worked; });
    EXPECT_TRUE(watch.expired());
    storage.close();
    EXPECT_EQ(worked, 50);
}

TEST(Storage, AWorkMayGiveMoreWorkAndMayClose) {
    MainLoop loop;
    Storage storage(loop.post());
    std::promise<void> closed;
    std::atomic<int> worked{0};
    storage.run([&] {
        storage.run([&] { ++worked; });
        storage.close();
        storage.run([&] { worked += 100; });
        closed.set_value();
    });
    closed.get_future().wait();
    storage.close();
    EXPECT_EQ(worked, 1);
}

TEST(Storage, SeveralThreadsGiveWorkWhileOneCloses) {
    MainLoop loop;
    std::atomic<int> worked{0};
    std::atomic<int> given{0};
    int unsynchronised = 0;  // the storage thread's alone: a race shows under TSan
    std::vector<std::thread> givers;
    {
        Storage storage(loop.post());
        for (int thread = 0; thread < 4; ++thread) {
            givers.emplace_back([&] {
                for (int i = 0; i < 500; ++i) {
                    storage.run(
                        [&] {
                            ++unsynchronised;
                            ++worked;
                        },
                        [] {});
                    ++given;
                }
            });
        }
        while (given < 300) {
            std::this_thread::yield();
        }
        std::thread closer([&] { storage.close(); });
        storage.close();
        const int at_close = worked;
        EXPECT_GE(at_close, 1);
        closer.join();
        for (auto& giver : givers) {
            giver.join();
        }
        EXPECT_EQ(worked, at_close);
    }
    EXPECT_EQ(unsynchronised, worked);
}

TEST(Storage, IsAliveWhileIdleAndAgesWhileStuck) {
    MainLoop loop;
    Storage storage(loop.post());
    const auto before = modem::Clock::now();
    EXPECT_GE(storage.last_alive(), before);
    std::promise<void> gate;
    std::promise<void> stuck;
    storage.run([&] {
        stuck.set_value();
        gate.get_future().wait();
    });
    stuck.get_future().wait();
    const auto since = storage.last_alive();
    std::thread([] {}).join();
    EXPECT_EQ(storage.last_alive(), since);
    EXPECT_LE(since, modem::Clock::now());
    gate.set_value();
    storage.close();
    EXPECT_GE(storage.last_alive(), since);
}

}  // namespace
}  // namespace fusefs
