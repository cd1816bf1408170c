// SPDX-License-Identifier: MIT
#include "modem/at/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "modem/at/final_result.hpp"

namespace modem {

namespace {

using Kind = Event::Kind;

constexpr std::size_t echoes_kept = 8;
constexpr std::size_t secrets_kept = 16;
constexpr std::size_t kept_limit = 262144;  ///< bytes of lines nobody asked for
constexpr int most_stale_reads = 64;        ///< before a command: a flood must not hold it
constexpr std::size_t least_echo = 6;       ///< shorter commands are only recognised as whole lines

}  // namespace

Channel::Channel(ByteStream& stream, Trace& trace, LineCounters& counters)
    : stream_(stream), trace_(trace), counters_(counters), input_(stream) {}

// ---- commands -------------------------------------------------------------------------------

Result<void> Channel::send(const Command& command) {
    TRY(const auto text, command.text());
    CHECK(forget_unclaimed());
    CHECK(leave_gap());
    ok_seen_ = kept_overflowed_ = false;
    asked_ = command.masked();
    const auto name = command.counter_name();
    name_ =
        name.size() > 3 && !std::isalnum(static_cast<unsigned char>(name[2])) ? name.substr(2) : "";
    echoes_.emplace_back(text);
    if (echoes_.size() > echoes_kept) {
        echoes_.pop_front();
    }
    for (const auto& secret : command.secrets()) {
        if (std::find(secrets_.begin(), secrets_.end(), secret) == secrets_.end()) {
            secrets_.push_back(secret);
        }
    }
    if (secrets_.size() > secrets_kept) {
        secrets_.erase(secrets_.begin());
    }
    ++counters_.commands;
    {
        const std::lock_guard lock(names_mutex_);
        ++names_[std::string(name)];
    }
    trace_.host(command.masked());
    const std::string line = std::string(text) + '\r';
    if (auto written = write_all(line, default_timeout_); !written) {
        return fail(explain(std::move(written).error(), "room to send", default_timeout_));
    }
    return {};
}

Result<std::vector<std::string>> Channel::command(const Command& command) {
    return this->command(command, default_timeout_);
}

Result<std::vector<std::string>> Channel::command(const Command& command, milliseconds timeout) {
    CHECK(send(command));
    CHECK(expect_ok(timeout));
    if (kept_overflowed_) {
        return fail(of_command({Errc::too_large, 0, "the answer is longer than 256 KiB"}));
    }
    return take_lines();
}

Result<Fields> Channel::exchange(const Command& command, std::string_view prefix) {
    return exchange(command, prefix, default_timeout_);
}

Result<Fields> Channel::exchange(const Command& command, std::string_view prefix,
                                 milliseconds timeout) {
    CHECK(send(command));
    const auto end = Clock::now() + timeout;
    TRY(auto verdict, expect(prefix, timeout));
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    CHECK(expect_ok(std::max(left, milliseconds(0))));
    return verdict;
}

// ---- events ---------------------------------------------------------------------------------

Result<Event> Channel::next(milliseconds timeout) {
    auto wait = waiting(timeout);
    auto event = wait_event({}, wait);
    if (!event) {
        return fail(explain(std::move(event).error(), "answer", timeout));
    }
    return event;
}

Result<Fields> Channel::expect(std::string_view prefix, milliseconds timeout) {
    if (auto fields = take_kept(prefix)) {
        return *std::move(fields);
    }
    for (auto wait = waiting(timeout);;) {
        auto event = wait_event({.prefix = prefix}, wait);
        if (!event) {
            return fail(explain(std::move(event).error(), prefix, timeout));
        }
        if (event->kind == Kind::line && has_prefix(event->text, prefix)) {
            progressed();
            return parse_fields(event->text);
        }
        if (event->kind == Kind::line) {
            keep(*std::move(event));
        } else if (event->kind != Kind::ok) {
            return fail(unexpected(*event));
        }
    }
}

Result<void> Channel::expect_ok(milliseconds timeout) {
    for (auto wait = waiting(timeout); !ok_seen_;) {
        auto event = wait_event({}, wait);
        if (!event) {
            return fail(explain(std::move(event).error(), "OK", timeout));
        }
        if (event->kind == Kind::line) {
            keep(*std::move(event));
        } else if (event->kind != Kind::ok) {
            return fail(unexpected(*event));
        }
    }
    return {};
}

Result<void> Channel::expect_prompt(char prompt, milliseconds timeout) {
    for (auto wait = waiting(timeout);;) {
        auto event = wait_event({.prompt = prompt}, wait);
        if (!event) {
            return fail(
                explain(std::move(event).error(), std::string("prompt ") + prompt, timeout));
        }
        if (event->kind == Kind::prompt) {
            progressed();
            return {};
        }
        if (event->kind == Kind::line) {
            keep(*std::move(event));
        } else if (event->kind != Kind::ok) {
            return fail(unexpected(*event));
        }
    }
}

std::vector<std::string> Channel::take_lines() {
    std::vector<std::string> lines;
    for (auto& line : kept_) {
        lines.push_back(std::move(line.text));
    }
    kept_.clear();
    kept_bytes_ = 0;
    return lines;
}

std::map<std::string, std::uint64_t> Channel::commands_by_name() const {
    const std::lock_guard lock(names_mutex_);
    return names_;
}

// ---- keeping order --------------------------------------------------------------------------

Result<void> Channel::listen(Wait wait) {
    const auto* const usual = std::exchange(interrupt_, wait.interrupt);
    Waiting listening{wait};
    Result<Event> event;
    for (;;) {
        event = wait_event({.listening = true}, listening);
        if (!event) {
            break;
        }
        if (event->kind == Kind::line) {
            keep({std::move(event->text), true});
        }
    }
    interrupt_ = usual;
    if (event.error().code == Errc::timed_out) {
        return {};
    }
    return fail(std::move(event).error());
}

Result<void> Channel::forget_unclaimed() {
    Waiting poll{{.deadline = Clock::now(), .interrupt = interrupt_}};
    for (int reads = 0; reads < most_stale_reads; ++reads) {
        while (auto event = buffered_event({.listening = true})) {
            // The URC handler has seen it; a late result belongs to a command given up long ago.
        }
        poll.has_read = false;
        if (auto filled = fill(poll); !filled) {
            if (filled.error().code == Errc::timed_out || filled.error().code == Errc::garbled) {
                break;
            }
            return filled;
        }
    }
    for (const auto& line : kept_) {
        if (!line.offered && urc_) {
            urc_(line.text);
        }
    }
    kept_.clear();
    kept_bytes_ = 0;
    return {};
}

Result<void> Channel::leave_gap() {
    const auto quiet = Clock::now() - last_received_;
    if (quiet >= gap_) {
        return {};
    }
    return stream_.pause(std::chrono::ceil<milliseconds>(gap_ - quiet), interrupt_);
}

// ---- events out of bytes --------------------------------------------------------------------

Channel::Waiting Channel::waiting(milliseconds timeout) const {
    return {{.deadline = Clock::now() + timeout, .interrupt = interrupt_}};
}

Result<void> Channel::fill(Waiting& wait) {
    const bool over = Clock::now() >= wait.wait.deadline;
    if (over && std::exchange(wait.has_read, true)) {
        return fail(Errc::timed_out, "the modem talks, but does not answer");
    }
    TRY(const auto count, input_.fill(wait.wait));
    wait.has_read = true;
    counters_.bytes_received += count;
    last_received_ = Clock::now();
    return {};
}

Result<Event> Channel::wait_event(const Look& look, Waiting& wait) {
    for (;;) {
        if (auto event = buffered_event(look)) {
            return *std::move(event);
        }
        if (auto filled = fill(wait); !filled) {
            const auto code = filled.error().code;
            if (!look.listening || code != Errc::timed_out) {
                trace_outcome(code);
            }
            return fail(std::move(filled).error());
        }
    }
}

std::optional<Event> Channel::buffered_event(const Look& look) {
    for (;;) {
        if (look.prompt != '\0' && input_.take_prompt(look.prompt)) {
            trace_.modem_exact(std::string_view(&look.prompt, 1));
            return Event{Kind::prompt, std::string(1, look.prompt), {}};
        }
        auto line = input_.take_line();
        if (!line) {
            return {};
        }
        if (is_echo(*line)) {
            continue;
        }
        auto event = classify(*line, form_, vendor_);
        if (form_ == ResultForm::numeric && event.kind != Kind::line && line->size() == 1) {
            input_.expect_no_line_feed();
            trace_.modem_exact(*line + '\r');
        } else {
            trace_line(*line);
        }
        if (event.kind != Kind::line) {
            ok_seen_ = ok_seen_ || (event.kind == Kind::ok && !look.listening);
            if (!look.listening) {
                progressed();
            }
            return event;
        }
        if (is_answer(event.text, look) || !urc_ || !urc_(event.text)) {
            return event;
        }
    }
}

bool Channel::is_answer(std::string_view line, const Look& look) const {
    if (look.listening) {
        return false;
    }
    if (!look.prefix.empty() && has_prefix(line, look.prefix)) {
        return true;
    }
    if (name_.empty()) {
        return false;
    }
    // Some firmwares answer AT+CGREG? and AT+CEREG? with +CREG.
    const std::string_view registration = "REG";
    return has_prefix(line, name_) ||
           (name_.ends_with(registration) && parse_fields(line).prefix.ends_with(registration));
}

bool Channel::is_echo(std::string_view line) {
    // A prompt that nobody waited for may stand before the echo.
    line.remove_prefix(std::min(line.find_first_not_of("> "), line.size()));
    const auto echo = std::find_if(echoes_.begin(), echoes_.end(), [&](const std::string& sent) {
        return line == sent || (sent.size() >= least_echo && line.ends_with(sent));
    });
    if (echo == echoes_.end()) {
        return false;
    }
    echoes_.erase(echoes_.begin(), echo + 1);  // echoes come in order
    return true;
}

void Channel::trace_line(std::string_view line) {
    std::string shown(line);
    if (const auto at = shown.find("PASS ");
        at != std::string::npos) {  // FTP, as +FTPINFO shows it
        shown.replace(at + 5, std::string::npos, "***");
    }
    constexpr std::size_t least_masked = 4;  // masking "1" everywhere would hide the dialogue
    for (const auto& secret : secrets_) {
        for (std::size_t at = 0;
             secret.size() >= least_masked && (at = shown.find(secret, at)) != std::string::npos;
             at += 3) {
            shown.replace(at, secret.size(), "***");
        }
    }
    if (!secrets_.empty() && shown.starts_with("AT")) {  // a broken echo
        shown.resize(std::min(shown.find('='), shown.size()));
    }
    trace_.modem(shown);
}

void Channel::trace_outcome(Errc code) {
    switch (code) {
        case Errc::timed_out:
            return trace_.outcome("silence");
        case Errc::cancelled:
            return trace_.outcome("cancel");
        case Errc::line_lost:
            return trace_.outcome("hangup");
        default:
            return trace_.note(name(code));
    }
}

void Channel::keep(Event event) {
    const bool offered = !is_answer(event.text, {});
    keep({std::move(event.text), offered});
}

void Channel::keep(Kept line) {
    kept_bytes_ += line.text.size();
    kept_.push_back(std::move(line));
    while (kept_bytes_ > kept_limit) {
        kept_overflowed_ = true;
        kept_bytes_ -= kept_.front().text.size();
        kept_.pop_front();
    }
}

std::optional<Fields> Channel::take_kept(std::string_view prefix) {
    const auto line = std::find_if(kept_.begin(), kept_.end(),
                                   [&](const Kept& kept) { return has_prefix(kept.text, prefix); });
    if (line == kept_.end()) {
        return {};
    }
    auto fields = parse_fields(line->text);
    kept_bytes_ -= line->text.size();
    kept_.erase(line);
    return fields;
}

// ---- words ----------------------------------------------------------------------------------

Error Channel::of_command(Error error) const {
    if (!asked_.empty()) {
        error.what = fmt::format("{}: {}", printable(asked_), error.what);
    }
    return error;
}

Error Channel::unexpected(const Event& event) const {
    if (event.kind == Kind::error || event.kind == Kind::no_carrier) {
        return of_command(event.error);
    }
    return of_command({Errc::garbled, 0, fmt::format("unexpected {}", printable(event.text))});
}

Error Channel::explain(Error error, std::string_view awaited, milliseconds timeout) const {
    if (error.code == Errc::timed_out) {
        error.what = fmt::format("no {} within {:g} s", awaited,
                                 static_cast<double>(timeout.count()) / 1000.0);
    }
    return of_command(std::move(error));
}

void Channel::progressed() const {
    if (progress_) {
        progress_();
    }
}

}  // namespace modem
