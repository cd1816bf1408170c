// SPDX-License-Identifier: MIT
#include "tests/fusefs/storage_fixture.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace fusefs {

TemporaryDirectory::TemporaryDirectory() {
    auto name = (std::filesystem::temp_directory_path() / "modemftp-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        ADD_FAILURE() << "mkdtemp " << name;
        return;
    }
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    if (!path_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
}

SmallDisk::SmallDisk()
    : mounted_(::mount("tmpfs", directory_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                       "size=1m,mode=0700") == 0) {}

SmallDisk::~SmallDisk() {
    if (mounted_) {
        ::umount2(directory_.path().c_str(), MNT_DETACH);
    }
}

void SmallDisk::fill() const {
    const int fd = ::open((path() / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const std::array<char, 4096> zeros{};
    ::lseek(fd, 0, SEEK_END);
    while (::write(fd, zeros.data(), zeros.size()) > 0) {
    }
    EXPECT_EQ(errno, ENOSPC);
    ::close(fd);
}

void SmallDisk::free_some() const {
    ::unlink((path() / "filler").c_str());
}

modem::Post MainLoop::post() {
    return [this](modem::UniqueFunction<void()> task) {
        // Told under the lock: the test may end, and this with it, as soon as the task has run.
        const std::scoped_lock lock(mutex_);
        tasks_.push_back(std::move(task));
        wake_.notify_one();
    };
}

modem::UniqueFunction<void()> MainLoop::next(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    while (tasks_.empty()) {
        // In system time: TSan of g++ 12 does not know pthread_cond_clockwait.
        const auto left = deadline - std::chrono::steady_clock::now();
        if (left <= left.zero()) {
            return {};
        }
        wake_.wait_until(lock, std::chrono::system_clock::now() + left);
    }
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
}

std::string read_all(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_all(const std::filesystem::path& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content;
    file.close();
    ASSERT_TRUE(file) << path;
}

}  // namespace fusefs
