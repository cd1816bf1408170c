// SPDX-License-Identifier: MIT
#include "tests/fakes/scripted_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "modem/at/trace.hpp"

namespace modem::test {

namespace {

constexpr std::size_t longest_random_chunk = 24;

Result<long> parse_number(std::string_view text, int base = 10) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
        return fail(Errc::invalid_argument, fmt::format("\"{}\" is no number", text));
    }
    return value;
}

/// The text after "X " when the line begins with it, or is "X" alone.
bool takes(std::string_view& line, std::string_view mark) {
    if (!line.starts_with(mark) || (line.size() > mark.size() && line[mark.size()] != ' ')) {
        return false;
    }
    line.remove_prefix(std::min(line.size(), mark.size() + 1));
    return true;
}

/// A line is complete at its CR, and a prompt before its blank: nobody has to wait for the rest.
bool is_line_end(std::string_view bytes) {
    return bytes.find_first_not_of("\r\n ") == std::string_view::npos;
}

/// Bytes for a message.
std::string shown(std::string_view bytes) {
    constexpr std::size_t most = 120;
    return c_escape(bytes.substr(0, most)) + (bytes.size() > most ? "..." : "");
}

}  // namespace

Result<std::string> c_unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            result += text[i];
            continue;
        }
        const char kind = ++i < text.size() ? text[i] : '\0';
        constexpr std::string_view names = "rnt\\";
        constexpr std::string_view values = "\r\n\t\\";
        if (const auto at = names.find(kind); at != std::string_view::npos) {
            result += values[at];
        } else if (kind == 'x' && i + 2 < text.size()) {
            TRY(const long value, parse_number(text.substr(i + 1, 2), 16));
            result += static_cast<char>(value);
            i += 2;
        } else {
            return fail(Errc::invalid_argument, "unknown escape: use \\r \\n \\t \\\\ \\xNN");
        }
    }
    return result;
}

Result<Transcript::Item> Transcript::parse_line(std::string_view line) {
    Item item;
    item.shown = line;
    if (takes(line, ">>") || takes(line, "<<") || takes(line, "=")) {
        item.kind = item.shown[0] == '='   ? Kind::raw
                    : item.shown[0] == '>' ? Kind::host
                                           : Kind::modem;
        TRY(item.bytes, c_unescape(line));
    } else if (takes(line, ">")) {
        item.kind = Kind::host;
        item.bytes = fmt::format("{}\r", line);
    } else if (takes(line, "<")) {
        item.kind = Kind::modem;
        item.framed = true;
        item.bytes = fmt::format("\r\n{}\r\n", line);
    } else if (takes(line, "~")) {
        item.kind = Kind::pause;
        TRY(const long time, parse_number(line.substr(0, line.find("ms"))));
        item.time = milliseconds(time);
    } else if (takes(line, "!")) {
        constexpr std::pair<std::string_view, Kind> events[] = {{"silence", Kind::silence},
                                                                {"hangup", Kind::hangup},
                                                                {"cancel", Kind::cancel},
                                                                {"dtr", Kind::dtr}};
        const auto* const event =
            std::find_if(std::begin(events), std::end(events),
                         [&](const auto& known) { return known.first == line; });
        if (event == std::end(events)) {
            return fail(Errc::invalid_argument, "expected ! silence, hangup, cancel or dtr");
        }
        item.kind = event->second;
    } else {
        return fail(Errc::invalid_argument, "expected > >> < << = ! ~ or #");
    }
    return item;
}

Result<Transcript> Transcript::parse(std::string_view text, std::string name) {
    Transcript result;
    result.name_ = std::move(name);
    for (unsigned number = 1; !text.empty(); ++number) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos || line[0] == '#') {
            continue;
        }
        auto item = parse_line(line);
        if (!item) {
            return fail(Errc::invalid_argument, fmt::format("{}:{}: {}: {}", result.name_, number,
                                                            line, item.error().what));
        }
        item->line = number;
        if (!item->bytes.empty() || (item->kind != Kind::raw && item->kind != Kind::modem)) {
            result.items_.push_back(*std::move(item));
        }
    }
    return result;
}

Result<Transcript> Transcript::load(const std::string& path) {
    const std::ifstream file(path);
    if (!file) {
        return fail(Errc::local_io, path + ": cannot be read");
    }
    std::ostringstream text;
    text << file.rdbuf();
    return parse(text.str(), path);
}

ScriptedStream::ScriptedStream(Transcript& transcript, Chunking chunking, unsigned seed)
    : transcript_(transcript), chunking_(chunking), random_(seed) {}

ScriptedStream::Item* ScriptedStream::current() {
    return item_ < transcript_.items_.size() ? &transcript_.items_[item_] : nullptr;
}

void ScriptedStream::advance() {
    ++item_;
    offset_ = 0;
}

std::size_t ScriptedStream::chunk(std::size_t most) {
    switch (chunking_) {
        case Chunking::bytes:
            return std::min<std::size_t>(most, 1);
        case Chunking::whole:
            return most;
        case Chunking::random:
            return std::min(
                most, std::uniform_int_distribution<std::size_t>(1, longest_random_chunk)(random_));
    }
    return most;
}

/// Moves what the modem says next into ready_; false when it says nothing.
bool ScriptedStream::gather(bool looking) {
    bool first = ready_.empty();
    for (Item* item = current(); item != nullptr; item = current()) {
        const bool may_be_raw = item->sender == Item::Sender::modem ||
                                (item->sender == Item::Sender::unknown && first && !looking);
        if (item->kind != Kind::modem && !(item->kind == Kind::raw && may_be_raw && offset_ == 0)) {
            break;
        }
        if (item->kind == Kind::raw) {
            item->sender = Item::Sender::modem;
        }
        if (item->framed && !noise_.empty()) {
            ready_ += fmt::format("\r\n{}\r\n", noise_);
        }
        ready_ += item->bytes;
        advance();
        first = false;
    }
    return !ready_.empty();
}

Result<std::size_t> ScriptedStream::event_instead_of_bytes() {
    const Item* const item = current();
    const auto kind = item != nullptr ? item->kind : Kind::silence;
    if (item != nullptr &&
        (kind == Kind::silence || kind == Kind::hangup || kind == Kind::cancel)) {
        advance();
    }
    switch (kind) {
        case Kind::hangup:
            hung_up_ = true;
            return fail(Errc::line_lost, "the line hung up");
        case Kind::cancel:
            return fail(Errc::cancelled, "cancelled");
        default:
            return fail(Errc::timed_out, "the modem says nothing");
    }
}

Error ScriptedStream::wrong(const std::string& what) {
    if (failure_.empty()) {
        const Item* const item = current();
        failure_ =
            fmt::format("{}:{}: {}", transcript_.name(), item != nullptr ? item->line : 0, what);
    }
    return {Errc::line_lost, 0, failure_};
}

std::string ScriptedStream::failure() const {
    if (!failure_.empty()) {
        return failure_;
    }
    if (!is_line_end(unread())) {
        return fmt::format("{}: the driver never read \"{}\"", transcript_.name(), shown(unread()));
    }
    if (item_ < transcript_.items_.size()) {
        const auto& item = transcript_.items_[item_];
        return fmt::format("{}:{}: never reached: {}", transcript_.name(), item.line, item.shown);
    }
    return {};
}

unsigned ScriptedStream::next_host_line() const {
    for (std::size_t index = item_; index < transcript_.items_.size(); ++index) {
        const auto& item = transcript_.items_[index];
        if (item.kind == Kind::host ||
            (item.kind == Kind::raw && item.sender == Item::Sender::host)) {
            return item.line;
        }
    }
    return 0;
}

Result<std::size_t> ScriptedStream::read(std::span<char> into, Wait wait) {
    if (!failure_.empty() || hung_up_) {
        return fail(Errc::line_lost, hung_up_ ? "the line hung up" : failure_);
    }
    const bool looking = wait.deadline <= Clock::now();
    if (!gather(looking)) {
        return event_instead_of_bytes();
    }
    const auto count = chunk(std::min(into.size(), unread().size()));
    unread().copy(into.data(), count);
    taken_ += count;
    if (unread().empty()) {
        ready_.clear();
        taken_ = 0;
    }
    return count;
}

Result<std::size_t> ScriptedStream::write(std::span<const char> bytes, Wait) {
    if (!failure_.empty() || hung_up_) {
        return fail(Errc::line_lost, hung_up_ ? "the line hung up" : failure_);
    }
    const std::string_view text(bytes.data(), bytes.size());
    Item* const item = current();
    if (item != nullptr && item->kind == Kind::hangup) {
        return event_instead_of_bytes();
    }
    const auto sent = [&] { return fmt::format("the driver sent \"{}\"", shown(text)); };
    if (item == nullptr) {
        return fail(wrong(sent() + " after the end"));
    }
    if (!is_line_end(unread()) && !echo_) {
        return fail(wrong(fmt::format("{} before it read \"{}\"", sent(), shown(unread()))));
    }
    const bool takes_bytes = item->kind == Kind::host ||
                             (item->kind == Kind::raw && item->sender != Item::Sender::modem);
    if (!takes_bytes) {
        return fail(wrong(fmt::format("{} instead of: {}", sent(), item->shown)));
    }
    const auto expected = std::string_view(item->bytes).substr(offset_);
    const auto count = std::min(chunk(text.size()), expected.size());
    if (text.substr(0, count) != expected.substr(0, count)) {
        return fail(wrong(fmt::format("{}, expected \"{}\"", sent(), shown(expected))));
    }
    if (item->kind == Kind::raw) {
        item->sender = Item::Sender::host;
    }
    offset_ += count;
    if (offset_ == item->bytes.size()) {
        if (echo_ && item->kind == Kind::host) {
            ready_ += item->bytes;
        }
        advance();
    }
    return count;
}

Result<void> ScriptedStream::flush(Wait) {
    return hung_up_ ? Result<void>(fail(Errc::line_lost, "the line hung up")) : Result<void>();
}

Result<void> ScriptedStream::pause(milliseconds time, const Interrupt*) {
    const Item* const item = current();
    if (item != nullptr && item->kind == Kind::pause && time >= item->time &&
        is_line_end(unread())) {
        advance();
    }
    return flush({});
}

Result<void> ScriptedStream::pulse_dtr(milliseconds) {
    const Item* const item = current();
    if (item == nullptr || item->kind != Kind::dtr) {
        return fail(Errc::not_supported, transcript_.name() + ": this line has no DTR");
    }
    advance();
    return {};
}

}  // namespace modem::test
