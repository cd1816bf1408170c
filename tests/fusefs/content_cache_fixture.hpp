// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "fusefs/content_cache.hpp"
#include "fusefs/content_index.hpp"
#include "fusefs/storage.hpp"
#include "tests/fusefs/storage_fixture.hpp"

namespace fusefs {

inline constexpr std::uint64_t mebi = std::uint64_t{1} << 20U;

/// A content cache in a directory of its own that can be ended, killed and started again.
class ContentCacheTest : public testing::Test {
protected:
    void SetUp() override { restart(); }
    void TearDown() override { stop(); }
    /// The daemon ends in good order and starts again.
    void restart(std::uint64_t limit = mebi) {
        stop();
        storage.emplace(loop.post());
        cache.emplace(*storage, directory(), limit);
        cache->load();
    }
    void stop() {
        cache.reset();
        storage.reset();
    }
    /// kill -9: nothing more is saved.
    void die() {
        settle();
        storage->close();
        cache.reset();
        storage.reset();
    }
    /// Everything given to the storage thread is done and has been answered.
    void settle() {
        bool settled = false;
        storage->run({}, [&] { settled = true; });
        loop.run_until([&] { return settled; });
    }
    /// The file's bytes are here, as the end of a download leaves them.
    std::shared_ptr<CachedContent> fetch(const std::string& path, ContentVersion version,
                                         std::optional<std::uint64_t> end = {}) {
        auto content = unwrap(cache->obtain(path, version));
        const auto size = end.value_or(version.size);
        EXPECT_TRUE(content->file->write(0, std::string(size, path.back())));
        cache->added(content, 0, size);
        return content;
    }
    static std::string content_of(const CachedContent& content) {
        std::string bytes(content.version.size, '?');
        bytes.resize(unwrap(content.file->read(0, bytes)));
        return bytes;
    }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory())) {
            count += content_number(entry.path().filename().string()) ? 1 : 0;
        }
        return count;
    }
    [[nodiscard]] bool has(const std::string& path, ContentVersion version) {
        return cache->find(path, version) != nullptr;
    }
    [[nodiscard]] std::filesystem::path directory() const { return temporary_.path() / "cache"; }

    MainLoop loop;
    std::optional<Storage> storage;
    std::optional<ContentCache> cache;

private:
    TemporaryDirectory temporary_;
};

}  // namespace fusefs
