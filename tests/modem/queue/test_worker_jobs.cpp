// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/modem/queue/worker_fixture.hpp"

namespace modem {
namespace {

std::string text(std::size_t size) {
    std::string bytes(size, ' ');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>('a' + i % 26);
    }
    return bytes;
}

class WorkerJobs : public WorkerTest {
protected:
    std::shared_ptr<Asked> retrieve(std::shared_ptr<Sink> sink, std::uint64_t size,
                                    std::uint64_t offset = 0) {
        return submit(RetrieveRequest{path, offset, size, std::move(sink)}, Priority::read);
    }
    std::shared_ptr<Asked> store(const std::string& bytes, Priority priority) {
        return submit(StoreRequest{path, StoreMode::create, 0, bytes.size(),
                                   std::make_shared<MemorySource>(bytes)},
                      priority);
    }
    /// Answers the first command that begins so with `answer`; the others as usual.
    void once(const std::string& prefix, const std::string& answer) {
        modem.set_hook(
            [=, left = 1](const std::string& line) mutable -> std::optional<std::string> {
                if (left > 0 && line.starts_with(prefix)) {
                    --left;
                    return answer;
                }
                return std::nullopt;
            });
    }
    const RemotePath path = RemotePath::parse("/f").value();
};

TEST_F(WorkerJobs, Downloads) {
    const std::string content = text(1000);
    modem.set_content(content);
    start();
    const auto sink = std::make_shared<MemorySink>();
    const auto a = retrieve(sink, 1000);
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(sink->bytes(), content);
    const auto done = std::get<Transferred>(**a->answer);
    EXPECT_EQ(done.payload, 1000U);
    EXPECT_EQ(done.way, Way::paced);
    EXPECT_GT(done.line_bytes, 1000U);
}

TEST_F(WorkerJobs, ADownloadGivesWayAndResumesWhereItStands) {
    const std::string content = text(20'000);
    modem.set_content(content);
    start();
    const auto sink = std::make_shared<MemorySink>();
    sink->set_limit(640);
    const auto a = retrieve(sink, content.size());
    ASSERT_TRUE(until([&] { return sink->bytes().size() >= 640; }));
    const auto b = list();
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok()) << b->what();
    EXPECT_FALSE(a->done());
    sink->set_limit(SIZE_MAX);
    queue.nudge();
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(sink->bytes(), content);
    EXPECT_EQ(modem.count("AT+READ=0"), 1U) << "not begun again";
    EXPECT_EQ(std::get<Transferred>(**a->answer).payload, content.size());
    EXPECT_EQ(queue.totals().yielded, 1U);
}

TEST_F(WorkerJobs, ADownloadThatNobodyWantsIsBrokenOff) {
    modem.set_content(text(20'000));
    start();
    const auto sink = std::make_shared<MemorySink>();
    sink->set_limit(640);
    const auto a = retrieve(sink, 20'000);
    ASSERT_TRUE(until([&] { return sink->bytes().size() >= 640; }));
    sink->stop();
    queue.nudge();
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(a->code(), Errc::cancelled);
    EXPECT_EQ(modem.count("AT+ABORT"), 1U);
    const auto b = list();
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok());
}

TEST_F(WorkerJobs, AShortDownloadIsNeverASuccess) {
    modem.set_content(text(300));
    start();
    const auto sink = std::make_shared<MemorySink>();
    const auto a = retrieve(sink, 500);
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(a->code(), Errc::size_mismatch);
}

TEST_F(WorkerJobs, Uploads) {
    start();
    const std::string content = text(1000);
    const auto a = store(content, Priority::upload);
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.stored(), content);
    const auto done = std::get<Transferred>(**a->answer);
    EXPECT_EQ(done.payload, 1000U);
    EXPECT_EQ(done.confirmed, 1000U);
}

TEST_F(WorkerJobs, AnUploadThatGaveWayAsksHowFarItCame) {
    const std::string content = text(20'000);
    std::shared_ptr<Asked> urgent;
    std::atomic<bool> reached{false};
    std::atomic<bool> go{false};
    modem.set_hook([&](const std::string& line) -> std::optional<std::string> {
        if (line.starts_with("AT+WRITE=768,")) {
            reached = true;
            while (!go) {
                std::this_thread::yield();
            }
        }
        return std::nullopt;
    });
    start();
    const auto a = store(content, Priority::background);
    ASSERT_TRUE(until([&] { return reached.load(); }));
    urgent = list();
    go = true;
    ASSERT_TRUE(until_done(urgent));
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.stored(), content);
    EXPECT_EQ(modem.count("AT+SIZE"), 1U);
    EXPECT_EQ(modem.count("AT+WRITE=0,"), 1U);
    EXPECT_EQ(std::get<Transferred>(**a->answer).confirmed, content.size());
}

TEST_F(WorkerJobs, CancellingFreesTheLineForTheNextJob) {
    config.link.command_timeout = milliseconds(60'000);
    once("AT+LISTA", "");
    start();
    const auto a = list("/slow");
    ASSERT_TRUE(until([&] { return modem.count("AT+LISTA") == 1; }));
    queue.cancel(a->ticket);
    main.run();
    EXPECT_EQ(a->code(), Errc::cancelled);
    const auto b = list("/d");
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok()) << b->what();
    EXPECT_EQ(modem.count("AT+ABORT"), 1U);
    EXPECT_EQ(modem.count("ATI"), 1U) << "no need to bring the link up again";
}

TEST_F(WorkerJobs, AnExpiredJobIsInterrupted) {
    config.link.command_timeout = milliseconds(60'000);
    once("AT+LISTA", "");
    start();
    const auto a = list("/slow");
    ASSERT_TRUE(until([&] { return modem.count("AT+LISTA") == 1; }));
    queue.expire(milliseconds(0));
    main.run();
    EXPECT_EQ(a->code(), Errc::timed_out);
    const auto b = list();
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok());
}

TEST_F(WorkerJobs, AListIsTriedAgainWhenTheSessionWasLost) {
    once("AT+LISTA", "\r\n+LOST\r\n");
    start();
    const auto a = list();
    ASSERT_TRUE(until_done(a));
    EXPECT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.count("AT+OPEN"), 2U);
    EXPECT_EQ(modem.count("AT+LISTA"), 2U);
}

TEST_F(WorkerJobs, ALostBearerIsBuiltAgain) {
    once("AT+LISTA", "\r\n+DROP\r\n");
    start();
    const auto a = list();
    ASSERT_TRUE(until_done(a));
    EXPECT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.count("AT+DOWN"), 1U);
    EXPECT_EQ(modem.count("AT+UP"), 2U);
}

TEST_F(WorkerJobs, AModuleThatRestartsIsSetUpAgain) {
    once("AT+LISTA", "\r\nRDY\r\n");
    start();
    const auto a = list();
    ASSERT_TRUE(until_done(a));
    EXPECT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.count("ATE0V1"), 2U);
}

TEST_F(WorkerJobs, AMutationWhoseVerdictWasLostIsNotRepeated) {
    once("AT+REMOVE", "\r\n+LOST\r\n");
    start();
    const auto a = remove();
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(a->code(), Errc::session_lost);
    EXPECT_EQ(modem.count("AT+REMOVE"), 1U);
}

TEST_F(WorkerJobs, AMutationIsTriedAgainWhileItWasNotSent) {
    once("AT+OPEN", "");
    config.link.command_timeout = milliseconds(200);
    start();
    const auto a = remove();
    ASSERT_TRUE(until_done(a));
    EXPECT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(modem.count("AT+REMOVE"), 1U);
}

TEST_F(WorkerJobs, ADownloadIsContinuedAfterAHangUp) {
    const std::string content = text(20'000);
    modem.set_content(content);
    start();
    const auto sink = std::make_shared<MemorySink>();
    sink->set_limit(640);
    const auto a = retrieve(sink, content.size());
    ASSERT_TRUE(until([&] { return sink->bytes().size() >= 640; }));
    modem.hang_up();
    sink->set_limit(SIZE_MAX);
    queue.nudge();
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(sink->bytes(), content);
    EXPECT_EQ(modem.count("AT+READ=0"), 1U);
}

TEST_F(WorkerJobs, EachFailureIsLoggedOnceWithTheDialogue) {
    modem.set_hook([](const std::string& line) -> std::optional<std::string> {
        return line.starts_with("AT+REMOVE") ? std::optional<std::string>("\r\n+CME ERROR: 22\r\n")
                                             : std::nullopt;
    });
    start();
    const auto a = remove("/gone");
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(a->code(), Errc::not_found);
    ASSERT_TRUE(until([&] {
        return std::any_of(logged.begin(), logged.end(), [](const std::string& line) {
            return line.find("remove /gone failed") != std::string::npos;
        });
    }));
    const auto mentions = std::count_if(logged.begin(), logged.end(), [](const std::string& line) {
        return line.find("/gone") != std::string::npos;
    });
    EXPECT_EQ(mentions, 1);
    EXPECT_NE(logged.back().find("AT+REMOVE=\"/gone\""), std::string::npos) << logged.back();
}

TEST_F(WorkerJobs, ClimbsTheLadderWhileTheModuleIsSilent) {
    config.modem.reset_unit = "power-cycle.service";
    config.link.command_timeout = milliseconds(100);
    timing.boot = milliseconds(200);
    timing.sync_answer = milliseconds(30);
    timing.guard = milliseconds(5);
    start();
    ASSERT_TRUE(until_state(LinkState::ready));
    modem.silent = true;
    const auto a = list();
    ASSERT_TRUE(until([&] { return power_cycles > 0; }));
    EXPECT_NE(std::find(rungs.begin(), rungs.end(), "re-sync"), rungs.end());
    EXPECT_NE(std::find(rungs.begin(), rungs.end(), "soft reset"), rungs.end());
    modem.silent = false;
    const auto b = list("/e");
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok()) << b->what();
    ASSERT_TRUE(until([&] { return worker->status().recovering.empty(); }));
}

}  // namespace
}  // namespace modem
