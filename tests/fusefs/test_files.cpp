// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/fusefs/files_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;
using modem::JobKind;

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>((at * 131 + at / 256) & 0xFFU);
    }
    return text;
}

TEST_F(FilesTest, NewFileArrivesUnderATemporaryNameFirst) {
    auto& node = fresh("new");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/new"), "hello");
    EXPECT_EQ(server.count(JobKind::store), 1);
    EXPECT_EQ(server.count(JobKind::rename), 1);
    EXPECT_EQ(server.count(JobKind::list), 0);
    EXPECT_EQ(server.paths(), std::vector<std::string>{"/new"});
    EXPECT_EQ(node.listed_size, 5U);
    EXPECT_EQ(files->state(node), "clean");
}

TEST_F(FilesTest, FileCreatedAndNeverWrittenArrivesEmpty) {
    auto& node = fresh("empty");
    files->release(files->create(node, O_WRONLY));
    ASSERT_TRUE(loop.run_until([&] { return server.exists("/empty"); }));
    delivered();
    EXPECT_EQ(server.content("/empty"), "");
}

TEST_F(FilesTest, CloseWithoutAWriteSendsNothing) {
    auto& node = listed("a", "abc");
    ASSERT_OK(close(open(node, O_RDWR)));
    EXPECT_EQ(server.count(JobKind::store), 0);
}

TEST_F(FilesTest, ShellClosesADuplicateBeforeTheFirstByte) {
    auto& node = listed("f", "old");
    const auto handle = open(node, O_WRONLY | O_TRUNC);
    ASSERT_OK(flush(handle, 7, 1));  // dup2(f, 1); close(f)
    EXPECT_EQ(server.count(JobKind::store), 0);
    ASSERT_OK(write(handle, 0, "new"));
    ASSERT_OK(flush(handle, 7, 1));
    files->release(handle);
    EXPECT_EQ(server.content("/f"), "new");
    EXPECT_EQ(server.count(JobKind::store), 1);
}

TEST_F(FilesTest, ChildrenOfAShellDoNotEndTheFile) {
    auto& node = listed("f", "old");
    const auto handle = open(node, O_WRONLY | O_TRUNC);
    ASSERT_OK(flush(handle, 7, 1));
    ASSERT_OK(write(handle, 0, "a\n"));
    ASSERT_OK(flush(handle, 8, 2));  // the first command exits
    ASSERT_OK(write(handle, 2, "b\n"));
    ASSERT_OK(flush(handle, 9, 3));
    EXPECT_EQ(server.count(JobKind::store), 0);
    ASSERT_OK(flush(handle, 7, 1));  // the shell closes
    EXPECT_EQ(server.content("/f"), "a\nb\n");
    files->release(handle);
    EXPECT_EQ(server.count(JobKind::store), 1);
}

TEST_F(FilesTest, ACloseByTheOpenerTellsTheTruthThoughAChildClosedFirst) {
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    handle->opener = 1;
    ASSERT_OK(flush(handle, 8, 2));  // a child that inherited it exits
    ASSERT_OK(write(handle, 0, "x"));
    ASSERT_OK(flush(handle, 7, 1));
    EXPECT_EQ(server.content("/f"), "x");
    files->release(handle);
}

TEST_F(FilesTest, ReadsAsBytesArriveAndAgainFromTheCache) {
    const auto content = pattern(10'000);
    auto& node = listed("big", content);
    auto handle = open(node, O_RDONLY);
    EXPECT_TRUE(handle->direct_io);
    std::string all;
    while (all.size() < content.size()) {
        auto part = read(handle, all.size(), 128 << 10);
        ASSERT_OK(part);
        ASSERT_FALSE(part->empty());
        all += *part;
    }
    EXPECT_EQ(all, content);
    files->release(handle);
    EXPECT_EQ(server.count(JobKind::retrieve), 1);
    handle = open(node, O_RDONLY);
    EXPECT_FALSE(handle->direct_io);
    auto again = read(handle, 0, 128 << 10, true);
    ASSERT_OK(again);
    EXPECT_EQ(*again, content);
    files->release(handle);
    EXPECT_EQ(server.count(JobKind::retrieve), 1);
    EXPECT_EQ(server.count(JobKind::stat), 0);
}

TEST_F(FilesTest, PageFaultsGetWholePages) {
    const auto content = pattern(10'000);
    auto& node = listed("big", content);
    const auto handle = open(node, O_RDONLY);
    auto page = read(handle, 4096, 4096, true);
    ASSERT_OK(page);
    EXPECT_EQ(*page, content.substr(4096, 4096));
    auto last = read(handle, 8192, 4096, true);
    ASSERT_OK(last);
    EXPECT_EQ(*last, content.substr(8192));
    files->release(handle);
}

TEST_F(FilesTest, TheHeadOfALargeFileDoesNotFetchItsTail) {
    auto& node = listed("big", pattern(1 << 20));
    const auto handle = open(node, O_RDONLY);
    auto head = read(handle, 0, 100);
    ASSERT_OK(head);
    EXPECT_EQ(head->size(), 100U);
    files->release(handle);
    ASSERT_TRUE(loop.run_until([&] { return queue.jobs().empty(); }));
    EXPECT_LT(server.bytes_received(), 32U << 10U);
}

TEST_F(FilesTest, TheTailOfALargeFileIsFetchedFromThere) {
    const auto content = pattern(1 << 20);
    auto& node = listed("big", content);
    const auto handle = open(node, O_RDONLY);
    auto tail = read(handle, content.size() - 100, 4096);
    ASSERT_OK(tail);
    EXPECT_EQ(*tail, content.substr(content.size() - 100));
    files->release(handle);
    EXPECT_EQ(server.bytes_received(), 100U);
}

TEST_F(FilesTest, AppendSendsOnlyTheNewBytes) {
    const auto content = pattern(65'536);
    auto& node = listed("log", content);
    const auto handle = open(node, O_WRONLY | O_APPEND);
    ASSERT_OK(write(handle, content.size(), "line\n"));
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/log"), content + "line\n");
    EXPECT_EQ(server.bytes_sent(), 5U);
    EXPECT_EQ(server.bytes_received(), 0U);
    EXPECT_EQ(server.count(JobKind::rename), 0);
}

TEST_F(FilesTest, ChangingTheMiddleFetchesWhatIsMissingAndReplaces) {
    auto content = pattern(20'000);
    auto& node = listed("db", content);
    const auto handle = open(node, O_WRONLY);
    ASSERT_OK(write(handle, 5'000, "XYZ"));
    ASSERT_OK(close(handle));
    content.replace(5'000, 3, "XYZ");
    EXPECT_EQ(server.content("/db"), content);
    EXPECT_EQ(server.count(JobKind::rename), 1);
}

TEST_F(FilesTest, WritesBeyondTheEndLeaveZeros) {
    auto& node = fresh("sparse");
    const auto handle = files->create(node, O_RDWR);
    ASSERT_OK(write(handle, 10, "end"));
    auto all = read(handle, 0, 4096, true);
    ASSERT_OK(all);
    EXPECT_EQ(*all, std::string(10, '\0') + "end");
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/sparse"), std::string(10, '\0') + "end");
}

TEST_F(FilesTest, ShrinkingThenGrowingUncoversZerosOnly) {
    auto& node = listed("f", "abcdefgh");
    const auto handle = open(node, O_RDWR);
    ASSERT_OK(write(handle, 6, "XY"));
    ASSERT_OK(truncate(node, handle, 3));
    ASSERT_OK(truncate(node, handle, 8));
    auto all = read(handle, 0, 100, true);
    ASSERT_OK(all);
    EXPECT_EQ(*all, std::string("abc") + std::string(5, '\0'));
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/f"), std::string("abc") + std::string(5, '\0'));
}

TEST_F(FilesTest, TruncateWithoutAHandleTellsTheTruth) {
    auto& node = listed("f", "abcdefgh");
    ASSERT_OK(truncate(node, nullptr, 2));
    EXPECT_EQ(server.content("/f"), "ab");
    server.inject({JobKind::store, {Errc::permission, 553, "no"}, {}, {}, 1, false});
    EXPECT_FALSE(truncate(node, nullptr, 1).has_value());
}

TEST_F(FilesTest, ServerThatDoesNotRenameOntoAFileIsWorkedAround) {
    server.refuse_to_replace(true);
    auto& node = listed("f", "old");
    const auto handle = open(node, O_WRONLY | O_TRUNC);
    ASSERT_OK(write(handle, 0, "newer"));
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/f"), "newer");
    EXPECT_EQ(server.paths(), std::vector<std::string>{"/f"});
}

TEST_F(FilesTest, ATransientErrorLeavesTheUploadQueuedAndItArrivesLater) {
    server.inject({JobKind::store, {Errc::data_connection, 426, "broken"}, {}, 2, 1, false});
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    auto closed = close(handle);
    ASSERT_FALSE(closed.has_value());
    EXPECT_EQ(closed.error().code, Errc::data_connection);
    EXPECT_EQ(files->state(node), "queued");
    uploads->retry(uploads->list().front().row.id);
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
    EXPECT_EQ(server.paths(), std::vector<std::string>{"/f"});
}

TEST_F(FilesTest, APermanentErrorKeepsTheBytesUntilAPersonDecides) {
    server.inject({JobKind::store, {Errc::permission, 553, "not allowed"}, {}, {}, 1, false});
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    EXPECT_FALSE(close(handle).has_value());
    EXPECT_EQ(files->state(node), "failed");
    EXPECT_EQ(files->error(node), "not allowed");
    EXPECT_EQ(uploads->failed(), 1U);
    auto content = read(open(node, O_RDONLY), 0, 100, true);
    ASSERT_OK(content);
    EXPECT_EQ(*content, "hello");
    uploads->retry(uploads->list().front().row.id);
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
}

TEST_F(FilesTest, ALostAnswerToTheRenameIsNoSecondUpload) {
    server.inject({JobKind::rename, {Errc::timed_out, 0, "no answer"}, {}, {}, 1, true});
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    EXPECT_FALSE(close(handle).has_value());
    uploads->retry(uploads->list().front().row.id);
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
    EXPECT_EQ(server.count(JobKind::store), 1);
}

TEST_F(FilesTest, AnInterruptedCloseLeavesADurableUpload) {
    server.set_silent(true);
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    auto waiter = std::make_shared<Waiter>();
    std::optional<modem::Result<void>> answer;
    files->flush(handle, 1, 1, waiter,
                 [&](modem::Result<void> result) { answer = std::move(result); });
    ASSERT_TRUE(loop.run_until([&] { return uploads->pending() == 1; }));
    waiter->interrupt();
    ASSERT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->error().code, Errc::cancelled);
    files->release(handle);
    server.set_silent(false);
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
}

TEST_F(FilesTest, WhatWaitedAtTheEndIsDeliveredAfterARestart) {
    server.inject({JobKind::store, {Errc::line_lost, 0, "gone"}, {}, 2, 1, false});
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    EXPECT_FALSE(close(handle).has_value());
    stop();
    start();
    auto* restored = core->tree.at(*modem::RemotePath::parse("/f"));
    ASSERT_NE(restored, nullptr);
    auto content = read(open(*restored, O_RDONLY), 0, 100, true);
    ASSERT_OK(content);
    EXPECT_EQ(*content, "hello");
    uploads->tick();
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
    EXPECT_EQ(server.paths(), std::vector<std::string>{"/f"});
}

TEST_F(FilesTest, ARewriteSupersedesWhatWaits) {
    server.inject({JobKind::store, {Errc::data_connection, 425, "no"}, {}, {}, 1, false});
    auto& node = fresh("f");
    auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "first version"));
    EXPECT_FALSE(close(handle).has_value());
    handle = open(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "FIRST"));
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/f"), "FIRST version");
    delivered();
    ASSERT_TRUE(loop.run_until([&] { return queue.jobs().empty(); }));
    EXPECT_EQ(server.paths(), std::vector<std::string>{"/f"});
}

TEST_F(FilesTest, UnlinkingDropsTheUploadButNotTheOpenFile) {
    server.set_silent(true);
    auto& node = fresh("f");
    const auto handle = files->create(node, O_RDWR);
    ASSERT_OK(write(handle, 0, "hello"));
    files->unlinked(node);
    core->tree.unlink(node);
    auto content = read(handle, 0, 100, true);
    ASSERT_OK(content);
    EXPECT_EQ(*content, "hello");
    ASSERT_OK(close(handle));
    EXPECT_EQ(uploads->pending(), 0U);
    server.set_silent(false);
    EXPECT_EQ(server.count(JobKind::store), 0);
}

TEST_F(FilesTest, AFullSpoolIsSaidAtWrite) {
    stop();
    config.upload.spool_size = 1000;
    start();
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, std::string(600, 'x')));
    auto second = write(handle, 600, std::string(600, 'y'));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::local_no_space);
    ASSERT_OK(write(handle, 0, std::string(600, 'z')));  // no more room than before
    ASSERT_OK(close(handle));
    EXPECT_EQ(server.content("/f"), std::string(600, 'z'));
    delivered();
    EXPECT_EQ(core->spool->room().free, 1000U);
}

TEST_F(FilesTest, AFileThatEndsShortIsNeverServedAsComplete) {
    auto& node = listed("f", pattern(5000));
    server.put_file("/f", pattern(3000), node.listed_mtime);
    const auto handle = open(node, O_RDONLY);
    auto all = read(handle, 0, 5000, true);
    ASSERT_FALSE(all.has_value());
    EXPECT_EQ(all.error().code, Errc::size_mismatch);
    files->release(handle);
}

TEST_F(FilesTest, AppendedFileIsReadWithoutFetchingItAgain) {
    const auto content = pattern(5000);
    auto& node = listed("log", content);
    auto handle = open(node, O_RDONLY);
    ASSERT_OK(read(handle, 0, 5000, true));
    files->release(handle);
    handle = open(node, O_WRONLY | O_APPEND);
    ASSERT_OK(write(handle, 5000, "more"));
    ASSERT_OK(close(handle));
    ASSERT_EQ(server.count(JobKind::retrieve), 1);
    handle = open(node, O_RDONLY);
    auto all = read(handle, 0, 6000, true);
    ASSERT_OK(all);
    EXPECT_EQ(*all, content + "more");
    files->release(handle);
    EXPECT_EQ(server.count(JobKind::retrieve), 1);
}

TEST_F(FilesTest, BackgroundModeReturnsOnceDurable) {
    config.upload.mode = config::UploadMode::background;
    server.set_silent(true);
    auto& node = fresh("f");
    const auto handle = files->create(node, O_WRONLY);
    ASSERT_OK(write(handle, 0, "hello"));
    ASSERT_OK(close(handle));
    auto rows = core->ledger->uploads();
    ASSERT_OK(rows);
    EXPECT_EQ(rows->size(), 1U);
    server.set_silent(false);
    delivered();
    EXPECT_EQ(server.content("/f"), "hello");
}

}  // namespace
}  // namespace fusefs
