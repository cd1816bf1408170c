// SPDX-License-Identifier: MIT
#include "fusefs/session.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include "fusefs/mount_point.hpp"
#include "fusefs/operations.hpp"
#include "modem/interrupt.hpp"

namespace fusefs {

using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

/// Requests handled before the event loop gets its turn again.
constexpr int most_requests = 64;
/// How long unmounting may take before the mount is taken for busy.
constexpr std::chrono::seconds patience{2};

struct SessionDeleter {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};

/// A value inside libfuse's comma-separated options.
std::string escape(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == ',' || c == '\\') {
            escaped += '\\';
        }
        escaped += c;
    }
    return escaped;
}

std::string mount_options(const config::Config& config) {
    std::string options = "subtype=modemftp,default_permissions,fsname=";
    options += escape(config.ftp.host.empty() ? "modemftp" : config.ftp.host);
    if (config.mount.allow_other) {
        options += ",allow_other";
    }
    if (config.mount.read_only) {
        options += ",ro";
    }
    return options;
}

}  // namespace

struct Session::Body {
    Body(Volume& volume, std::string mount_path)
        : mounted(std::make_shared<Mounted>(volume)), path(std::move(mount_path)) {}
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;
    ~Body() { std::free(buffer.mem); }

    Result<void> mount(const config::Config& config);
    void unmount_while_serving();
    void release_all();

    std::shared_ptr<Mounted> mounted;
    std::string path;
    std::unique_ptr<fuse_session, SessionDeleter> session;
    fuse_buf buffer{};
    bool is_mounted = false;
    bool busy = false;
};

Result<void> Session::Body::mount(const config::Config& config) {
    std::string program = "modemftpd";
    std::string flag = "-o";
    std::string options = mount_options(config);
    std::array<char*, 3> arguments{program.data(), flag.data(), options.data()};
    fuse_args args = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
    session.reset(fuse_session_new(&args, &operations(), sizeof(fuse_lowlevel_ops), mounted.get()));
    fuse_opt_free_args(&args);
    if (!session) {
        return fail(Errc::local_io, "libfuse refuses the mount options " + options);
    }
    errno = 0;
    if (fuse_session_mount(session.get(), path.c_str()) != 0) {
        const auto reason = errno;
        return fail(Errc::local_io,
                    fmt::format("cannot mount at {}{}{}: this needs /dev/fuse and either root or "
                                "fusermount3 (and user_allow_other in /etc/fuse.conf when "
                                "mount.allow-other is set)",
                                path, reason != 0 ? ": " : "",
                                reason != 0 ? std::system_category().message(reason) : ""));
    }
    is_mounted = true;
    const int fd = fuse_session_fd(session.get());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    return {};
}

Session::Session(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Session::~Session() {
    unmount();
}

Result<std::unique_ptr<Session>> Session::mount(Volume& volume, const config::Config& config) {
    CHECK(prepare_mount_point(config.mount.path));
    auto body = std::make_unique<Body>(volume, config.mount.path);
    CHECK(body->mount(config));
    return std::unique_ptr<Session>(new Session(std::move(body)));
}

int Session::fd() const {
    return fuse_session_fd(body_->session.get());
}

bool Session::process() {
    auto* const session = body_->session.get();
    for (int i = 0; i < most_requests && body_->is_mounted; ++i) {
        const int got = fuse_session_receive_buf(session, &body_->buffer);
        if (got == -EINTR) {
            continue;
        }
        if (got == -EAGAIN) {
            return true;
        }
        if (got <= 0) {
            return false;  // ENODEV: somebody unmounted it
        }
        fuse_session_process_buf(session, &body_->buffer);
        if (fuse_session_exited(session) != 0) {
            return false;
        }
    }
    return body_->is_mounted;
}

/// umount(2) makes the kernel send requests (what is dirty in the page cache of a mapped file) and
/// wait for them: it has to run beside the code that answers them.
void Session::Body::unmount_while_serving() {
    std::atomic<int> outcome{-1};
    const modem::Interrupt finished;
    std::thread unmounting([&] {
        outcome = unmount_path(path, false) ? 1 : 0;
        finished.raise();
    });
    const auto deadline = modem::Clock::now() + patience;
    while (outcome < 0) {
        std::array<pollfd, 2> fds{
            {{fuse_session_fd(session.get()), POLLIN, 0}, {finished.fd(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), 100);
        if ((fds[0].revents & POLLIN) != 0) {
            while (fuse_session_receive_buf(session.get(), &buffer) > 0) {
                fuse_session_process_buf(session.get(), &buffer);
            }
        }
        if (modem::Clock::now() >= deadline) {
            mounted->pending->fail_all(ENODEV);
        }
    }
    unmounting.join();
    busy = outcome == 0;
}

/// Handles whose RELEASE will not come any more: what they changed becomes durable all the same.
void Session::Body::release_all() {
    for (const auto& [number, handle] : mounted->files.take_all()) {
        mounted->volume.files().release(handle);
    }
    mounted->directories.take_all();
}

void Session::unmount() {
    Body& body = *body_;
    if (!body.is_mounted) {
        return;
    }
    body.mounted->pending->fail_all(ENODEV);
    body.unmount_while_serving();
    body.mounted->pending->fail_all(ENODEV);
    body.is_mounted = false;
    // Closes the descriptor, which ends every use of the mount, and unmounts lazily what is left.
    fuse_session_unmount(body.session.get());
    body.release_all();
}

bool Session::was_busy() const {
    return body_->busy;
}

}  // namespace fusefs
