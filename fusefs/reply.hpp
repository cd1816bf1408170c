// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "fusefs/core.hpp"
#include "fusefs/fuse_api.hpp"

namespace fusefs {

/// Every request that has not been answered yet. Main thread. Outlives the session: a reply that
/// comes too late finds here that its request is gone.
class PendingRequests {
public:
    struct Request {
        fuse_req_t handle = nullptr;  ///< nullptr: answered
        WaiterPtr waiter;
        Request* previous = nullptr;
        Request* next = nullptr;
    };
    void add(Request& request);
    void remove(Request& request);
    /// Answers all that still wait with `error`; what they waited for is cancelled.
    void fail_all(int error);
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    Request* first_ = nullptr;
    std::size_t size_ = 0;
};

/// The answer that one FUSE request is owed. Moves with the callback that will give it; answers
/// exactly once: dropped without an answer it says EIO, since a lost reply is a process that
/// cannot be killed. The kernel's INTERRUPT reaches waiter(). Main thread.
class Reply {
public:
    Reply(fuse_req_t request, std::shared_ptr<PendingRequests> pending);
    Reply(Reply&& other) noexcept = default;
    Reply& operator=(Reply&& other) = delete;
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;
    ~Reply();

    [[nodiscard]] const WaiterPtr& waiter() const { return request_->waiter; }
    [[nodiscard]] int pid() const { return pid_; }  ///< of the process that asks

    void error(int number);
    void error(const modem::Error& failure);
    void ok() { error(0); }
    /// These return false when the kernel no longer wants the answer (or got another one): a
    /// lookup count or a handle that went with it has to be given back.
    bool entry(const fuse_entry_param& entry);
    bool create(const fuse_entry_param& entry, const fuse_file_info& info);
    bool open(const fuse_file_info& info);
    bool buffer(const char* bytes, std::size_t size);
    void attributes(const struct stat& attributes);
    void data(fuse_bufvec& bytes);
    void written(std::size_t count);
    void link(const char* target);
    void statfs(const struct statvfs& room);
    void xattr_size(std::size_t size);

private:
    /// The request, for its only answer; nullptr when there was one already.
    fuse_req_t take();
    std::shared_ptr<PendingRequests> pending_;
    std::unique_ptr<PendingRequests::Request> request_;
    int pid_ = 0;
};

/// How long the kernel may believe what it was told, seconds. Together with the directory cache's
/// TTL this bounds how stale an answer can be; a second saves the round trips of `ls -l`.
inline constexpr double entry_timeout = 1.0;
inline constexpr double attribute_timeout = 1.0;

}  // namespace fusefs
