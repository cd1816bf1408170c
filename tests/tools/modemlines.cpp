// SPDX-License-Identifier: MIT
// modemlines [--limit-baud] -- COMMAND...
//
// Runs COMMAND so that every tty it opens seems to have modem control lines, as a UART has and a
// pty has not: TIOCMGET, TIOCMSET, TIOCMBIS and TIOCMBIC are answered here (seccomp user
// notification; nothing is preloaded, so it works with sanitizers). DTR and RTS are what COMMAND
// sets; CTS, DSR and DCD are on. SIGUSR1 to this process drops DCD, SIGUSR2 raises it. With
// --limit-baud a tty silently stays at 115200 when more is asked for, as an 8250 does.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "modem/fd.hpp"
#include "tests/tools/modemlines_termios.hpp"

namespace {

using modem::Fd;
using modemlines::lines_after;
using modemlines::RequestKind;

[[noreturn]] void die(const char* what) {
    std::fprintf(stderr, "modemlines: %s: %s\n", what, std::strerror(errno));
    std::_Exit(125);
}

/// Every ioctl that modemlines::kind_of() knows goes to the listener, the rest to the kernel.
int install_filter() {
    std::array<sock_filter, 3 + 2 * modemlines::requests.size() + 1> program{};
    std::size_t size = 0;
    const auto add = [&](sock_filter instruction) { program.at(size++) = instruction; };
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0,
                 static_cast<unsigned char>(1 + 2 * modemlines::requests.size())));
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + sizeof(std::uint64_t)));
    for (const auto request : modemlines::requests) {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 1));
        add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
    }
    add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog filter{static_cast<unsigned short>(size), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        die("PR_SET_NO_NEW_PRIVS");
    }
    const long fd =
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (fd < 0) {
        die("seccomp");
    }
    return static_cast<int>(fd);
}

/// One descriptor over a socket pair, in either direction.
struct Parcel {
    char byte = 0;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec vector{&byte, 1};
    msghdr message{};
    Parcel() {
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
    }
};

void send_fd(int socket, int fd) {
    Parcel parcel;
    cmsghdr* const header = CMSG_FIRSTHDR(&parcel.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (::sendmsg(socket, &parcel.message, 0) < 0) {
        die("sendmsg");
    }
}

Fd receive_fd(int socket) {
    Parcel parcel;
    if (::recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC) <= 0) {
        die("the command could not be started");
    }
    const cmsghdr* const header = CMSG_FIRSTHDR(&parcel.message);
    if (header == nullptr) {
        die("no listener came");
    }
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return Fd(fd);
}

/// The memory of the process that asks.
bool peek(const seccomp_notif& ask, void* value, std::size_t size) {
    const iovec here{value, size};
    const iovec there{std::bit_cast<void*>(ask.data.args[2]), size};
    return ::process_vm_readv(static_cast<pid_t>(ask.pid), &here, 1, &there, 1, 0) ==
           static_cast<ssize_t>(size);
}
bool poke(const seccomp_notif& ask, void* value, std::size_t size) {
    const iovec here{value, size};
    const iovec there{std::bit_cast<void*>(ask.data.args[2]), size};
    return ::process_vm_writev(static_cast<pid_t>(ask.pid), &here, 1, &there, 1, 0) ==
           static_cast<ssize_t>(size);
}

class Supervisor {
public:
    Supervisor(Fd listener, bool limit_baud)
        : listener_(std::move(listener)), limit_baud_(limit_baud) {}

    [[nodiscard]] int fd() const { return listener_.get(); }
    void set_carrier(bool on) { lines_ = modemlines::with_carrier(lines_, on); }

    void answer_one() {
        seccomp_notif ask{};
        if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0) {
            return;  // whoever asked was killed meanwhile
        }
        seccomp_notif_resp response{};
        response.id = ask.id;
        const auto request = static_cast<unsigned>(ask.data.args[1]);
        if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &ask.id) == 0) {
            response.error = handle(ask, request, response.flags);
        }
        ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
    }

private:
    int handle(const seccomp_notif& ask, unsigned request, std::uint32_t& flags) {
        switch (modemlines::kind_of(request)) {
            case RequestKind::get_lines:
                return poke(ask, &lines_, sizeof lines_) ? 0 : -EFAULT;
            case RequestKind::change_lines: {
                int value = 0;
                if (!peek(ask, &value, sizeof value)) {
                    return -EFAULT;
                }
                lines_ = lines_after(lines_, request, value);
                return 0;
            }
            case RequestKind::set_termios:
            case RequestKind::set_termios2: {
                modemlines::Settings settings{};
                const auto size = modemlines::size_of(request);
                if (limit_baud_ && peek(ask, &settings, size)) {
                    modemlines::limit_baud(settings, request);
                    poke(ask, &settings, size);
                }
                flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
                return 0;
            }
        }
        return -ENOTTY;
    }

    Fd listener_;
    bool limit_baud_;
    int lines_ = modemlines::idle_lines;
};

int supervise(Supervisor& supervisor, const Fd& signals, pid_t child) {
    for (;;) {
        std::array<pollfd, 2> fds{{{supervisor.fd(), POLLIN, 0}, {signals.get(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
            die("poll");
        }
        if ((fds[0].revents & POLLIN) != 0) {
            supervisor.answer_one();
        }
        signalfd_siginfo signal{};
        if ((fds[1].revents & POLLIN) == 0 ||
            ::read(signals.get(), &signal, sizeof signal) != sizeof signal) {
            continue;
        }
        int status = 0;
        if (signal.ssi_signo == SIGUSR1 || signal.ssi_signo == SIGUSR2) {
            supervisor.set_carrier(signal.ssi_signo == SIGUSR2);
        } else if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT) {
            ::kill(child, static_cast<int>(signal.ssi_signo));
        } else if (::waitpid(child, &status, WNOHANG) == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    int at = 1;
    const bool limit_baud = at < argc && std::string_view(argv[at]) == "--limit-baud";
    at += limit_baud ? 1 : 0;
    if (at + 1 >= argc || std::string_view(argv[at]) != "--") {
        std::fprintf(stderr, "usage: modemlines [--limit-baud] -- COMMAND...\n");
        return 2;
    }
    sigset_t mask;
    sigset_t before;
    ::sigemptyset(&mask);
    for (const int signal : {SIGUSR1, SIGUSR2, SIGCHLD, SIGTERM, SIGINT}) {
        ::sigaddset(&mask, signal);
    }
    ::sigprocmask(SIG_BLOCK, &mask, &before);
    const Fd signals(::signalfd(-1, &mask, SFD_CLOEXEC));
    std::array<int, 2> sockets{};
    if (!signals || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) < 0) {
        die("socketpair");
    }
    const Fd ours(sockets[0]);
    Fd childs(sockets[1]);
    const pid_t child = ::fork();
    if (child < 0) {
        die("fork");
    }
    if (child == 0) {
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        const int listener = install_filter();
        send_fd(childs.get(), listener);
        ::close(listener);
        ::execvp(argv[at + 1], argv + at + 1);
        die(argv[at + 1]);
    }
    childs.reset();
    Supervisor supervisor(receive_fd(ours.get()), limit_baud);
    return supervise(supervisor, signals, child);
}
