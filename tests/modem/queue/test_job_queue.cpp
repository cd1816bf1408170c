// SPDX-License-Identifier: MIT
#include "modem/job_queue.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/modem/queue/main_thread.hpp"

namespace modem {
namespace {

RemotePath path(std::string_view text) {
    return RemotePath::parse(text).value();
}

bool is_raised(const Interrupt& interrupt) {
    pollfd poll{interrupt.fd(), POLLIN, 0};
    return ::poll(&poll, 1, 0) == 1;
}

class PausingSink : public Sink {
public:
    Result<void> write(std::uint64_t, std::span<const char>) override { return {}; }
    [[nodiscard]] Demand demand() const override { return wanted; }
    std::atomic<Demand> wanted{Demand::more};
};

class JobQueueTest : public testing::Test {
protected:
    struct Asked {
        JobQueue::Ticket ticket = 0;
        std::optional<Result<Answer>> answer;
        int calls = 0;
    };

    std::shared_ptr<Asked> submit(Request request, Priority priority) {
        auto asked = std::make_shared<Asked>();
        asked->ticket = queue.submit(std::move(request), priority, [asked](Result<Answer> answer) {
            ++asked->calls;
            asked->answer = std::move(answer);
        });
        return asked;
    }
    std::shared_ptr<Asked> list(const char* directory, Priority priority = Priority::metadata) {
        return submit(ListRequest{path(directory)}, priority);
    }
    std::shared_ptr<Asked> retrieve(const char* file, Priority priority,
                                    std::shared_ptr<Sink> sink = nullptr) {
        return submit(RetrieveRequest{path(file), 0, 100, std::move(sink)}, priority);
    }
    std::shared_ptr<Asked> store(const char* file, Priority priority) {
        return submit(StoreRequest{path(file), StoreMode::create, 0, 100, nullptr}, priority);
    }
    static std::string taken(const JobPtr& job) { return job ? job->path().text() : "nothing"; }
    static Errc code(const std::shared_ptr<Asked>& asked) {
        return asked->answer && !*asked->answer ? asked->answer->error().code : Errc{-1};
    }

    MainThread main;
    JobQueue queue{main.post()};
};

TEST_F(JobQueueTest, TakesByPriorityThenByAge) {
    store("/bg", Priority::background);
    retrieve("/ahead", Priority::prefetch);
    retrieve("/r1", Priority::read);
    store("/up", Priority::upload);
    retrieve("/r2", Priority::read);
    list("/d");
    submit(RemoveRequest{path("/x")}, Priority::metadata);
    std::vector<std::string> order;
    for (JobPtr job = queue.take(); job; job = queue.take()) {
        order.push_back(job->path().text());
        queue.finish(job, Answer{});
    }
    EXPECT_EQ(order, (std::vector<std::string>{"/d", "/x", "/r1", "/r2", "/up", "/bg", "/ahead"}));
    EXPECT_EQ(queue.totals().completed, 7U);
}

TEST_F(JobQueueTest, PostsEachCompletionOnceAndNeverCallsIt) {
    const auto a = list("/d");
    const JobPtr job = queue.take();
    queue.finish(job, Answer{Listing{}});
    EXPECT_EQ(a->calls, 0);
    EXPECT_EQ(main.run(), 1U);
    EXPECT_EQ(a->calls, 1);
    EXPECT_TRUE(a->answer->has_value());
    queue.cancel(a->ticket);
    queue.finish(job, Answer{});
    EXPECT_EQ(main.run(), 0U);
}

TEST_F(JobQueueTest, ListsOfOneDirectoryAreOneJob) {
    const auto a = list("/d");
    const auto b = list("/d");
    const JobPtr job = queue.take();
    const auto c = list("/d");  // joins the running one
    const auto other = submit(StatRequest{path("/d")}, Priority::metadata);
    EXPECT_EQ(queue.jobs().size(), 2U);
    Listing listing;
    listing.entries.push_back(Entry{.name = "x"});
    queue.finish(job, Answer{listing});
    main.run();
    for (const auto& asked : {a, b, c}) {
        ASSERT_EQ(asked->calls, 1);
        EXPECT_EQ(std::get<Listing>(**asked->answer).entries.size(), 1U);
    }
    EXPECT_EQ(other->calls, 0);
    const auto later = list("/d");
    EXPECT_EQ(queue.jobs().size(), 2U) << "a finished job is not joined";
    EXPECT_EQ(later->calls, 0);
}

TEST_F(JobQueueTest, JoiningRaisesThePriority) {
    retrieve("/r", Priority::read);
    list("/d", Priority::prefetch);
    list("/d", Priority::metadata);
    EXPECT_EQ(taken(queue.take()), "/d");
}

TEST_F(JobQueueTest, TransfersOfOneFileAreNotJoined) {
    retrieve("/f", Priority::read);
    retrieve("/f", Priority::read);
    EXPECT_EQ(queue.jobs().size(), 2U);
}

TEST_F(JobQueueTest, CancellingAnswersAtOnceAndTheLastAskerEndsTheJob) {
    const auto a = list("/d");
    const auto b = list("/d");
    const JobPtr job = queue.take();
    queue.cancel(a->ticket);
    main.run();
    EXPECT_EQ(code(a), Errc::cancelled);
    EXPECT_EQ(b->calls, 0);
    EXPECT_FALSE(is_raised(queue.interrupt()));
    EXPECT_TRUE(queue.may_continue(job).has_value());
    queue.cancel(b->ticket);
    main.run();
    EXPECT_EQ(code(b), Errc::cancelled);
    EXPECT_TRUE(is_raised(queue.interrupt()));
    EXPECT_EQ(queue.may_continue(job).error().code, Errc::cancelled);
    const auto c = list("/d");  // must not join a job that is being broken off
    queue.finish(job, fail(Errc::cancelled, "cancelled"));
    main.run();
    EXPECT_EQ(c->calls, 0);
    EXPECT_EQ(b->calls, 1);
    EXPECT_EQ(taken(queue.take()), "/d");
    EXPECT_FALSE(is_raised(queue.interrupt())) << "take() clears it";
}

TEST_F(JobQueueTest, CancellingAQueuedJobRemovesIt) {
    const auto a = store("/f", Priority::background);
    queue.cancel(a->ticket);
    EXPECT_EQ(queue.take(), nullptr);
    EXPECT_EQ(queue.job(a->ticket), nullptr);
    EXPECT_TRUE(queue.jobs().empty());
    queue.cancel(a->ticket);
    queue.cancel(4711);
    main.run();
    EXPECT_EQ(a->calls, 1);
    EXPECT_EQ(queue.totals().cancelled, 1U);
}

TEST_F(JobQueueTest, ANewJobWakesAnIdleWorkerAndDoesNotDisturbABusyOne) {
    list("/a");
    EXPECT_TRUE(is_raised(queue.interrupt()));
    const JobPtr job = queue.take();
    EXPECT_FALSE(is_raised(queue.interrupt()));
    list("/b");
    EXPECT_FALSE(is_raised(queue.interrupt()));
    EXPECT_TRUE(is_raised(queue.nudged()));
    queue.finish(job, Answer{});
    EXPECT_EQ(taken(queue.take()), "/b");
}

TEST_F(JobQueueTest, BulkTransfersMakeRoom) {
    struct Row {
        bool upload;
        Priority running;
        Priority waiting;
        bool gives_way;
    };
    const Row rows[] = {
        {false, Priority::read, Priority::metadata, true},
        {false, Priority::read, Priority::read, false},
        {false, Priority::prefetch, Priority::read, true},
        {false, Priority::prefetch, Priority::background, true},
        {false, Priority::prefetch, Priority::prefetch, false},
        {true, Priority::background, Priority::metadata, true},
        {true, Priority::background, Priority::read, true},
        {true, Priority::background, Priority::upload, true},
        {true, Priority::background, Priority::prefetch, false},
        {true, Priority::upload, Priority::metadata, true},
        {true, Priority::upload, Priority::read, false},
    };
    for (const Row& row : rows) {
        JobQueue fresh(main.post());
        const auto ignore = [](const Result<Answer>&) {};
        if (row.upload) {
            fresh.submit(StoreRequest{path("/f"), StoreMode::create, 0, 9, nullptr}, row.running,
                         ignore);
        } else {
            fresh.submit(RetrieveRequest{path("/f"), 0, 9, nullptr}, row.running, ignore);
        }
        const JobPtr job = fresh.take();
        EXPECT_TRUE(fresh.may_continue(job).has_value());
        fresh.submit(RemoveRequest{path("/x")}, row.waiting, ignore);
        const auto verdict = fresh.may_continue(job);
        EXPECT_EQ(!verdict && verdict.error().code == Errc::gave_way, row.gives_way)
            << row.upload << " " << static_cast<int>(row.running) << " "
            << static_cast<int>(row.waiting);
    }
}

TEST_F(JobQueueTest, OneOperationIsNotBrokenOffForAnother) {
    submit(RemoveRequest{path("/x")}, Priority::background);
    const JobPtr job = queue.take();
    list("/d");
    EXPECT_TRUE(queue.may_continue(job).has_value());
}

TEST_F(JobQueueTest, AYieldedJobIsFirstOfItsPriorityAgain) {
    const auto first = retrieve("/r1", Priority::read);
    retrieve("/r2", Priority::read);
    const JobPtr job = queue.take();
    list("/d");
    queue.put_back(job);
    EXPECT_EQ(job->state(), Job::State::queued);
    const JobPtr metadata = queue.take();
    EXPECT_EQ(taken(metadata), "/d");
    queue.finish(metadata, Answer{});
    EXPECT_EQ(queue.take(), job);
    EXPECT_EQ(queue.totals().yielded, 1U);
    queue.cancel(first->ticket);
    queue.put_back(job);
    EXPECT_EQ(taken(queue.take()), "/r2") << "a cancelled job does not come back";
}

TEST_F(JobQueueTest, RaiseMovesAPrefetchForward) {
    const auto ahead = retrieve("/ahead", Priority::prefetch);
    store("/up", Priority::upload);
    queue.raise(ahead->ticket, Priority::read);
    queue.raise(ahead->ticket, Priority::background);  // never lowers
    EXPECT_EQ(queue.job(ahead->ticket)->priority(), Priority::read);
    EXPECT_EQ(taken(queue.take()), "/ahead");
}

TEST_F(JobQueueTest, ADownloadThatNobodyReadsIsPassedOver) {
    const auto sink = std::make_shared<PausingSink>();
    const auto paused = retrieve("/slow", Priority::read, sink);
    store("/up", Priority::upload);
    sink->wanted = Sink::Demand::pause;
    const JobPtr job = queue.take();
    EXPECT_EQ(taken(job), "/up");
    queue.finish(job, Answer{});
    EXPECT_EQ(queue.take(), nullptr);
    queue.expire(milliseconds(0));
    main.run();
    EXPECT_EQ(paused->calls, 0) << "no reader waits, so nothing expires";
    sink->wanted = Sink::Demand::more;
    queue.nudge();
    EXPECT_TRUE(is_raised(queue.interrupt()));
    EXPECT_EQ(taken(queue.take()), "/slow");
}

TEST_F(JobQueueTest, ExpireFailsWhatSawNoProgressWithTheStateOfTheLink) {
    const auto waiting = list("/d");
    const auto background = store("/bg", Priority::background);
    const auto running = submit(RemoveRequest{path("/x")}, Priority::metadata);
    queue.cancel(waiting->ticket);
    const JobPtr job = queue.take();
    const auto queued = list("/e");
    queue.set_link_error({Errc::line_lost, 0, "/dev/ttyUSB2 is absent"});
    queue.expire(std::chrono::hours(1));
    main.run();
    EXPECT_EQ(running->calls, 0);
    queue.expire(milliseconds(0));
    main.run();
    EXPECT_EQ(code(running), Errc::line_lost);
    EXPECT_EQ(code(queued), Errc::line_lost);
    EXPECT_NE(queued->answer->error().what.find("list /e"), std::string::npos);
    EXPECT_NE(queued->answer->error().what.find("/dev/ttyUSB2 is absent"), std::string::npos);
    EXPECT_EQ(background->calls, 0);
    EXPECT_TRUE(is_raised(queue.interrupt()));
    EXPECT_EQ(queue.may_continue(job).error().code, Errc::cancelled);
    queue.finish(job, fail(Errc::cancelled, ""));
    EXPECT_EQ(taken(queue.take()), "/bg");
}

TEST_F(JobQueueTest, ProgressOfTheRunningJobKeepsThoseBehindItAlive) {
    const auto behind = list("/d");
    const auto enough = milliseconds(50);
    const auto start = Clock::now();
    while (Clock::now() - start < 2 * enough) {
        std::this_thread::yield();
    }
    queue.note_progress();
    queue.expire(enough);
    main.run();
    EXPECT_EQ(behind->calls, 0);
    queue.expire(milliseconds(0));
    main.run();
    EXPECT_EQ(behind->calls, 1);
}

TEST_F(JobQueueTest, AnAskerThatJoinsLaterWaitsFromThenOn) {
    const auto early = list("/d");
    const auto enough = milliseconds(50);
    const auto start = Clock::now();
    while (Clock::now() - start < 2 * enough) {
        std::this_thread::yield();
    }
    const auto late = list("/d");
    queue.expire(enough);
    main.run();
    EXPECT_EQ(early->calls, 1);
    EXPECT_EQ(late->calls, 0);
    EXPECT_EQ(taken(queue.take()), "/d");
}

TEST_F(JobQueueTest, PauseStartsNothingNew) {
    retrieve("/r", Priority::read);
    const JobPtr job = queue.take();
    queue.pause();
    EXPECT_TRUE(queue.paused());
    EXPECT_EQ(queue.may_continue(job).error().code, Errc::gave_way);
    queue.put_back(job);
    EXPECT_EQ(queue.take(), nullptr);
    queue.resume();
    EXPECT_TRUE(is_raised(queue.interrupt()));
    EXPECT_EQ(queue.take(), job);
}

TEST_F(JobQueueTest, CloseFailsEverythingAndWhatComesLater) {
    const auto running = list("/a");
    const auto queued = store("/b", Priority::background);
    const JobPtr job = queue.take();
    queue.close();
    const auto later = list("/c");
    main.run();
    for (const auto& asked : {running, queued, later}) {
        EXPECT_EQ(code(asked), Errc::shutting_down);
        EXPECT_EQ(asked->calls, 1);
    }
    EXPECT_EQ(later->ticket, 0U);
    EXPECT_EQ(queue.may_continue(job).error().code, Errc::shutting_down);
    EXPECT_EQ(queue.take(), nullptr);
    queue.put_back(job);
    EXPECT_TRUE(queue.jobs().empty());
    EXPECT_EQ(main.run(), 0U);
}

TEST_F(JobQueueTest, TotalsAddUp) {
    list("/a");
    list("/a");
    const auto c = list("/b");
    queue.cancel(c->ticket);
    const JobPtr job = queue.take();
    queue.finish(job, fail(Errc::not_found, "no"));
    list("/d");
    const auto totals = queue.totals();
    EXPECT_EQ(totals.submitted, 4U);
    EXPECT_EQ(totals.failed, 2U);
    EXPECT_EQ(totals.cancelled, 1U);
    EXPECT_EQ(totals.completed, 0U);
}

// The real arrangement: one thread submits and cancels, the other runs.
TEST_F(JobQueueTest, AnswersEverySubmitOnceUnderLoad) {
    constexpr int rounds = 3000;
    std::atomic<bool> stop{false};
    std::thread worker([&] {
        std::uint64_t turn = 0;
        while (!stop) {
            const JobPtr job = queue.take();
            if (!job) {
                pollfd poll{queue.interrupt().fd(), POLLIN, 0};
                ::poll(&poll, 1, 100);
                continue;
            }
            queue.note_progress();
            ++turn;
            if (!queue.may_continue(job) || turn % 7 == 0) {
                queue.put_back(job);
            } else if (turn % 3 == 0) {
                queue.finish(job, fail(Errc::rejected, "no"));
            } else {
                queue.finish(job, Answer{});
            }
        }
    });
    int answered = 0;
    std::vector<int> calls(rounds, 0);
    for (int i = 0; i < rounds; ++i) {
        const auto done = [&, i](const Result<Answer>&) {
            ++calls[static_cast<std::size_t>(i)];
            ++answered;
        };
        JobQueue::Ticket ticket = 0;
        if (i % 2 == 0) {
            ticket = queue.submit(ListRequest{path("/d" + std::to_string(i % 10))},
                                  Priority::metadata, done);
        } else {
            ticket = queue.submit(RetrieveRequest{path("/f"), 0, 9, nullptr}, Priority::read, done);
        }
        if (i % 5 == 0) {
            queue.cancel(ticket);
        } else if (i % 11 == 0) {
            queue.raise(ticket, Priority::metadata);
        }
        if (i % 100 == 0) {
            queue.expire(milliseconds(1000));
            (void)queue.jobs();
        }
        main.run();
    }
    EXPECT_TRUE(main.run_until([&] { return answered == rounds; }));
    stop = true;
    queue.nudge();
    worker.join();
    for (const int count : calls) {
        EXPECT_EQ(count, 1);
    }
    const auto totals = queue.totals();
    EXPECT_EQ(totals.submitted, totals.completed + totals.failed + totals.cancelled);
}

}  // namespace
}  // namespace modem
