// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "fusefs/ledger.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;

class LedgerTest : public testing::Test {
protected:
    void SetUp() override { reopen(); }
    void reopen() {
        ledger.reset();
        auto opened = Ledger::open(file());
        ASSERT_OK(opened);
        ledger = *std::move(opened);
    }
    static UploadRow upload(std::string path, std::string spool_name) {
        UploadRow row;
        row.path = std::move(path);
        row.spool_name = std::move(spool_name);
        return row;
    }
    /// path → spool name
    std::map<std::string, std::string> spool_names() {
        std::map<std::string, std::string> names;
        for (const auto& row : unwrap(ledger->uploads())) {
            names[row.path] = row.spool_name;
        }
        return names;
    }
    std::vector<std::string> name_paths() {
        std::vector<std::string> paths;
        for (const auto& row : unwrap(ledger->names())) {
            paths.push_back(row.path);
        }
        return paths;
    }
    [[nodiscard]] std::filesystem::path file() const {
        return directory_.path() / "state" / "ledger.sqlite";
    }

    std::unique_ptr<Ledger> ledger;

private:
    TemporaryDirectory directory_;
};

TEST_F(LedgerTest, BeginsEmptyAndPrivateOnce) {
    EXPECT_TRUE(ledger->fresh());
    EXPECT_EQ(ledger->damaged(), "");
    EXPECT_TRUE(ledger->uploads()->empty());
    EXPECT_EQ(std::filesystem::status(file()).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    reopen();
    EXPECT_EQ(ledger->damaged(), "");
}

TEST_F(LedgerTest, StaysFreshUntilARowHasGone) {
    // Taking over what the spool holds may be cut short as often as the power likes.
    ASSERT_OK(ledger->put_upload(upload("/a", "s-1")));
    reopen();
    EXPECT_TRUE(ledger->fresh());
    const auto b = unwrap(ledger->put_upload(upload("/b", "s-2")));
    reopen();
    EXPECT_TRUE(ledger->fresh());
    ASSERT_OK(ledger->deliver(b.id, {.id = b.id, .path = "/b"}, {.path = "/b"}));
    reopen();
    EXPECT_FALSE(ledger->fresh());
}

TEST_F(LedgerTest, ASupersededDiscardedOrReplacedRowEndsFreshness) {
    const std::vector<std::function<void()>> ends = {
        [this] { ASSERT_OK(ledger->put_upload(upload("/a", "s-2"))); },
        [this] { ASSERT_OK(ledger->remove_upload(ledger->uploads()->front().id)); },
        [this] { ASSERT_OK(ledger->rename_path("/b", "/a")); },
    };
    for (const auto& end : ends) {
        ledger.reset();
        std::filesystem::remove(file());
        reopen();
        ASSERT_OK(ledger->put_upload(upload("/a", "s-1")));
        end();
        reopen();
        EXPECT_FALSE(ledger->fresh());
    }
}

TEST_F(LedgerTest, KeepsEveryFieldOfAnUpload) {
    UploadRow row = upload("/dir/\xff\xfe\xc3(", "s-000007");
    row.kind = UploadKind::append;
    row.base_size = 5'000'000'000;
    row.size = UINT64_MAX;
    row.mtime = -1;
    row.state = UploadState::failed;
    row.step = UploadStep::renamed;
    row.remote_name = ".mftp-7";
    row.aside_name = ".mftp-7~";
    row.attempts = 3;
    row.mismatches = 2;
    row.resent = 10;
    row.line_bytes = 11;
    row.created = 12;
    row.first_attempt = 13;
    row.error_code = 14;
    row.error_text = "550 it's \"so\"; DROP TABLE uploads";
    const auto put = ledger->put_upload(row);
    ASSERT_OK(put);
    EXPECT_EQ(put->superseded_spool, "");
    reopen();
    const auto rows = ledger->uploads();
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 1U);
    const auto& got = rows->front();
    EXPECT_EQ(got.id, put->id);
    EXPECT_EQ(std::tie(got.path, got.spool_name, got.kind, got.base_size, got.size, got.mtime),
              std::tie(row.path, row.spool_name, row.kind, row.base_size, row.size, row.mtime));
    EXPECT_EQ(std::tie(got.state, got.step, got.remote_name, got.aside_name, got.attempts),
              std::tie(row.state, row.step, row.remote_name, row.aside_name, row.attempts));
    EXPECT_EQ(std::tie(got.mismatches, got.resent, got.line_bytes, got.created, got.first_attempt),
              std::tie(row.mismatches, row.resent, row.line_bytes, row.created, row.first_attempt));
    EXPECT_EQ(std::tie(got.error_code, got.error_text), std::tie(row.error_code, row.error_text));
}

TEST_F(LedgerTest, HasOneUploadAPath) {
    const auto first = ledger->put_upload(upload("/a", "s-1"));
    ASSERT_OK(first);
    const auto second = ledger->put_upload(upload("/a", "s-2"));
    ASSERT_OK(second);
    EXPECT_NE(second->id, first->id);
    EXPECT_EQ(second->superseded_spool, "s-1");
    EXPECT_EQ(spool_names(), (std::map<std::string, std::string>{{"/a", "s-2"}}));

    auto progress = upload("/a", "s-2");
    progress.id = second->id;
    progress.step = UploadStep::stored;
    const auto third = ledger->put_upload(progress);
    ASSERT_OK(third);
    EXPECT_EQ(third->id, second->id);
    EXPECT_EQ(third->superseded_spool, "");
    EXPECT_EQ(ledger->uploads()->front().step, UploadStep::stored);

    // The row itself gets new content, or a new path where another row stands.
    progress.spool_name = "s-3";
    EXPECT_EQ(ledger->put_upload(progress)->superseded_spool, "s-2");
    ASSERT_OK(ledger->put_upload(upload("/b", "s-4")));
    progress.path = "/b";
    EXPECT_EQ(ledger->put_upload(progress)->superseded_spool, "s-4");
    EXPECT_EQ(spool_names(), (std::map<std::string, std::string>{{"/b", "s-3"}}));
}

TEST_F(LedgerTest, LateNewsOfASupersededUploadChangeNothing) {
    auto old = upload("/a", "s-1");
    old.id = unwrap(ledger->put_upload(old)).id;
    const auto newer = unwrap(ledger->put_upload(upload("/a", "s-2")));
    old.attempts = 1;
    const auto late = unwrap(ledger->put_upload(old));
    EXPECT_EQ(late.id, old.id);
    EXPECT_EQ(late.superseded_spool, "");
    EXPECT_EQ(spool_names(), (std::map<std::string, std::string>{{"/a", "s-2"}}));
    ASSERT_OK(ledger->remove_upload(newer.id));
    ASSERT_OK(ledger->put_upload(old));
    EXPECT_TRUE(spool_names().empty());
}

TEST_F(LedgerTest, AnIdNeverReturns) {
    const auto first = ledger->put_upload(upload("/a", "s-1"));
    ASSERT_OK(first);
    ASSERT_OK(ledger->remove_upload(first->id));
    reopen();
    const auto second = ledger->put_upload(upload("/a", "s-2"));
    ASSERT_OK(second);
    EXPECT_GT(second->id, first->id);
}

TEST_F(LedgerTest, DeliveryIsOneStep) {
    const auto put = ledger->put_upload(upload("/a", "s-1"));
    ASSERT_OK(put);
    ReceiptRow receipt{put->id, "/a", 100, 10, 20, 2, 150, 30, true};
    AttributeRow attributes{"/a", 100, std::nullopt, 123'456'789'012, 0640U};
    ASSERT_OK(ledger->deliver(put->id, receipt, attributes));
    reopen();
    EXPECT_TRUE(ledger->uploads()->empty());
    const auto receipts = ledger->receipts(10);
    ASSERT_OK(receipts);
    ASSERT_EQ(receipts->size(), 1U);
    const auto& got = receipts->front();
    EXPECT_EQ(std::tie(got.id, got.path, got.bytes, got.started, got.ended),
              std::tie(receipt.id, receipt.path, receipt.bytes, receipt.started, receipt.ended));
    EXPECT_EQ(std::tie(got.attempts, got.line_bytes, got.resent, got.verified),
              std::tie(receipt.attempts, receipt.line_bytes, receipt.resent, receipt.verified));
    const auto remembered = ledger->attributes();
    ASSERT_OK(remembered);
    ASSERT_EQ(remembered->size(), 1U);
    EXPECT_EQ(remembered->front().listed_mtime, std::nullopt);
    EXPECT_EQ(remembered->front().mtime_ns, attributes.mtime_ns);
    EXPECT_EQ(remembered->front().mode, attributes.mode);
}

TEST_F(LedgerTest, ReceiptsComeNewestFirst) {
    for (int i = 1; i <= 5; ++i) {
        const auto path = "/" + std::to_string(i);
        ASSERT_OK(ledger->deliver(i, {.id = i, .path = path}, {.path = path}));
    }
    const auto receipts = ledger->receipts(3);
    ASSERT_OK(receipts);
    ASSERT_EQ(receipts->size(), 3U);
    EXPECT_EQ(receipts->front().path, "/5");
    EXPECT_EQ(receipts->back().path, "/3");
    EXPECT_EQ(ledger->receipts(SIZE_MAX)->size(), 5U);
    EXPECT_TRUE(ledger->receipts(0)->empty());
}

TEST_F(LedgerTest, AttributesAreReplacedAndRemoved) {
    ASSERT_OK(ledger->put_attributes({"/a", 1, 2, 3, 4}));
    ASSERT_OK(ledger->put_attributes({"/a", 5, 6, std::nullopt, std::nullopt}));
    const auto rows = ledger->attributes();
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ(rows->front().size, 5U);
    EXPECT_EQ(rows->front().listed_mtime, 6);
    EXPECT_EQ(rows->front().mtime_ns, std::nullopt);
    EXPECT_EQ(rows->front().mode, std::nullopt);
    ASSERT_OK(ledger->remove_attributes("/a"));
    ASSERT_OK(ledger->remove_attributes("/never-there"));
    EXPECT_TRUE(ledger->attributes()->empty());
}

TEST_F(LedgerTest, NamesAreReplacedAndRemoved) {
    ASSERT_OK(ledger->put_name({"/.b", modem::EntryKind::directory, std::nullopt, 7}));
    ASSERT_OK(ledger->put_name({"/.a", modem::EntryKind::file, 5, 8}));
    ASSERT_OK(ledger->put_name({"/.a", modem::EntryKind::file, 0, 9}));
    reopen();
    const auto rows = ledger->names();
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ(rows->front().path, "/.a");
    EXPECT_EQ(rows->front().size, 0U);
    EXPECT_EQ(rows->front().mtime, 9);
    EXPECT_EQ(rows->back().kind, modem::EntryKind::directory);
    EXPECT_EQ(rows->back().size, std::nullopt);
    ASSERT_OK(ledger->remove_name("/.a"));
    EXPECT_EQ(name_paths(), std::vector<std::string>{"/.b"});
}

TEST_F(LedgerTest, ListingsComeBackAsTheyWere) {
    ListingRow row{"/d",
                   1'700'000'000,
                   {{"file", modem::EntryKind::file, UINT64_MAX, -5, ""},
                    {"\xff\n b", modem::EntryKind::directory, 0, 0, ""},
                    {"link", modem::EntryKind::symlink, 3, 4, "../target"},
                    {"", modem::EntryKind::other, 1, INT64_MIN, ""}}};
    ASSERT_OK(ledger->put_listing(row));
    ASSERT_OK(ledger->put_listing({"/empty", 1, {}}));
    reopen();
    auto rows = ledger->listings();
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 2U);
    const auto one = ledger->listing("/d");
    ASSERT_OK(one);
    ASSERT_TRUE(*one);
    EXPECT_EQ((*one)->entries, row.entries);
    EXPECT_EQ((*one)->fetched, row.fetched);
    EXPECT_TRUE((*ledger->listing("/empty"))->entries.empty());
    ASSERT_OK(ledger->remove_listing("/d"));
    EXPECT_EQ(*ledger->listing("/d"), std::nullopt);
}

TEST_F(LedgerTest, AListingOfTenThousandEntriesIsCompact) {
    ListingRow row{"/big", 1, {}};
    for (int i = 0; i < 10'000; ++i) {
        row.entries.push_back({"file-" + std::to_string(i) + ".dat", modem::EntryKind::file,
                               static_cast<std::uint64_t>(i) * 1000, 1'700'000'000 + i, ""});
    }
    ASSERT_OK(ledger->put_listing(row));
    EXPECT_EQ((*ledger->listing("/big"))->entries, row.entries);
    ledger.reset();
    EXPECT_LT(std::filesystem::file_size(file()), 400'000U);
}

TEST_F(LedgerTest, FactsAndCountersAddUp) {
    EXPECT_EQ(*ledger->fact("hidden-listing"), std::nullopt);
    ASSERT_OK(ledger->put_fact("hidden-listing", "yes"));
    ASSERT_OK(ledger->put_fact("hidden-listing", ""));
    EXPECT_EQ(*ledger->fact("hidden-listing"), "");
    ASSERT_OK(ledger->add_counters({"2026-11-21", 1, 2, 3, 4, 5}));
    ASSERT_OK(ledger->add_counters({"2026-11-20", 1, 1, 1, 1, 1}));
    ASSERT_OK(ledger->add_counters({"2026-11-21", 10, 20, 30, 40, 50}));
    const auto rows = ledger->counters();
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 2U);
    const auto& today = rows->back();
    EXPECT_EQ(today.day, "2026-11-21");
    EXPECT_EQ(today.line_sent, 11U);
    EXPECT_EQ(today.line_received, 22U);
    EXPECT_EQ(today.payload_sent, 33U);
    EXPECT_EQ(today.payload_received, 44U);
    EXPECT_EQ(today.commands, 55U);
}

// ---- renaming -------------------------------------------------------------------------------

TEST_F(LedgerTest, RenameMovesWhatIsBelowAndNothingElse) {
    // Neighbours in byte order, patterns, and bytes that are no UTF-8.
    const std::vector<std::string> inside = {"/d_%", "/d_%/", "/d_%/x", "/d_%/\xff\xc3/y",
                                             "/d_%/a%b_c"};
    const std::vector<std::string> outside = {"/dxx/x",  "/d_",    "/d_%.", "/d_%0",
                                              "/d_%0/x", "/D_%/x", "/d_%!", "/e/d_%/x"};
    for (const auto& group : {inside, outside}) {
        for (const auto& path : group) {
            ASSERT_OK(ledger->put_name({path, modem::EntryKind::file, 1, 1}));
        }
    }
    ASSERT_OK(ledger->rename_path("/d_%", "/new\xfe"));
    auto expected = outside;
    for (const auto& path : inside) {
        expected.push_back("/new\xfe" + path.substr(4));
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(name_paths(), expected);
}

TEST_F(LedgerTest, RenameMovesEveryKindOfRow) {
    ASSERT_OK(ledger->put_upload(upload("/d/f", "s-1")));
    ASSERT_OK(ledger->put_attributes({"/d/f", 1, 2, 3, 4}));
    ASSERT_OK(ledger->put_name({"/d/.x", modem::EntryKind::file, 1, 1}));
    ASSERT_OK(ledger->put_listing({"/d", 1, {{"f", modem::EntryKind::file, 1, 1, ""}}}));
    ASSERT_OK(ledger->rename_path("/d", "/longer/name"));
    reopen();
    EXPECT_EQ(ledger->uploads()->front().path, "/longer/name/f");
    EXPECT_EQ(ledger->attributes()->front().path, "/longer/name/f");
    EXPECT_EQ(ledger->names()->front().path, "/longer/name/.x");
    EXPECT_EQ(ledger->listings()->front().path, "/longer/name");
}

TEST_F(LedgerTest, RenameReplacesWhatStoodThere) {
    ASSERT_OK(ledger->put_upload(upload("/a", "s-1")));
    ASSERT_OK(ledger->put_upload(upload("/b", "s-2")));
    ASSERT_OK(ledger->put_name({"/b/old", modem::EntryKind::file, 1, 1}));
    ASSERT_OK(ledger->rename_path("/a", "/b"));
    EXPECT_EQ(spool_names(), (std::map<std::string, std::string>{{"/b", "s-1"}}));
    EXPECT_TRUE(name_paths().empty());
    ASSERT_OK(ledger->rename_path("/b", "/b"));
    EXPECT_EQ(spool_names(), (std::map<std::string, std::string>{{"/b", "s-1"}}));
}

TEST_F(LedgerTest, RenameRefusesWhatMakesNoSense) {
    ASSERT_OK(ledger->put_name({"/a/b", modem::EntryKind::file, 1, 1}));
    for (const auto& [from, to] : std::map<std::string, std::string>{
             {"/", "/x"}, {"/x", "/"}, {"/a", "/a/b"}, {"/a/b", "/a"}, {"", "/x"}}) {
        const auto renamed = ledger->rename_path(from, to);
        ASSERT_FALSE(renamed) << from;
        EXPECT_EQ(renamed.error().code, Errc::invalid_argument);
    }
    EXPECT_EQ(name_paths(), std::vector<std::string>{"/a/b"});
}

}  // namespace
}  // namespace fusefs
