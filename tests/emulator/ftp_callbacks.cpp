// SPDX-License-Identifier: MIT
// What libcurl calls while an FTP operation runs: the control dialogue, the data, the sockets.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "tests/emulator/ftp_worker.hpp"
#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

using std::chrono::milliseconds;

/// A data connection that takes in no more than a module would: what TCP has buffered for us was
/// sent over the air, and is not seen by any counter.
constexpr int receive_buffer = 32768;

bool same_endpoint(const sockaddr_storage& a, const sockaddr* b) {
    if (a.ss_family != b->sa_family) {
        return false;
    }
    if (a.ss_family == AF_INET) {
        const auto& left = reinterpret_cast<const sockaddr_in&>(a);
        const auto& right = *reinterpret_cast<const sockaddr_in*>(b);
        return left.sin_port == right.sin_port && left.sin_addr.s_addr == right.sin_addr.s_addr;
    }
    const auto& left = reinterpret_cast<const sockaddr_in6&>(a);
    const auto& right = *reinterpret_cast<const sockaddr_in6*>(b);
    return left.sin6_port == right.sin6_port &&
           std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof left.sin6_addr) == 0;
}

/// Whether `line` ends the reply that began with `first` (RFC 959, 4.2): lines in between may look
/// like anything.
bool final_reply(std::string_view first, std::string_view line) {
    auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
    return line.size() >= 3 && digit(0) && digit(1) && digit(2) &&
           (line.size() == 3 || line[3] == ' ') && first.substr(0, 3) == line.substr(0, 3);
}

std::string_view without_line_end(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    return line;
}

}  // namespace

void cut_socket(int fd) {
    int pair[2];
    if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return;
    }
    linger reset{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    dup3(pair[0], fd, O_CLOEXEC);
    close(pair[0]);
    close(pair[1]);
}

void FtpWorker::trace(FtpTrace::Kind kind, std::string text) {
    owner_.post(0, [&owner = owner_, entry = FtpTrace{kind, std::move(text)}] {
        if (owner.on_trace) {
            owner.on_trace(entry);
        }
    });
}

bool FtpWorker::pause(milliseconds time) {
    std::unique_lock lock(owner_.mutex_);
    owner_.changed_.wait_for(lock, time, [this] { return owner_.aborting_; });
    auto limit = std::chrono::steady_clock::now() + owner_.settings_.patience;
    while (owner_.faults_.black_hole && !owner_.aborting_) {
        if (deaf_ || owner_.changed_.wait_until(lock, limit) == std::cv_status::timeout) {
            deaf_ = true;
            return false;
        }
    }
    return !owner_.aborting_;
}

void FtpWorker::charge_round_trip() {
    static_cast<void>(pause(owner_.settings_.rtt));
}

void FtpWorker::said(std::string_view line) {
    auto text = std::string(without_line_end(line));
    reply_lines_.clear();
    reply_ = {};
    auto verb = verb_of(text);
    if (verb == "PASS") {
        text = "PASS ***";
    } else if (verb == "TYPE") {
        binary_ = text.ends_with(" I");
    }
    trace(FtpTrace::Kind::command, text);
    charge_round_trip();
}

void FtpWorker::heard(std::string_view line) {
    auto text = std::string(without_line_end(line));
    if (deaf_) {
        return;
    }
    trace(FtpTrace::Kind::reply, text);
    reply_lines_ += (reply_lines_.empty() ? "" : "\r\n") + text;
    if (!final_reply(reply_lines_, text)) {
        return;
    }
    reply_.code = static_cast<int>(number(text.substr(0, 3)).value_or(0));
    reply_.text = std::exchange(reply_lines_, {});
    if (logging_in_ && !greeted_ && reply_.code < 300 && request_->event) {
        owner_.post(request_->generation, request_->event);
    }
    greeted_ = true;
}

int FtpWorker::debug(CURL* /*easy*/, curl_infotype type, char* data, std::size_t size, void* self) {
    auto& worker = *static_cast<FtpWorker*>(self);
    if (type == CURLINFO_HEADER_OUT) {
        worker.said({data, size});
    } else if (type == CURLINFO_HEADER_IN) {
        worker.heard({data, size});
    }
    return 0;
}

std::size_t FtpWorker::write_function(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<FtpWorker*>(self)->write_down(data, size * count);
}

std::size_t FtpWorker::read_function(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<FtpWorker*>(self)->read_up(data, size * count);
}

curl_socket_t FtpWorker::open_function(void* self, curlsocktype /*purpose*/,
                                       curl_sockaddr* address) {
    return static_cast<FtpWorker*>(self)->open_socket(address);
}

int FtpWorker::close_function(void* self, curl_socket_t fd) {
    return static_cast<FtpWorker*>(self)->close_socket(fd);
}

int FtpWorker::option_function(void* self, curl_socket_t fd, curlsocktype purpose) {
    if (purpose == CURLSOCKTYPE_ACCEPT) {
        static_cast<FtpWorker*>(self)->accepted(fd);
    }
    return CURL_SOCKOPT_OK;
}

/// Blocks while the module's buffer is full: TCP then holds the server, as it would the real one.
std::size_t FtpWorker::write_down(const char* data, std::size_t size) {
    std::string_view left(data, size);
    std::string listing;
    if (request_->kind == Kind::list) {
        // A listing is sent in TYPE A, with CR LF, of which libcurl has made LF.
        for (char c : left) {
            listing += c == '\n' ? "\r\n" : std::string(1, c);
        }
        left = listing;
    }
    if (!pause(milliseconds(0))) {
        return 0;
    }
    while (!left.empty() && !cut_) {
        std::unique_lock lock(owner_.mutex_);
        owner_.changed_.wait(lock, [this] {
            return owner_.down_.size() < owner_.capacity_ || owner_.aborting_ || owner_.breaking_;
        });
        if (owner_.aborting_) {
            return 0;
        }
        if (owner_.breaking_) {
            return size;
        }
        auto count = std::min(left.size(), owner_.capacity_ - owner_.down_.size());
        auto cut_at = owner_.faults_.break_data_at;
        if (cut_at >= 0 && moved_ + count >= static_cast<std::uint64_t>(cut_at)) {
            count = static_cast<std::uint64_t>(cut_at) > moved_
                        ? static_cast<std::size_t>(static_cast<std::uint64_t>(cut_at) - moved_)
                        : 0;
            cut_ = true;
            owner_.faults_.break_data_at = -1;
            cut_socket(owner_.data_fd_);
        }
        owner_.down_ += left.substr(0, count);
        left.remove_prefix(count);
        moved_ += count;
        owner_.payload_down_ += count;
        lock.unlock();
        owner_.post(0, {});
    }
    return size;
}

/// Blocks until the host has sent something.
std::size_t FtpWorker::read_up(char* data, std::size_t size) {
    if (!ready_told_) {
        ready_told_ = true;
        owner_.post(request_->generation, request_->event);
    }
    if (!pause(milliseconds(0))) {
        return CURL_READFUNC_ABORT;
    }
    std::unique_lock lock(owner_.mutex_);
    owner_.changed_.wait(lock, [this] {
        return !owner_.up_.empty() || owner_.up_finished_ || owner_.aborting_ || owner_.breaking_;
    });
    if (owner_.aborting_) {
        return CURL_READFUNC_ABORT;
    }
    auto count = owner_.breaking_ || cut_ ? 0 : std::min(size, owner_.up_.size());
    auto cut_at = owner_.faults_.break_data_at;
    if (cut_at >= 0 && moved_ + count >= static_cast<std::uint64_t>(cut_at)) {
        count = static_cast<std::size_t>(static_cast<std::uint64_t>(cut_at) - moved_);
        cut_ = true;
        owner_.faults_.break_data_at = -1;
    }
    std::memcpy(data, owner_.up_.data(), count);
    owner_.up_.erase(0, count);
    moved_ += count;
    owner_.payload_up_ += count;
    lock.unlock();
    owner_.post(0, {});
    if (count == 0) {
        // The last bytes travel to the server, and its 226 back.
        charge_round_trip();
    }
    return count;
}

curl_socket_t FtpWorker::open_socket(curl_sockaddr* address) {
    bool control = logging_in_ && !greeted_;
    if (control) {
        std::memcpy(&control_peer_, &address->addr,
                    std::min<std::size_t>(address->addrlen, sizeof control_peer_));
    } else if (same_endpoint(control_peer_, &address->addr)) {
        // libcurl has found the session dead and would log in again, silently.
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    if (!control) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    charge_round_trip();
    std::scoped_lock lock(owner_.mutex_);
    (control ? owner_.control_fd_ : owner_.data_fd_) = fd;
    return fd;
}

void FtpWorker::accepted(curl_socket_t fd) {
    std::scoped_lock lock(owner_.mutex_);
    owner_.data_fd_ = fd;
}

int FtpWorker::close_socket(curl_socket_t fd) {
    {
        std::scoped_lock lock(owner_.mutex_);
        if (fd == owner_.control_fd_) {
            owner_.control_fd_ = -1;
        }
        if (fd == owner_.data_fd_) {
            owner_.data_fd_ = -1;
        }
    }
    return close(fd);
}

}  // namespace emulator
