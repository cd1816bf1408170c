// SPDX-License-Identifier: MIT
#include "tests/modem/queue/fake_modem.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "modem/line/fd_stream.hpp"

namespace modem {
namespace {

constexpr std::size_t chunk = 256;

bool starts(const std::string& text, const char* prefix) {
    return text.starts_with(prefix);
}

}  // namespace

FakeModem::FakeModem() : thread_([this] { serve(); }) {}

FakeModem::~FakeModem() {
    stop_ = true;
    changed_.raise();
    thread_.join();
}

Result<std::unique_ptr<ByteStream>> FakeModem::connect() {
    if (absent) {
        return fail(Errc::line_lost, "/dev/fake is absent");
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return fail(Errc::line_lost, "no socket pair");
    }
    {
        const std::lock_guard lock(mutex_);
        fd_ = Fd(ends[0]);
    }
    changed_.raise();
    return std::unique_ptr<ByteStream>(
        std::make_unique<FdStream>(Fd(ends[1]), "/dev/fake", "/dev/fake 115200 8N1"));
}

void FakeModem::set_hook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
}

void FakeModem::set_listing(std::vector<std::string> lines) {
    const std::lock_guard lock(mutex_);
    listing_ = std::move(lines);
}

void FakeModem::set_content(std::string content) {
    const std::lock_guard lock(mutex_);
    content_ = std::move(content);
}

std::string FakeModem::stored() const {
    const std::lock_guard lock(mutex_);
    return stored_;
}

void FakeModem::say(const std::string& text) {
    const std::lock_guard lock(mutex_);
    send("\r\n" + text + "\r\n");
}

void FakeModem::hang_up() {
    const std::lock_guard lock(mutex_);
    fd_.reset();
    changed_.raise();
}

std::vector<std::string> FakeModem::commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
}

std::size_t FakeModem::count(const std::string& prefix) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(commands_.begin(), commands_.end(),
                      [&](const std::string& line) { return line.starts_with(prefix); }));
}

void FakeModem::forget_commands() {
    const std::lock_guard lock(mutex_);
    commands_.clear();
}

void FakeModem::send(const std::string& text) {
    if (fd_) {
        (void)!::write(fd_.get(), text.data(), text.size());
    }
}

void FakeModem::serve() {
    std::string line;
    while (!stop_) {
        int fd = -1;
        {
            const std::lock_guard lock(mutex_);
            fd = fd_.get();
        }
        std::array<pollfd, 2> polls{pollfd{changed_.fd(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
        ::poll(polls.data(), polls.size(), -1);
        if (polls[0].revents != 0) {
            changed_.clear();
            line.clear();
            continue;
        }
        const std::lock_guard lock(mutex_);
        std::array<char, 1024> buffer{};
        const ssize_t got = fd_ ? ::read(fd_.get(), buffer.data(), buffer.size()) : 0;
        if (got <= 0) {
            fd_.reset();
            continue;
        }
        for (const char byte : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
            if (byte == '\r') {
                received(std::exchange(line, {}));
            } else {
                line += byte;
            }
        }
    }
}

void FakeModem::received(const std::string& line) {
    commands_.push_back(line);
    if (silent) {
        return;
    }
    auto special = hook_ ? hook_(line) : std::nullopt;
    send(special ? *special : answer(line));
}

std::string FakeModem::answer(const std::string& line) {
    const std::string ok = "\r\nOK\r\n";
    if (starts(line, "AT+CPIN?")) {
        return "\r\n+CPIN: READY\r\n" + ok;
    }
    if (starts(line, "ATI")) {
        return "\r\nFAKE M1\r\n" + ok;
    }
    if (starts(line, "AT+CEREG?")) {
        return "\r\n+CREG: 0,1\r\n" + ok;
    }
    if (starts(line, "AT+CSQ")) {
        return "\r\n+CSQ: 21,99\r\n" + ok;
    }
    if (starts(line, "AT+COPS?")) {
        return "\r\n+COPS: 0,0,\"Testnet\",7\r\n" + ok;
    }
    if (starts(line, "AT+UP")) {
        return "\r\n+UP: 10.1.2.3\r\n" + ok;
    }
    if (starts(line, "AT+LIST")) {
        std::string text;
        for (const std::string& entry : listing_) {
            text += "\r\n+LIST: " + entry + "\r\n";
        }
        return text + ok;
    }
    if (starts(line, "AT+SIZE")) {
        return "\r\n+SIZE: " + std::to_string(stored_.size()) + "\r\n" + ok;
    }
    if (starts(line, "AT+READ=")) {
        return read_answer(line.substr(8));
    }
    if (starts(line, "AT+WRITE=")) {
        const std::size_t comma = line.find(',');
        stored_.resize(std::strtoul(line.c_str() + 9, nullptr, 10));
        stored_ += line.substr(comma + 2, line.size() - comma - 3);
    }
    return ok;
}

std::string FakeModem::read_answer(const std::string& arguments) {
    const std::size_t offset = std::strtoul(arguments.c_str(), nullptr, 10);
    const std::string part = offset < content_.size() ? content_.substr(offset, chunk) : "";
    return "\r\n+READ: " + std::to_string(part.size()) + "\r\n" + part + "\r\nOK\r\n";
}

namespace {

constexpr Capabilities fake_abilities{
    .list = true,
    .list_hidden_option = true,
    .size = true,
    .retrieve_offset = true,
    .store = true,
    .store_offset = true,
    .remove = true,
    .make_directory = true,
    .retrieve_paced = true,
    .store_paced = true,
    .break_off_paced = true,
    .max_name = 20,
    .max_path = 40,
};

class FakeDialect final : public Dialect {
public:
    using Dialect::Dialect;

    [[nodiscard]] const Capabilities& capabilities() const override { return fake_abilities; }
    [[nodiscard]] std::span<const ErrorCode> error_codes() const override { return {}; }

    Result<std::string> open_bearer(const Bearer& bearer) override {
        TRY(const Fields up, channel().exchange(Command("AT+UP").quoted(bearer.apn), "+UP"));
        return up.rest;
    }
    Result<void> close_bearer() override { return say("AT+DOWN"); }
    Result<void> log_in(const Server& server) override {
        const auto opened = channel().command(
            Command("AT+OPEN").quoted(server.host).quoted(server.user).secret(server.password));
        if (!opened && opened.error().number == 530) {
            return fail(Errc::login_refused, "the server said: 530 Login incorrect.", 530);
        }
        CHECK(opened);
        return {};
    }
    Result<void> log_out() override { return say("AT+CLOSE"); }

    Result<void> list(const RemotePath& directory, ListOptions options,
                      const TextConsumer& text) override {
        TRY(const auto lines,
            channel().command(
                Command(options.hidden ? "AT+LISTA" : "AT+LIST").quoted(directory.text())));
        for (const std::string& line : lines) {
            if (has_prefix(line, "+LIST")) {
                CHECK(text(parse_fields(line).rest + "\r\n"));
            }
        }
        return {};
    }
    Result<Stat> stat(const RemotePath& file) override {
        TRY(const Fields size, channel().exchange(Command("AT+SIZE").quoted(file.text()), "+SIZE"));
        return Stat{.size = static_cast<std::uint64_t>(size.number(0).value_or(0))};
    }
    Result<void> retrieve(const RemotePath& /*file*/, Transfer& transfer) override {
        while (true) {
            CHECK(transfer.checkpoint(milliseconds(60'000)));
            CHECK(channel().send(Command("AT+READ").number(transfer.start() + transfer.moved())));
            TRY(const Fields head, channel().expect("+READ", milliseconds(5000)));
            const auto length = static_cast<std::uint64_t>(head.number(0).value_or(0));
            CHECK(channel().read_raw(
                length, [&](std::span<const char> bytes) { return transfer.deliver(bytes); },
                milliseconds(5000)));
            CHECK(channel().expect_ok(milliseconds(5000)));
            if (length == 0) {
                return {};
            }
        }
    }
    Result<std::optional<std::uint64_t>> store(const RemotePath& /*file*/,
                                               Transfer& transfer) override {
        while (true) {
            CHECK(transfer.checkpoint(milliseconds(60'000)));
            const std::uint64_t at = transfer.start() + transfer.moved();
            TRY(const auto bytes, transfer.fetch(chunk));
            if (bytes.empty()) {
                CHECK(say("AT+COMMIT"));
                return std::optional<std::uint64_t>(transfer.moved());
            }
            CHECK(channel().command(Command("AT+WRITE")
                                        .number(at)
                                        .quoted(std::string_view(bytes.data(), bytes.size()))));
        }
    }
    Result<void> remove(const RemotePath& file) override {
        CHECK(channel().command(Command("AT+REMOVE").quoted(file.text())));
        return {};
    }
    Result<void> make_directory(const RemotePath& directory) override {
        CHECK(channel().command(Command("AT+MKD").quoted(directory.text())));
        return {};
    }

    [[nodiscard]] UrcMeaning urc(std::string_view line) const override {
        if (line == "+LOST") {
            return UrcMeaning::session_lost;
        }
        if (line == "+DROP") {
            return UrcMeaning::bearer_lost;
        }
        return line == "RDY" ? UrcMeaning::restarted : UrcMeaning::unknown;
    }
    Result<bool> recover() override {
        CHECK(channel().command("AT+ABORT", milliseconds(300)));
        return true;
    }

private:
    Result<void> say(const char* command) {
        CHECK(channel().command(command));
        return {};
    }
};

}  // namespace

DialectEntry fake_family() {
    return {
        .name = "fake",
        .matches =
            [](const Identity& identity) { return identity.ati.find("FAKE") != std::string::npos; },
        .probe_command = "AT+READ=?",
        .make = [](Channel& channel, const config::Config&) -> std::unique_ptr<Dialect> {
            return std::make_unique<FakeDialect>(channel);
        }};
}

}  // namespace modem
