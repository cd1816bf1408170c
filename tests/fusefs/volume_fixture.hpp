// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/volume.hpp"
#include "tests/fakes/main_loop.hpp"
#include "tests/fakes/memory_server.hpp"

namespace fusefs {

/// A Volume on a server in memory, without FUSE: what a program's system call would ask is a
/// function here that waits for the answer.
class VolumeTest : public testing::Test {
protected:
    VolumeTest();
    ~VolumeTest() override;

    /// Opens the volume (again: as after a restart) and tells it that the link stands.
    void start(bool link_up = true);
    void stop();
    void set_link(modem::LinkState state);
    [[nodiscard]] static modem::Capabilities capabilities();

    // ---- calls ------------------------------------------------------------------------------
    /// Inode of a path by one lookup a component, as the kernel would.
    modem::Result<Ino> walk(const std::string& path);
    modem::Result<struct stat> stat(const std::string& path);
    modem::Result<std::vector<std::string>> list(const std::string& path);
    modem::Result<void> mkdir(const std::string& path);
    modem::Result<void> rmdir(const std::string& path);
    modem::Result<void> unlink(const std::string& path);
    modem::Result<void> rename(const std::string& from, const std::string& to, unsigned flags = 0);
    modem::Result<HandlePtr> open(const std::string& path, int flags);
    modem::Result<HandlePtr> create(const std::string& path, unsigned mode = 0644);
    modem::Result<void> write(const HandlePtr& handle, std::uint64_t offset,
                              const std::string& bytes);
    modem::Result<std::string> read(const HandlePtr& handle, std::uint64_t offset,
                                    std::size_t size);
    modem::Result<void> flush(const HandlePtr& handle);
    /// create(), write(), flush() and release(); delivered when it returns.
    modem::Result<void> save(const std::string& path, const std::string& bytes);
    modem::Result<std::string> load(const std::string& path);
    modem::Result<struct stat> set(const std::string& path, const Volume::SetAttributes& what);
    [[nodiscard]] static modem::Errc code(const modem::Result<void>& result);
    template <typename T>
    [[nodiscard]] static modem::Errc code(const modem::Result<T>& result) {
        return code(result ? modem::Result<void>() : modem::fail(result.error()));
    }
    [[nodiscard]] static modem::Errc good() { return static_cast<modem::Errc>(-1); }

    /// Starts `call` with a done callback and waits for the answer.
    template <typename T, typename Call>
    modem::Result<T> wait(Call call) {
        auto slot = std::make_shared<std::optional<modem::Result<T>>>();
        call(Done<T>([slot](modem::Result<T> result) { *slot = std::move(result); }));
        if (!loop.run_until([&] { return slot->has_value(); })) {
            ADD_FAILURE() << "no answer";
            return modem::fail(modem::Errc::timed_out, "no answer in the test");
        }
        return *std::move(*slot);
    }
    /// The node of a path that the tree knows already, without asking.
    Node* known(const std::string& path);
    int lists() const { return server->count(modem::JobKind::list); }

    std::filesystem::path directory;
    config::Config config;
    fakes::MainLoop loop;
    std::unique_ptr<modem::JobQueue> queue;
    std::unique_ptr<fakes::MemoryServer> server;
    std::unique_ptr<Storage> storage;
    std::unique_ptr<Volume> volume;
    modem::LinkStatus link;
    std::vector<std::string> log;
    int next_pid = 1;
};

}  // namespace fusefs
