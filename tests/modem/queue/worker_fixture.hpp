// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modem/line/byte_stream.hpp"
#include "modem/worker.hpp"
#include "tests/modem/queue/fake_modem.hpp"
#include "tests/modem/queue/main_thread.hpp"

namespace modem {

/// A worker on a line to a FakeModem, with the test as its main thread.
class WorkerTest : public testing::Test {
protected:
    struct Asked {
        JobQueue::Ticket ticket = 0;
        std::optional<Result<Answer>> answer;
        [[nodiscard]] bool done() const { return answer.has_value(); }
        [[nodiscard]] bool ok() const { return answer && answer->has_value(); }
        [[nodiscard]] Errc code() const {
            return answer && !*answer ? answer->error().code : Errc{-1};
        }
        [[nodiscard]] std::string what() const {
            return answer && !*answer ? answer->error().what : "";
        }
    };

    WorkerTest() {
        config.ftp.host = "192.0.2.1";
        config.ftp.user = "gateway";
        config.link.command_timeout = milliseconds(1500);
        secrets.ftp_password = "geheim";
        modem.set_listing(
            {"drwxr-xr-x 2 a b 40 May  2 10:00 .", "-rw-r--r-- 1 a b 9 May  2 10:00 one"});
    }
    ~WorkerTest() override {
        queue.close();
        worker.reset();
        main.run();
    }

    static WorkerTiming brief() {
        WorkerTiming timing;
        timing.slice = milliseconds(50);
        timing.sync_answer = milliseconds(100);
        timing.guard = milliseconds(20);
        timing.boot = milliseconds(5000);
        timing.reopen = milliseconds(20);
        timing.sim = milliseconds(500);
        timing.poll_first = milliseconds(10);
        timing.poll_most = milliseconds(50);
        timing.registration = milliseconds(1000);
        timing.back_off_first = milliseconds(10);
        timing.back_off_most = milliseconds(50);
        timing.goodbye = milliseconds(500);
        return timing;
    }

    void start(std::optional<bool> hidden_listing = true) {
        WorkerSeams seams;
        seams.families = families;
        seams.open_line = [this](const config::Line&, const Interrupt&) { return modem.connect(); };
        seams.await_device = [](const config::Line&, Wait) { return Result<void>(); };
        seams.timing = timing;
        WorkerEvents events;
        events.status = [this](const LinkStatus& status) {
            if (states.empty() || states.back() != status.state) {
                states.push_back(status.state);
            }
            if (!status.recovering.empty()) {
                rungs.push_back(status.recovering);
            }
        };
        events.log = [this](int, const std::string& line) { logged.push_back(line); };
        events.power_cycle = [this] { ++power_cycles; };
        worker = std::make_unique<Worker>(config, secrets, queue, main.post(), std::move(events),
                                          hidden_listing, std::move(seams));
        worker->start();
    }

    std::shared_ptr<Asked> submit(Request request, Priority priority = Priority::metadata) {
        auto asked = std::make_shared<Asked>();
        asked->ticket = queue.submit(std::move(request), priority, [asked](Result<Answer> answer) {
            EXPECT_FALSE(asked->answer.has_value());
            asked->answer = std::move(answer);
        });
        return asked;
    }
    std::shared_ptr<Asked> list(const char* directory = "/d") {
        return submit(ListRequest{RemotePath::parse(directory).value()});
    }
    std::shared_ptr<Asked> remove(const char* file = "/f") {
        return submit(RemoveRequest{RemotePath::parse(file).value()});
    }
    bool until(const std::function<bool()>& condition) { return main.run_until(condition); }
    bool until_done(const std::shared_ptr<Asked>& asked) {
        return until([&] { return asked->done(); });
    }
    bool until_state(LinkState state) {
        return until([&] { return worker->status().state == state; });
    }

    config::Config config;
    Secrets secrets;
    WorkerTiming timing = brief();
    std::array<DialectEntry, 1> families{fake_family()};
    FakeModem modem;
    MainThread main;
    JobQueue queue{main.post()};
    std::vector<LinkState> states;
    std::vector<std::string> rungs;
    std::vector<std::string> logged;
    int power_cycles = 0;
    std::unique_ptr<Worker> worker;
};

/// Keeps what it is given, and asks for as much as it is told to.
class MemorySink : public Sink {
public:
    Result<void> write(std::uint64_t offset, std::span<const char> bytes) override {
        const std::lock_guard lock(mutex_);
        EXPECT_EQ(offset, bytes_.size());
        bytes_.append(bytes.begin(), bytes.end());
        return {};
    }
    [[nodiscard]] Demand demand() const override {
        const std::lock_guard lock(mutex_);
        if (stop_) {
            return Demand::stop;
        }
        return bytes_.size() < limit_ ? Demand::more : Demand::pause;
    }
    void set_limit(std::size_t limit) {
        const std::lock_guard lock(mutex_);
        limit_ = limit;
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    [[nodiscard]] std::string bytes() const {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    mutable std::mutex mutex_;
    std::string bytes_;
    std::size_t limit_ = SIZE_MAX;
    bool stop_ = false;
};

class MemorySource : public Source {
public:
    explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
        const std::size_t left = offset < bytes_.size() ? bytes_.size() - offset : 0;
        const std::size_t size = std::min(left, into.size());
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
        return size;
    }

private:
    std::string bytes_;
};

}  // namespace modem
