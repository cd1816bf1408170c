// SPDX-License-Identifier: MIT
#include "modem/ftp/verdicts.hpp"

#include <utility>

namespace modem {
namespace {

constexpr milliseconds reason_delay{300};  // from a verdict of 0 to the reply that explains it
constexpr std::uint64_t longest_overheard = 8192;  // a flood must not hold us

}  // namespace

bool ends_command(const Error& error) {
    return error.number != 0 || error.code == Errc::refused || error.code == Errc::not_supported ||
           error.code == Errc::invalid_name;
}

Verdicts::Verdicts(Channel& channel, std::string_view dialogue,
                   std::function<Result<bool>()> session_stands)
    : channel_(channel), dialogue_(dialogue), session_stands_(std::move(session_stands)) {}

void Verdicts::begin(std::string_view prefix) {
    replies_.clear();
    order_.reset();
    prefix_ = prefix;
    owed_ = true;
}

void Verdicts::leave_in_order(bool session_stands) {
    owed_ = false;
    order_ = session_stands;
}

void Verdicts::hear(std::string_view line) {
    if (has_prefix(line, dialogue_)) {
        replies_.hear(parse_fields(line).rest);
    }
}

void Verdicts::hear_kept() {
    for (const std::string& line : channel_.take_lines()) {
        hear(line);
    }
}

Result<std::vector<std::string>> Verdicts::overheard() {
    const std::uint64_t limit = channel_.counters().bytes_received + longest_overheard;
    std::uint64_t before = 0;
    do {
        before = channel_.counters().bytes_received;
        CHECK(channel_.listen({Clock::now()}));
    } while (channel_.counters().bytes_received != before && before < limit);
    return channel_.take_lines();
}

tl::unexpected<Error> Verdicts::failed(Error error) {
    hear_kept();
    if (ends_command(error)) {
        owed_ = false;
        if (error.code == Errc::refused) {
            return explained(std::move(error));
        }
    }
    return fail(std::move(error));
}

// A refusal without a reason: the server's, or that of a session which is no longer there.
tl::unexpected<Error> Verdicts::explained(Error error) {
    if (const auto& refusal = replies_.refusal()) {
        return fail(*refusal);
    }
    if (const auto stands = session_stands_(); stands && !*stands) {
        return fail(Errc::session_lost,
                    "the connection to the FTP server is closed: " + error.what);
    }
    return fail(std::move(error));
}

tl::unexpected<Error> Verdicts::operation_failed(std::string_view prefix) {
    owed_ = false;
    if (!channel_.ok_seen()) {
        (void)channel_.expect_ok(reason_delay);  // or ERROR: either ends the command
    }
    hear_kept();
    while (!replies_.refusal()) {
        auto event = channel_.next(reason_delay);
        if (!event) {
            break;
        }
        hear(event->text);
    }
    return explained(
        {Errc::refused, 0, "AT" + std::string(prefix) + ": operation failed, and nobody says why"});
}

Result<Fields> Verdicts::ask(const Command& command, std::string_view prefix) {
    begin(prefix);
    auto answer = channel_.exchange(command, prefix);
    if (!answer) {
        return failed(std::move(answer).error());
    }
    owed_ = false;
    hear_kept();
    if (answer->number(0).value_or(0) == 0) {
        return operation_failed(prefix);
    }
    return answer;
}

Result<Fields> Verdicts::expect(std::string_view prefix) {
    auto answer = channel_.expect(prefix, channel_.default_timeout());
    if (!answer) {
        return failed(std::move(answer).error());
    }
    return answer;
}

Result<bool> Verdicts::offer(const Command& command) {
    auto answer = channel_.command(command);
    if (answer) {
        return true;
    }
    if (ends_command(answer.error())) {
        return false;
    }
    return fail(std::move(answer).error());
}

}  // namespace modem
