// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace emulator {

/// How an FTP operation ended.
struct FtpResult {
    enum class Cause {
        none,     ///< it worked
        dns,      ///< the server's name has no address
        connect,  ///< no TCP connection
        refused,  ///< the server said no; `code` and `text` are its words
        data,     ///< the data connection failed or broke
        lost,     ///< the control connection is gone
        aborted,  ///< by us
    };
    Cause cause = Cause::none;
    int code = 0;      ///< the last reply's
    std::string text;  ///< the last reply, all its lines, without line ends at the end
    [[nodiscard]] bool ok() const { return cause == Cause::none; }
};

/// A line that went over the control connection (PASS masked), or a remark.
struct FtpTrace {
    enum class Kind { command, reply, remark };
    Kind kind;
    std::string text;
};

/// What to break, as if the network or the server did it. Main thread sets, worker uses up.
struct FtpFaults {
    struct Reply {
        int code;
        std::string command;  ///< FTP verb, or empty: any
        std::uint64_t count;
    };
    std::uint64_t dns = 0;      ///< so many logins fail to resolve
    std::uint64_t connect = 0;  ///< so many logins fail to connect
    std::deque<Reply> replies;
    /// Cut the data connection of the next transfer that gets so far; negative: not armed.
    std::int64_t break_data_at = -1;
    /// The network takes everything and answers nothing.
    bool black_hole = false;
};

/// The FTP client of the emulated module: one control connection, one operation at a time, the
/// rest queued. A thread of its own runs libcurl; every callback is called by dispatch() on the
/// main thread. Any family finds what it needs here, in the terms of RFC 959.
class FtpClient {
public:
    struct Settings {
        std::string server;               ///< "host:port" that replaces any host; empty: as asked
        std::chrono::milliseconds rtt{};  ///< charged for each round trip
        /// How long the module waits for a server that says nothing.
        std::chrono::seconds patience{75};
    };
    struct Login {
        std::string host;
        std::uint16_t port = 21;
        std::string user;
        std::string password;
        std::string account;
        std::uint16_t source_port = 0;
        bool tls = false;  ///< AUTH TLS, PROT P
    };
    struct Transfer {
        std::string path;
        std::uint64_t offset = 0;  ///< sent literally as REST; 0: none
        bool ascii = false;
        bool append = false;  ///< APPE instead of STOR
        /// How much may wait for take() before TCP holds the server.
        std::size_t capacity = 16384;
    };
    using Done = std::function<void(const FtpResult&)>;
    using Event = std::function<void()>;

    explicit FtpClient(const Settings& settings);
    FtpClient(const FtpClient&) = delete;
    FtpClient& operator=(const FtpClient&) = delete;
    ~FtpClient();

    /// `connected` is called once the server has greeted, before `done`; may be empty.
    void login(const Login& login, Event connected, Done done);
    /// QUIT.
    void logout(Done done);
    /// One command without a data connection, exactly these bytes; its reply is the result.
    void command(std::string line, Done done);
    void rename(const std::string& from, const std::string& to, Done done);
    /// SIZE in TYPE I, as servers want it; the reply's text is "213 N".
    void size(const std::string& path, Done done);
    /// LIST, with the argument as it is; its bytes come by take().
    void list(const std::string& argument, Done done);
    /// RETR; `done` comes when the server has spoken; what is not taken yet stays for take().
    void retrieve(const Transfer& transfer, Done done);
    /// STOR or APPE; `ready` is called when the server waits for data; then feed() and finish().
    void store(const Transfer& transfer, Event ready, Done done);

    [[nodiscard]] std::size_t available() const;
    std::string take(std::size_t limit);
    void feed(std::string_view bytes);
    void finish();
    /// How much feed() should bring at most to keep little in flight.
    [[nodiscard]] std::size_t room() const;

    /// Ends the running transfer by closing its data connection. The session stays; `done`
    /// reports what the server said.
    void break_data();
    /// Everything ends now, the control connection too, without QUIT (a module that loses power
    /// or its bearer says nothing). No callback of what was queued or running will come.
    void abort();

    [[nodiscard]] bool busy() const;
    /// A control connection is there and the server has not closed it.
    [[nodiscard]] bool connected() const;
    void set_active(bool active, std::uint16_t data_port = 0);

    /// For the main loop: readable when dispatch() has something to do.
    [[nodiscard]] int event_fd() const { return event_fd_; }
    void dispatch();
    std::function<void(const FtpTrace&)> on_trace;

    FtpFaults faults() const;
    void set_faults(const FtpFaults& faults);

    [[nodiscard]] std::uint64_t payload_down() const { return payload_down_; }
    [[nodiscard]] std::uint64_t payload_up() const { return payload_up_; }

private:
    friend class FtpWorker;
    enum class Kind { login, logout, command, rename, size, list, retrieve, store };
    struct Request {
        Kind kind{};
        std::uint64_t generation = 0;
        Login login;
        std::string first;
        std::string second;
        Transfer transfer;
        Event event;
        Done done;
        bool active = false;
        std::uint16_t data_port = 0;
    };
    struct Posted {
        std::uint64_t generation = 0;  ///< 0: whatever happens
        std::function<void()> action;
    };

    void submit(Request request);
    void post(std::uint64_t generation, std::function<void()> action);
    void wake_worker();

    Settings settings_;
    int event_fd_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    std::deque<Request> requests_;
    std::deque<Posted> posted_;
    std::string down_;
    std::size_t capacity_ = 0;
    std::string up_;
    bool up_finished_ = false;
    bool breaking_ = false;
    bool aborting_ = false;
    bool stopping_ = false;
    bool running_ = false;
    bool uploading_ = false;
    std::uint64_t generation_ = 1;
    int control_fd_ = -1;
    int data_fd_ = -1;
    FtpFaults faults_;
    void* multi_ = nullptr;  ///< CURLM, for waking the worker
    // End of what mutex_ guards.
    bool active_ = false;
    std::uint16_t data_port_ = 0;
    std::atomic<std::uint64_t> payload_down_{0};
    std::atomic<std::uint64_t> payload_up_{0};
    std::thread thread_;
};

}  // namespace emulator
