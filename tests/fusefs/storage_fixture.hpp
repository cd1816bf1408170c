// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include "fusefs/storage.hpp"
#include "modem/function.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// A directory of its own for one test, gone afterwards.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A file system of 1 MiB, mounted for one test. Needs root and a mount permission; mounted() tells
/// whether there is one.
class SmallDisk {
public:
    SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk();
    [[nodiscard]] bool mounted() const { return mounted_; }
    [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
    /// Fills the disk to the last byte; free_some() deletes the filler.
    void fill() const;
    void free_some() const;

private:
    TemporaryDirectory directory_;
    bool mounted_ = false;
};

/// Stands in for the daemon's event loop: runs what was posted on the test's thread.
class MainLoop {
public:
    modem::Post post();
    /// Runs posted tasks until the condition holds; a test that waits for 30 s has failed.
    template <typename Condition>
    void run_until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            auto task = next(deadline);
            if (!task) {
                FAIL() << "the condition did not come true";
            }
            task();
        }
    }

private:
    modem::UniqueFunction<void()> next(std::chrono::steady_clock::time_point deadline);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<modem::UniqueFunction<void()>> tasks_;
};

/// The value by itself, so that a loop over it does not outlive it; a failure fails the test.
template <typename T>
T unwrap(modem::Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().what;
        return T{};
    }
    return *std::move(result);
}

[[nodiscard]] std::string read_all(const std::filesystem::path& path);
void write_all(const std::filesystem::path& path, const std::string& content);

}  // namespace fusefs

/// Fails the test with the error's words.
#define ASSERT_OK(expression)                                                                  \
    do {                                                                                       \
        const auto& assert_ok_result = (expression);                                           \
        ASSERT_TRUE(assert_ok_result.has_value())                                              \
            << (assert_ok_result.has_value() ? std::string() : assert_ok_result.error().what); \
    } while (false)
