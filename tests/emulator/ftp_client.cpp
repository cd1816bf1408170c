// SPDX-License-Identifier: MIT
#include "tests/emulator/ftp_client.hpp"

#include <curl/curl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tests/emulator/ftp_worker.hpp"

namespace emulator {

namespace {

constexpr std::size_t upload_buffer = 16384;

}  // namespace

FtpClient::FtpClient(const Settings& settings)
    : settings_(settings), event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    thread_ = std::thread([this] { FtpWorker(*this).run(); });
}

FtpClient::~FtpClient() {
    {
        std::scoped_lock lock(mutex_);
        stopping_ = true;
        aborting_ = true;
        requests_.clear();
        if (control_fd_ >= 0) {
            // libcurl would say QUIT and wait for an answer.
            shutdown(control_fd_, SHUT_RDWR);
        }
    }
    wake_worker();
    thread_.join();
    curl_multi_cleanup(static_cast<CURLM*>(multi_));
    curl_global_cleanup();
    close(event_fd_);
}

void FtpClient::wake_worker() {
    changed_.notify_all();
    curl_multi_wakeup(static_cast<CURLM*>(multi_));
}

void FtpClient::submit(Request request) {
    {
        std::scoped_lock lock(mutex_);
        request.generation = generation_;
        request.active = active_;
        request.data_port = data_port_;
        requests_.push_back(std::move(request));
    }
    wake_worker();
}

void FtpClient::login(const Login& login, Event connected, Done done) {
    Request request{};
    request.kind = Kind::login;
    request.login = login;
    request.event = std::move(connected);
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::logout(Done done) {
    Request request{};
    request.kind = Kind::logout;
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::command(std::string line, Done done) {
    Request request{};
    request.kind = Kind::command;
    request.first = std::move(line);
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::rename(const std::string& from, const std::string& to, Done done) {
    Request request{};
    request.kind = Kind::rename;
    request.first = from;
    request.second = to;
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::size(const std::string& path, Done done) {
    Request request{};
    request.kind = Kind::size;
    request.first = path;
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::list(const std::string& argument, Done done) {
    Request request{};
    request.kind = Kind::list;
    request.transfer.path = argument;
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::retrieve(const Transfer& transfer, Done done) {
    Request request{};
    request.kind = Kind::retrieve;
    request.transfer = transfer;
    request.done = std::move(done);
    submit(std::move(request));
}

void FtpClient::store(const Transfer& transfer, Event ready, Done done) {
    Request request{};
    request.kind = Kind::store;
    request.transfer = transfer;
    request.event = std::move(ready);
    request.done = std::move(done);
    {
        // Bytes may be fed before the server is ready for them.
        std::scoped_lock lock(mutex_);
        up_.clear();
        up_finished_ = false;
    }
    submit(std::move(request));
}

std::size_t FtpClient::available() const {
    std::scoped_lock lock(mutex_);
    return down_.size();
}

std::string FtpClient::take(std::size_t limit) {
    std::string out;
    {
        std::scoped_lock lock(mutex_);
        out = down_.substr(0, limit);
        down_.erase(0, out.size());
    }
    changed_.notify_all();
    return out;
}

void FtpClient::feed(std::string_view bytes) {
    {
        std::scoped_lock lock(mutex_);
        up_ += bytes;
    }
    changed_.notify_all();
}

void FtpClient::finish() {
    {
        std::scoped_lock lock(mutex_);
        up_finished_ = true;
    }
    changed_.notify_all();
}

std::size_t FtpClient::room() const {
    std::scoped_lock lock(mutex_);
    return up_.size() >= upload_buffer ? 0 : upload_buffer - up_.size();
}

void FtpClient::break_data() {
    {
        std::scoped_lock lock(mutex_);
        if (!running_) {
            return;
        }
        breaking_ = true;
        down_.clear();
        // An upload ends by having no more bytes.
        if (!uploading_) {
            cut_socket(data_fd_);
        }
    }
    wake_worker();
}

void FtpClient::abort() {
    {
        std::scoped_lock lock(mutex_);
        ++generation_;
        requests_.clear();
        down_.clear();
        up_.clear();
        aborting_ = running_;
        for (int fd : {data_fd_, control_fd_}) {
            if (fd >= 0) {
                shutdown(fd, SHUT_RDWR);
            }
        }
    }
    wake_worker();
}

bool FtpClient::busy() const {
    std::scoped_lock lock(mutex_);
    return running_ || !requests_.empty();
}

bool FtpClient::connected() const {
    std::scoped_lock lock(mutex_);
    if (control_fd_ < 0) {
        return false;
    }
    if (running_) {
        return true;
    }
    // Between two operations the server has nothing to say, except that it closes.
    pollfd state{control_fd_, POLLIN | POLLRDHUP, 0};
    return poll(&state, 1, 0) == 0;
}

void FtpClient::set_active(bool active, std::uint16_t data_port) {
    active_ = active;
    data_port_ = data_port;
}

FtpFaults FtpClient::faults() const {
    std::scoped_lock lock(mutex_);
    return faults_;
}

void FtpClient::set_faults(const FtpFaults& faults) {
    {
        std::scoped_lock lock(mutex_);
        faults_ = faults;
    }
    wake_worker();
}

void FtpClient::post(std::uint64_t generation, std::function<void()> action) {
    {
        std::scoped_lock lock(mutex_);
        posted_.push_back({generation, std::move(action)});
    }
    std::uint64_t one = 1;
    static_cast<void>(!write(event_fd_, &one, sizeof one));
}

void FtpClient::dispatch() {
    std::uint64_t count = 0;
    static_cast<void>(!read(event_fd_, &count, sizeof count));
    while (true) {
        Posted next;
        {
            std::scoped_lock lock(mutex_);
            if (posted_.empty()) {
                return;
            }
            next = std::move(posted_.front());
            posted_.pop_front();
            if (next.generation != 0 && next.generation != generation_) {
                continue;
            }
        }
        if (next.action) {
            next.action();
        }
    }
}

}  // namespace emulator
