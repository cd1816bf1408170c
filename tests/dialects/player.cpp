// SPDX-License-Identifier: MIT
#include "tests/dialects/player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "modem/dialects/registry.hpp"

namespace modem::test {
namespace {

// A transfer without a queue: what it moves is in memory, and where it stops is in the directive.
class MemoryTransfer final : public Transfer {
public:
    explicit MemoryTransfer(const Directive& call)
        : call_(call),
          content_(call.has("pattern") ? pattern(call.number("pattern")) : call.value("data")) {}

    [[nodiscard]] Way way() const override {
        return call_.value("way") == "paced" ? Way::paced : Way::stream;
    }
    [[nodiscard]] std::uint64_t start() const override { return call_.number("offset"); }
    [[nodiscard]] std::optional<std::uint64_t> length() const override {
        if (call_.has("length")) {
            return call_.number("length");
        }
        return call_.name == "store" ? std::optional(std::uint64_t{content_.size()}) : std::nullopt;
    }
    [[nodiscard]] StoreMode mode() const override {
        const std::string mode = call_.value("mode", "create");
        return mode == "append"      ? StoreMode::append
               : mode == "at_offset" ? StoreMode::at_offset
                                     : StoreMode::create;
    }
    [[nodiscard]] std::uint64_t moved() const override { return moved_; }
    Result<void> deliver(std::span<const char> bytes) override {
        content_.append(bytes.data(), bytes.size());
        moved_ += bytes.size();
        if (call_.has("fail") && moved_ >= call_.number("fail")) {
            return fail(Errc::local_io, "the test's disk is full");
        }
        return {};
    }
    Result<std::span<const char>> fetch(std::size_t most) override {
        if (call_.has("fail") && moved_ >= call_.number("fail")) {
            return fail(Errc::local_io, "the test's disk is broken");
        }
        const auto bytes = std::span<const char>(content_).subspan(
            moved_, std::min<std::size_t>(most, content_.size() - moved_));
        moved_ += bytes.size();
        return bytes;
    }
    Result<void> checkpoint(milliseconds) override {
        if (call_.has("stop") && moved_ >= call_.number("stop")) {
            return fail(Errc::cancelled, "the test wants no more");
        }
        if (call_.has("yield") && moved_ >= call_.number("yield")) {
            return fail(Errc::gave_way, "the test has something better to do");
        }
        return {};
    }
    [[nodiscard]] const std::string& content() const { return content_; }

private:
    const Directive& call_;
    std::string content_;
    std::size_t moved_ = 0;
};

using Play = Result<void> (*)(Dialect&, const Directive&, Outcome&);

// The outcome's error is the call's; the Result's is that the call could not be made.
template <typename T>
bool note(Outcome& outcome, const Result<T>& result) {
    if (!result) {
        outcome.error = result.error();
    }
    return result.has_value();
}

template <typename T>
std::string text_of(const std::optional<T>& value) {
    return value ? fmt::format("{}", *value) : "none";
}

Result<void> identify(Dialect&, const Directive& call, Outcome& outcome) {
    const Identity identity{.manufacturer = call.value("manufacturer"),
                            .model = call.value("model"),
                            .revision = call.value("revision"),
                            .ati = call.value("ati")};
    outcome.told["family"] = "none";
    for (const DialectEntry& family : dialects()) {
        if (family.matches(identity)) {
            outcome.told["family"] = family.name;
            break;
        }
    }
    return {};
}

Result<void> open_bearer(Dialect& dialect, const Directive& call, Outcome& outcome) {
    const auto address = dialect.open_bearer(
        {.apn = call.word(0), .user = call.value("user"), .password = call.value("password")});
    if (note(outcome, address)) {
        outcome.told["address"] = *address;
    }
    return {};
}

Result<void> log_in(Dialect& dialect, const Directive& call, Outcome& outcome) {
    Server server;
    server.host = call.word(0);
    server.port = static_cast<std::uint16_t>(call.number("port", 21));
    server.user = call.value("user", "gateway");
    server.password = call.value("password", "secret-word");
    server.passive = call.value("mode") != "active";
    server.encoding = call.value("encoding", "UTF-8");
    const std::string security = call.value("security");
    server.security = security == "sftp"   ? config::Security::sftp
                      : security == "ftps" ? config::Security::ftps
                                           : config::Security::none;
    note(outcome, dialect.log_in(server));
    return {};
}

Result<void> list(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath path, RemotePath::parse(call.word(0)));
    std::string text;
    const auto listed =
        dialect.list(path, {.hidden = call.word(1) == "hidden"}, [&](std::string_view piece) {
            text += piece;
            return Result<void>();
        });
    note(outcome, listed);
    std::erase(text, '\r');
    outcome.told["text"] = text;
    return {};
}

Result<void> stat(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath path, RemotePath::parse(call.word(0)));
    const auto told = dialect.stat(path);
    if (note(outcome, told)) {
        constexpr std::string_view kinds[] = {"file", "directory", "symlink", "other"};
        outcome.told["size"] = fmt::format("{}", told->size);
        outcome.told["kind"] = kinds[static_cast<std::size_t>(told->kind)];
        outcome.told["time"] = text_of(told->mtime);
    }
    return {};
}

Result<void> retrieve(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath path, RemotePath::parse(call.word(0)));
    MemoryTransfer transfer(call);
    note(outcome, dialect.retrieve(path, transfer));
    outcome.told["data"] = transfer.content();
    outcome.told["moved"] = fmt::format("{}", transfer.moved());
    return {};
}

Result<void> store(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath path, RemotePath::parse(call.word(0)));
    MemoryTransfer transfer(call);
    const auto confirmed = dialect.store(path, transfer);
    if (note(outcome, confirmed)) {
        outcome.told["confirmed"] = text_of(*confirmed);
    }
    outcome.told["moved"] = fmt::format("{}", transfer.moved());
    return {};
}

Result<void> rename(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath from, RemotePath::parse(call.word(0)));
    TRY(const RemotePath to, RemotePath::parse(call.word(1)));
    note(outcome, dialect.rename(from, to));
    return {};
}

template <Result<void> (Dialect::*operation)(const RemotePath&)>
Result<void> on_path(Dialect& dialect, const Directive& call, Outcome& outcome) {
    TRY(const RemotePath path, RemotePath::parse(call.word(0)));
    note(outcome, (dialect.*operation)(path));
    return {};
}

template <Result<void> (Dialect::*operation)()>
Result<void> plain(Dialect& dialect, const Directive&, Outcome& outcome) {
    note(outcome, (dialect.*operation)());
    return {};
}

Result<void> session_gone(Dialect& dialect, const Directive&, Outcome&) {
    dialect.session_gone();
    return {};
}

Result<void> recover(Dialect& dialect, const Directive&, Outcome& outcome) {
    const auto stands = dialect.recover();
    if (note(outcome, stands)) {
        outcome.told["stands"] = *stands ? "yes" : "no";
    }
    return {};
}

Result<void> urc(Dialect& dialect, const Directive& call, Outcome& outcome) {
    constexpr std::string_view meanings[] = {"unknown", "ignored", "session_lost", "bearer_lost",
                                             "restarted"};
    outcome.told["meaning"] = meanings[static_cast<std::size_t>(dialect.urc(call.word(0)))];
    return {};
}

const std::map<std::string_view, Play> plays{
    {"identify", identify},
    {"prepare", plain<&Dialect::prepare>},
    {"soft_reset", plain<&Dialect::soft_reset>},
    {"session_gone", session_gone},
    {"open_bearer", open_bearer},
    {"close_bearer", plain<&Dialect::close_bearer>},
    {"log_in", log_in},
    {"log_out", plain<&Dialect::log_out>},
    {"keep_alive", plain<&Dialect::keep_alive>},
    {"list", list},
    {"stat", stat},
    {"retrieve", retrieve},
    {"store", store},
    {"remove", on_path<&Dialect::remove>},
    {"make_directory", on_path<&Dialect::make_directory>},
    {"remove_directory", on_path<&Dialect::remove_directory>},
    {"rename", rename},
    {"recover", recover},
    {"urc", urc},
};

}  // namespace

Result<Outcome> play(Dialect& dialect, const Directive& call) {
    const auto found = plays.find(call.name);
    if (found == plays.end()) {
        return fail(Errc::invalid_argument,
                    fmt::format("line {}: there is no call \"{}\"", call.line, call.name));
    }
    Outcome outcome;
    CHECK(found->second(dialect, call, outcome));
    return outcome;
}

namespace {

std::string told_about(const Outcome& outcome, const std::string& key) {
    if (key == "number") {
        return fmt::format("{}", outcome.error.value_or(Error{}).number);
    }
    if (key == "words") {
        return outcome.error.value_or(Error{}).what;
    }
    const auto found = outcome.told.find(key == "pattern" ? "data" : key);
    return found == outcome.told.end() ? "(nothing told)" : found->second;
}

}  // namespace

std::string mismatch(const Outcome& outcome, const Directive& expected) {
    const Error error = outcome.error.value_or(Error{});
    const std::string wanted =
        expected.word(0) == "ok" ? "ok" : expected.word(0) + " " + expected.word(1);
    const std::string got = outcome.error ? fmt::format("error {}", name(error.code)) : "ok";
    if (wanted != got) {
        return fmt::format("expected {}, came to {} {}", wanted, got, error.what);
    }
    for (const auto& [key, value] : expected.values) {
        const std::string meant = key == "pattern" ? pattern(expected.number(key)) : value;
        const std::string told = told_about(outcome, key);
        const bool as_meant =
            key == "words" ? told.find(meant) != std::string::npos : told == meant;
        if (!as_meant) {
            return fmt::format("expected {} \"{}\", but it is \"{}\"", key, meant, told);
        }
    }
    return {};
}

namespace {

void add_transfer(const Directive& call, const Directive& expected, std::set<std::string>& shown) {
    const std::string way = call.value("way", "stream");
    if (expected.word(0) == "ok") {
        shown.insert(call.name + "_" + way);
    }
    if (call.name == "retrieve") {
        if (expected.word(0) == "ok" && call.number("offset") > 0) {
            shown.insert("retrieve_offset");
        }
        if (call.has("stop") && expected.word(1) == "cancelled") {
            shown.insert("break_off_" + way);
        }
        return;
    }
    if (expected.word(0) == "ok") {
        shown.insert("store");
        if (call.value("mode") == "append") {
            shown.insert("append");
        }
        if (call.value("mode") == "at_offset" && call.number("offset") > 0) {
            shown.insert("store_offset");
        }
    }
}

bool is_eight_bit(const std::string& word) {
    return std::any_of(word.begin(), word.end(),
                       [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; });
}

}  // namespace

std::set<std::string> shown_by(const Directive& call, const Directive& expected,
                               const Directive* before) {
    std::set<std::string> shown;
    const bool ok = expected.word(0) == "ok";
    if (call.name == "retrieve" || call.name == "store") {
        add_transfer(call, expected, shown);
    }
    if (ok && (call.name == "remove" || call.name == "make_directory" || call.name == "rename" ||
               call.name == "remove_directory" || call.name == "list")) {
        shown.insert(call.name);
    }
    if (ok && call.name == "list" && call.word(1) == "hidden") {
        shown.insert("list_hidden_option");
    }
    if (ok && call.name == "stat") {
        shown.insert("size");
        if (expected.has("time") && expected.value("time") != "none") {
            shown.insert("time");
        }
    }
    if ((call.name == "stat" || call.name == "retrieve") && expected.word(1) == "not_found") {
        shown.insert("unknown_names_askable");
    }
    if (ok && call.name == "log_in") {
        shown.insert(call.value("security"));
        if (call.word(0).find_first_not_of("0123456789.") != std::string::npos) {
            shown.insert("host_names");
        }
    }
    if (ok && std::any_of(call.words.begin(), call.words.end(), is_eight_bit)) {
        shown.insert("eight_bit_names");
    }
    if (ok && call.name == "recover" && expected.value("stands") == "no" && before != nullptr &&
        before->has("stop")) {
        shown.insert("break_off_ends_session");
    }
    return shown;
}

std::map<std::string, bool> yes_or_no(const Capabilities& capabilities) {
    // Does not compile any more when a capability is added: name it here, and say in shown_by()
    // which call shows it.
    const auto& [list, list_hidden_option, size, time, retrieve_offset, store, store_offset, append,
                 remove, make_directory, remove_directory, rename, unknown_names_askable,
                 retrieve_stream, retrieve_paced, store_stream, store_paced, break_off_stream,
                 break_off_paced, break_off_ends_session, xon_xoff, eight_bit_names, host_names,
                 ftps, sftp, max_name, max_path, max_offset, max_size] = capabilities;
    (void)max_name;
    (void)max_path;
    (void)max_offset;
    (void)max_size;
    return {{"list", list},
            {"list_hidden_option", list_hidden_option},
            {"size", size},
            {"time", time},
            {"retrieve_offset", retrieve_offset},
            {"store", store},
            {"store_offset", store_offset},
            {"append", append},
            {"remove", remove},
            {"make_directory", make_directory},
            {"remove_directory", remove_directory},
            {"rename", rename},
            {"unknown_names_askable", unknown_names_askable},
            {"retrieve_stream", retrieve_stream},
            {"retrieve_paced", retrieve_paced},
            {"store_stream", store_stream},
            {"store_paced", store_paced},
            {"break_off_stream", break_off_stream},
            {"break_off_paced", break_off_paced},
            {"break_off_ends_session", break_off_ends_session},
            {"xon_xoff", xon_xoff},
            {"eight_bit_names", eight_bit_names},
            {"host_names", host_names},
            {"ftps", ftps},
            {"sftp", sftp}};
}

}  // namespace modem::test
