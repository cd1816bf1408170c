// SPDX-License-Identifier: MIT
#include "fusefs/reply.hpp"

#include <cerrno>

#include "fusefs/errno_map.hpp"

namespace fusefs {

void PendingRequests::add(Request& request) {
    request.next = first_;
    if (first_ != nullptr) {
        first_->previous = &request;
    }
    first_ = &request;
    ++size_;
}

void PendingRequests::remove(Request& request) {
    if (request.previous != nullptr) {
        request.previous->next = request.next;
    } else {
        first_ = request.next;
    }
    if (request.next != nullptr) {
        request.next->previous = request.previous;
    }
    request.previous = request.next = nullptr;
    --size_;
}

void PendingRequests::fail_all(int error) {
    while (first_ != nullptr) {
        Request& request = *first_;
        remove(request);
        const auto waiter = request.waiter;  // interrupting may free the request
        fuse_reply_err(std::exchange(request.handle, nullptr), error);
        waiter->interrupt();
    }
}

namespace {

extern "C" void interrupted(fuse_req_t, void* data) {
    static_cast<Waiter*>(data)->interrupt();
}

}  // namespace

Reply::Reply(fuse_req_t request, std::shared_ptr<PendingRequests> pending)
    : pending_(std::move(pending)), request_(std::make_unique<PendingRequests::Request>()) {
    request_->handle = request;
    pid_ = fuse_req_ctx(request)->pid;
    request_->waiter = std::make_shared<Waiter>();
    pending_->add(*request_);
    // May call back at once, when INTERRUPT came before its request: the waiter only notes it then,
    // since nothing has been registered there yet. (Answering inside this call would free the
    // request under libfuse's lock.)
    fuse_req_interrupt_func(request, interrupted, request_->waiter.get());
}

Reply::~Reply() {
    if (request_) {
        error(EIO);
    }
}

fuse_req_t Reply::take() {
    if (request_->handle == nullptr) {
        return nullptr;
    }
    pending_->remove(*request_);
    return std::exchange(request_->handle, nullptr);
}

void Reply::error(int number) {
    if (auto* const request = take()) {
        fuse_reply_err(request, number);
    }
}

void Reply::error(const modem::Error& failure) {
    error(to_errno(failure.code));
}

bool Reply::entry(const fuse_entry_param& entry) {
    auto* const request = take();
    return request != nullptr && fuse_reply_entry(request, &entry) == 0;
}

bool Reply::create(const fuse_entry_param& entry, const fuse_file_info& info) {
    auto* const request = take();
    return request != nullptr && fuse_reply_create(request, &entry, &info) == 0;
}

bool Reply::open(const fuse_file_info& info) {
    auto* const request = take();
    return request != nullptr && fuse_reply_open(request, &info) == 0;
}

bool Reply::buffer(const char* bytes, std::size_t size) {
    auto* const request = take();
    return request != nullptr && fuse_reply_buf(request, bytes, size) == 0;
}

void Reply::attributes(const struct stat& attributes) {
    if (auto* const request = take()) {
        fuse_reply_attr(request, &attributes, attribute_timeout);
    }
}

void Reply::data(fuse_bufvec& bytes) {
    if (auto* const request = take()) {
        fuse_reply_data(request, &bytes, fuse_buf_copy_flags{});
    }
}

void Reply::written(std::size_t count) {
    if (auto* const request = take()) {
        fuse_reply_write(request, count);
    }
}

void Reply::link(const char* target) {
    if (auto* const request = take()) {
        fuse_reply_readlink(request, target);
    }
}

void Reply::statfs(const struct statvfs& room) {
    if (auto* const request = take()) {
        fuse_reply_statfs(request, &room);
    }
}

void Reply::xattr_size(std::size_t size) {
    if (auto* const request = take()) {
        fuse_reply_xattr(request, size);
    }
}

}  // namespace fusefs
