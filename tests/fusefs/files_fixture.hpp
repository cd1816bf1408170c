// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "fusefs/files.hpp"
#include "tests/fakes/main_loop.hpp"
#include "tests/fakes/memory_server.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {

/// Files and Uploads over a real spool, ledger and cache, and a server in memory: everything but
/// the directory cache and FUSE.
class FilesTest : public testing::Test {
protected:
    FilesTest() : queue(loop.poster()), server(queue), storage(loop.poster()) {}
    ~FilesTest() override;

    void SetUp() override { start(); }
    /// Makes the daemon's half anew on the same directories, as after a restart.
    void start();
    void stop();

    /// The node of a file on the server, as a listing would have made it.
    Node& listed(const std::string& name, const std::string& content);
    Node& fresh(const std::string& name);

    HandlePtr open(Node& node, int flags);
    modem::Result<HandlePtr> try_open(Node& node, int flags);
    modem::Result<std::string> read(const HandlePtr& handle, std::uint64_t offset, std::size_t size,
                                    bool whole = false);
    modem::Result<std::size_t> write(const HandlePtr& handle, std::uint64_t offset,
                                     std::string_view bytes);
    /// close(2): FLUSH by the opener, then RELEASE.
    modem::Result<void> close(const HandlePtr& handle);
    modem::Result<void> flush(const HandlePtr& handle, std::uint64_t owner = 1, int pid = 1);
    modem::Result<void> truncate(Node& node, const HandlePtr& handle, std::uint64_t size);
    /// Waits until no upload is left.
    void delivered();

    /// Calls `begin` with a completion and waits for its answer.
    template <typename T, typename Begin>
    modem::Result<T> await(Begin begin) {
        auto slot = std::make_shared<std::optional<modem::Result<T>>>();
        begin([slot](modem::Result<T> result) { *slot = std::move(result); });
        EXPECT_TRUE(loop.run_until([&] { return slot->has_value(); }));
        return slot->has_value() ? std::move(**slot)
                                 : modem::Result<T>(modem::fail(modem::Errc::timed_out, "test"));
    }

    TemporaryDirectory directory;
    fakes::MainLoop loop;
    config::Config config;
    modem::JobQueue queue;
    fakes::MemoryServer server;
    Storage storage;
    std::unique_ptr<Core> core;
    std::unique_ptr<ContentCache> cache;
    std::unique_ptr<Uploads> uploads;
    std::unique_ptr<Files> files;
    std::time_t now = 1'700'100'000;
};

}  // namespace fusefs
