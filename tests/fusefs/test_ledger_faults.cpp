// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <set>

#include "fusefs/ledger.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {
namespace {

using modem::Errc;

UploadRow upload(const std::string& path) {
    UploadRow row;
    row.path = path;
    row.spool_name = "s-000001";
    return row;
}

class LedgerFaults : public testing::Test {
protected:
    static constexpr int rows = 12;
    /// Makes a ledger with some rows of each kind and closes it.
    void fill() const {
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        for (int i = 0; i < rows; ++i) {
            const auto path = "/dir/file-" + std::to_string(i);
            ASSERT_OK((*ledger)->put_upload(upload(path)));
            ASSERT_OK((*ledger)->put_attributes({path, 1, 2, 3, 4}));
            ASSERT_OK((*ledger)->put_name({path, modem::EntryKind::file, 1, 1}));
            ASSERT_OK((*ledger)->put_listing(
                {path, 1, {{std::string(200, 'n'), modem::EntryKind::file, 1, 1, ""}}}));
        }
    }
    /// SQL by another connection.
    void tamper(const char* sql) const {
        sqlite3* handle = nullptr;
        ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
        char* words = nullptr;
        EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, &words), SQLITE_OK) << words;
        sqlite3_free(words);
        sqlite3_close(handle);
    }
    /// The ledger opens, says where the old file is, has nothing lost of it, and works.
    void expect_set_aside(const std::string& old_content) const {
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        EXPECT_EQ((*ledger)->damaged(), file().string() + ".damaged-1");
        EXPECT_TRUE((*ledger)->fresh());
        EXPECT_TRUE((*ledger)->uploads()->empty());
        EXPECT_TRUE(read_all((*ledger)->damaged()) == old_content);
        EXPECT_TRUE((*ledger)->put_upload(upload("/again")));
    }
    /// Everything can be asked and answers with rows or an error.
    static void exercise(Ledger& ledger) {
        (void)ledger.uploads().has_value();
        (void)ledger.attributes().has_value();
        (void)ledger.names().has_value();
        (void)ledger.listings().has_value();
        (void)ledger.receipts(100).has_value();
        (void)ledger.counters().has_value();
        (void)ledger.rename_path("/dir", "/other").has_value();
        (void)ledger.put_upload(upload("/dir/file-1")).has_value();
    }
    [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "ledger.sqlite"; }
    [[nodiscard]] std::filesystem::path side(const char* suffix) const {
        return file().string() + suffix;
    }

private:
    TemporaryDirectory directory_;
};

TEST_F(LedgerFaults, AnEmptyFileIsSetAside) {
    write_all(file(), "");
    expect_set_aside("");
}

TEST_F(LedgerFaults, ALogWhoseDatabaseIsGoneIsSetAside) {
    write_all(side("-wal"), "may hold everything");
    expect_set_aside("");
    EXPECT_EQ(read_all(side(".damaged-1-wal")), "may hold everything");
}

TEST_F(LedgerFaults, AFileThatIsNoDatabaseIsSetAside) {
    const std::string text = "this is somebody's text" + std::string(5000, '\n');
    write_all(file(), text);
    expect_set_aside(text);
}

TEST_F(LedgerFaults, ATruncatedDatabaseIsSetAside) {
    fill();
    const auto whole = read_all(file());
    for (const std::size_t size : {std::size_t{1}, std::size_t{99}, std::size_t{4096},
                                   whole.size() / 2, whole.size() - 4096}) {
        SCOPED_TRACE(size);
        write_all(file(), whole.substr(0, size));
        for (const auto* suffix :
             {"-wal", "-shm", ".damaged-1", ".damaged-1-wal", ".damaged-1-shm"}) {
            std::filesystem::remove(side(suffix));
        }
        expect_set_aside(whole.substr(0, size));
    }
}

TEST_F(LedgerFaults, ANewerSchemaIsSetAside) {
    fill();
    tamper("PRAGMA user_version = 99");
    expect_set_aside(read_all(file()));
}

TEST_F(LedgerFaults, AnotherProgramsDatabaseIsSetAside) {
    tamper("CREATE TABLE uploads (x); PRAGMA user_version = 1");
    expect_set_aside(read_all(file()));
}

TEST_F(LedgerFaults, TablesWithoutAVersionAreSetAside) {
    tamper("CREATE TABLE uploads (x)");
    expect_set_aside(read_all(file()));
}

TEST_F(LedgerFaults, RowsThatNobodyWroteAreSetAside) {
    fill();
    tamper("UPDATE uploads SET path = CAST('no slash' AS BLOB) WHERE id = 3");
    auto ledger = Ledger::open(file());
    ASSERT_OK(ledger);
    EXPECT_NE((*ledger)->damaged(), "");
}

TEST_F(LedgerFaults, EachDamagedFileIsKept) {
    for (int number = 1; number <= 3; ++number) {
        write_all(file(), "damage " + std::to_string(number));
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        EXPECT_EQ((*ledger)->damaged(), file().string() + ".damaged-" + std::to_string(number));
    }
    for (int number = 1; number <= 3; ++number) {
        EXPECT_EQ(read_all(file().string() + ".damaged-" + std::to_string(number)),
                  "damage " + std::to_string(number));
    }
}

TEST_F(LedgerFaults, ADamagedListingIsLeftOut) {
    fill();
    tamper(
        "UPDATE listings SET entries = CAST('MFL1 nonsense' AS BLOB) WHERE rowid = 1;"
        "UPDATE listings SET entries = substr(entries, 1, length(entries) - 1) WHERE rowid = 2;"
        "UPDATE listings SET entries = X'' WHERE rowid = 3;"
        "UPDATE listings SET entries = CAST(entries || X'00' AS BLOB) WHERE rowid = 4");
    auto ledger = Ledger::open(file());
    ASSERT_OK(ledger);
    EXPECT_EQ((*ledger)->damaged(), "");
    EXPECT_EQ(unwrap((*ledger)->listings()).size(), std::size_t{rows} - 4);
    EXPECT_EQ(*(*ledger)->listing("/dir/file-0"), std::nullopt);
}

TEST_F(LedgerFaults, RandomDamageIsSurvived) {
    fill();
    const auto whole = read_all(file());
    int set_aside = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto damaged = whole;
        for (auto count = 1 + random() % 40; count > 0; --count) {
            // Half of it in the first page, where schema and header are.
            const auto area = random() % 2 == 0 ? std::size_t{4096} : damaged.size();
            damaged[random() % area] = static_cast<char>(random());
        }
        std::filesystem::remove(side("-wal"));
        std::filesystem::remove(side("-shm"));
        write_all(file(), damaged);
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        if (!(*ledger)->damaged().empty()) {
            ++set_aside;
            EXPECT_TRUE(read_all((*ledger)->damaged()) == damaged);
            EXPECT_TRUE((*ledger)->put_upload(upload("/again")));
        }
        exercise(**ledger);
        ledger->reset();
        std::filesystem::remove(side(".damaged-1"));
        std::filesystem::remove(side(".damaged-1-wal"));
        std::filesystem::remove(side(".damaged-1-shm"));
    }
    EXPECT_GT(set_aside, 30);
}

TEST_F(LedgerFaults, RandomDamageOfTheLogIsSurvived) {
    fill();
    const auto before = read_all(file());
    std::string log;
    {
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        for (int i = 0; i < 10; ++i) {
            ASSERT_OK((*ledger)->put_upload(upload("/late-" + std::to_string(i))));
        }
        log = read_all(side("-wal"));
    }
    ASSERT_GT(log.size(), 4096U);
    for (unsigned seed = 0; seed < 25; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto damaged = log;
        for (auto count = 1 + random() % 20; count > 0; --count) {
            damaged[random() % damaged.size()] = static_cast<char>(random());
        }
        std::filesystem::remove(side("-shm"));
        write_all(file(), before);
        write_all(side("-wal"), damaged);
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        exercise(**ledger);
        EXPECT_TRUE((*ledger)->put_upload(upload("/again")));
    }
}

// ---- the disk and the directory -------------------------------------------------------------

TEST_F(LedgerFaults, AnotherProcessThatHoldsTheLockIsNotDamage) {
    fill();
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    const auto ledger = Ledger::open(file());
    sqlite3_close(handle);
    ASSERT_FALSE(ledger);
    EXPECT_EQ(ledger.error().code, Errc::local_io);
    EXPECT_NE(ledger.error().what.find("locked"), std::string::npos) << ledger.error().what;
    EXPECT_FALSE(std::filesystem::exists(side(".damaged-1")));
    EXPECT_TRUE(Ledger::open(file()));
}

TEST_F(LedgerFaults, AReadOnlyDirectoryIsAnErrorAndNothingIsSetAside) {
    fill();
    const auto content = read_all(file());
    // As root permissions do not bind: a child without root's rights tries.
    const auto directory = file().parent_path();
    ASSERT_EQ(::chmod(directory.c_str(), 0555), 0);
    ASSERT_EQ(::chmod(file().c_str(), 0444), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool unprivileged = ::geteuid() != 0 || ::setuid(65534) == 0;
        const auto ledger = Ledger::open(file());
        ::_exit(unprivileged && !ledger && ledger.error().code == Errc::local_io ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(std::filesystem::exists(side(".damaged-1")));
    EXPECT_TRUE(read_all(file()) == content);
}

TEST(LedgerDisk, AFullDiskIsAnErrorAndLosesNothing) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    const auto file = disk.path() / "ledger.sqlite";
    auto opened = Ledger::open(file);
    ASSERT_OK(opened);
    auto ledger = *std::move(opened);
    std::set<std::string> acknowledged;
    disk.fill();
    for (int i = 0; i < 500; ++i) {
        auto row = upload("/file-" + std::to_string(i));
        row.error_text.assign(2000, 'x');
        const auto put = ledger->put_upload(row);
        if (!put) {
            EXPECT_EQ(put.error().code, Errc::local_no_space) << put.error().what;
            EXPECT_NE(put.error().what.find(disk.path().string()), std::string::npos);
            break;
        }
        acknowledged.insert(row.path);
    }
    ASSERT_LT(acknowledged.size(), 500U);
    // It goes on as soon as there is room, and what was acknowledged is there.
    disk.free_some();
    ASSERT_OK(ledger->put_upload(upload("/after")));
    acknowledged.insert("/after");
    disk.fill();
    ledger.reset();
    disk.free_some();
    opened = Ledger::open(file);
    ASSERT_OK(opened);
    EXPECT_EQ((*opened)->damaged(), "");
    std::set<std::string> found;
    for (const auto& row : unwrap((*opened)->uploads())) {
        found.insert(row.path);
    }
    EXPECT_EQ(found, acknowledged);
}

TEST(LedgerDisk, AFullDiskAtTheStartIsNotDamage) {
    const SmallDisk disk;
    if (!disk.mounted()) {
        GTEST_SKIP() << "cannot mount a tmpfs: run as root to test a full disk";
    }
    const auto file = disk.path() / "ledger.sqlite";
    {
        auto ledger = Ledger::open(file);
        ASSERT_OK(ledger);
        ASSERT_OK((*ledger)->put_upload(upload("/a")));
    }
    disk.fill();
    const auto refused = Ledger::open(file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::local_no_space) << refused.error().what;
    disk.free_some();
    auto ledger = Ledger::open(file);
    ASSERT_OK(ledger);
    EXPECT_EQ((*ledger)->damaged(), "");
    EXPECT_EQ((*ledger)->uploads()->size(), 1U);
}

// ---- kill -9 --------------------------------------------------------------------------------

/// Writes rows until it is killed; tells each acknowledged one through the pipe.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int begin, int pipe) {
    auto opened = Ledger::open(file);
    if (!opened) {
        ::_exit(1);
    }
    auto& ledger = **opened;
    for (int number = begin;; ++number) {
        const auto put = ledger.put_upload(upload("/file-" + std::to_string(number)));
        const bool even = number % 2 == 0;
        // Every second one is delivered: row away, receipt there, never both, never neither.
        if (!put ||
            (even && !ledger.deliver(put->id, {.id = put->id, .path = std::to_string(number)},
                                     {.path = "/x", .size = 1}))) {
            ::_exit(1);
        }
        if (::write(pipe, &number, sizeof number) != static_cast<ssize_t>(sizeof number)) {
            ::_exit(1);
        }
    }
}

/// Kills a writing child after `rows` acknowledged rows; returns the last acknowledged number.
int kill_writer(const std::filesystem::path& file, int begin, int rows) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        write_until_killed(file, begin, ends[1]);
    }
    ::close(ends[1]);
    int last = begin - 1;
    for (int i = 0; i < rows; ++i) {
        EXPECT_EQ(::read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    return last;
}

TEST_F(LedgerFaults, WhatWasAcknowledgedSurvivesKill) {
    int begin = 0;
    for (int round = 0; round < 6; ++round) {
        SCOPED_TRACE(round);
        const int last = kill_writer(file(), begin, 5 + round * 3);
        auto ledger = Ledger::open(file());
        ASSERT_OK(ledger);
        EXPECT_EQ((*ledger)->damaged(), "");
        std::set<std::string> pending;
        for (const auto& row : unwrap((*ledger)->uploads())) {
            pending.insert(row.path);
        }
        std::set<std::string> delivered;
        for (const auto& row : unwrap((*ledger)->receipts(10'000))) {
            delivered.insert("/file-" + row.path);
        }
        for (int number = 0; number <= last; ++number) {
            const auto path = "/file-" + std::to_string(number);
            EXPECT_EQ(pending.contains(path), number % 2 != 0) << path;
            EXPECT_EQ(delivered.contains(path), number % 2 == 0) << path;
        }
        const auto next = "/file-" + std::to_string(last + 1);
        EXPECT_FALSE(pending.contains(next) && delivered.contains(next));
        // Begin behind the row that was in the making, so that each round's numbers are its own.
        begin = last + 1;
        if (delivered.contains(next) || pending.contains(next)) {
            for (const auto& row : unwrap((*ledger)->uploads())) {
                if (row.path == next) {
                    ASSERT_OK((*ledger)->remove_upload(row.id));
                }
            }
        }
    }
}

}  // namespace
}  // namespace fusefs
