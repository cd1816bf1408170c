// SPDX-License-Identifier: MIT
#include "modem/at/final_result.hpp"
#include "modem/dialects/fibocom_l610.hpp"
#include "modem/ftp/text_block.hpp"

namespace modem {
namespace {

constexpr milliseconds text_pause{1000};  // after text that may or may not have an end line

}  // namespace

// 1.2.5
Result<void> FibocomL610::make_directory(const RemotePath& directory) {
    CHECK(verdicts_.ask(Command("AT+FTPMKD").quoted(directory.text()), "+FTPMKD"));
    return {};
}

// 1.2.6
Result<void> FibocomL610::remove_directory(const RemotePath& directory) {
    CHECK(verdicts_.ask(Command("AT+FTPRMD").quoted(directory.text()), "+FTPRMD"));
    return {};
}

// 1.2.9
Result<void> FibocomL610::remove(const RemotePath& file) {
    CHECK(verdicts_.ask(Command("AT+FTPDEL").quoted(file.text()), "+FTPDEL"));
    return {};
}

// 1.2.10
Result<void> FibocomL610::rename(const RemotePath& from, const RemotePath& to) {
    CHECK(verdicts_.ask(Command("AT+FTPREN").quoted(from.text()).quoted(to.text()), "+FTPREN"));
    return {};
}

// 1.2.11, and 1.2.4 for names that a server would expand: those are entered, never listed by name.
Result<void> FibocomL610::list(const RemotePath& directory, ListOptions options,
                               const TextConsumer& text) {
    Command command("AT+FTPLIST");
    const bool fits = !options.hidden || directory.text().size() + 3 <= capabilities().max_path;
    if (!directory.has_glob() && fits) {
        command.quoted((options.hidden ? "-a " : "") + directory.text());
        return list_with(command, text);
    }
    if (options.hidden) {
        command.quoted("-a");
    }
    CHECK(verdicts_.ask(Command("AT+FTPCWD").quoted(directory.text()), "+FTPCWD"));
    auto listed = list_with(command, text);
    if (!listed && verdicts_.owed()) {
        return listed;
    }
    // Back, so that nothing stands in the directory when somebody removes it.
    auto back = verdicts_.ask(Command("AT+FTPCWD").quoted("/"), "+FTPCWD");
    return !back && verdicts_.owed() ? Result<void>(fail(std::move(back).error())) : listed;
}

Result<void> FibocomL610::list_with(const Command& command, const TextConsumer& text) {
    verdicts_.begin("+FTPLIST");
    CHECK(channel().send(command));
    auto begun = channel().expect("+FTPLIST", channel().default_timeout());
    if (!begun) {
        return verdicts_.failed(std::move(begun).error());
    }
    ListingEnd end{begun->number(0), channel().ok_seen(), {}};
    if (begun->rest.starts_with('2')) {
        data_mode_ = DataMode::receiving;
        CHECK(read_listing(std::string_view(begun->rest).substr(1), text, end));
        data_mode_ = DataMode::none;
    }
    if (end.refused) {
        return verdicts_.failed(*end.refused);
    }
    if (!end.ok) {
        if (auto ok = channel().expect_ok(channel().default_timeout()); !ok) {
            return verdicts_.failed(std::move(ok).error());
        }
    }
    if (end.verdict != 1) {
        return verdicts_.operation_failed("+FTPLIST");
    }
    verdicts_.settle();
    verdicts_.hear_kept();
    if (verdicts_.replies().directory_unopened()) {
        return fail(Errc::not_found, "the server cannot open the directory that it was to list");
    }
    return {};
}

// Between +FTPLIST: 2 and +FTPLIST: 1, raw or escaped; what the manual shows as one field may as
// well begin on the line of the 2.
Result<void> FibocomL610::read_listing(std::string_view first, const TextConsumer& text,
                                       ListingEnd& end) {
    if (const std::size_t start = first.find_first_not_of(" ,"); start != std::string_view::npos) {
        CHECK(listing_line(first.substr(start), text, end));
    }
    return read_text_block(
        channel(), [&](std::string_view line) { return listing_line(line, text, end); },
        channel().default_timeout());
}

// False: the listing has ended.
Result<bool> FibocomL610::listing_line(std::string_view line, const TextConsumer& text,
                                       ListingEnd& end) {
    if (has_prefix(line, "+FTPLIST")) {
        end.verdict = parse_fields(line).number(0);
        return end.verdict == 2;
    }
    auto form = ResultForm::verbose;
    const Event event = classify(line, form, error_codes());
    if (event.kind == Event::Kind::error) {
        end.refused = event.error;
        return false;
    }
    if (event.kind != Event::Kind::line || has_prefix(line, "+FTPINFO")) {
        end.ok = end.ok || event.kind == Event::Kind::ok;
        verdicts_.hear(line);
        return true;
    }
    switch (urc(line)) {
        case UrcMeaning::unknown:
            CHECK(text(std::string(line) + "\n"));
            return true;
        case UrcMeaning::ignored:
            return true;
        case UrcMeaning::session_lost:
            return fail(Errc::session_lost, "the FTP session ended in the middle of a listing");
        case UrcMeaning::bearer_lost:
            return fail(Errc::bearer_lost, "the bearer was lost in the middle of a listing");
        case UrcMeaning::restarted:
            break;
    }
    return fail(Errc::module_restarted, "the module restarted in the middle of a listing");
}

// 1.2.12 asks on the control connection, which is cheap; 1.2.11 is for servers whose STAT says
// nothing about a file.
Result<Stat> FibocomL610::stat(const RemotePath& file) {
    if (file.has_glob()) {
        return fail(Errc::not_supported,
                    "servers expand such a name: only the listing of its directory can tell");
    }
    if (status_useful_.value_or(true)) {
        FileAnswer answer(file);
        TRY(const bool useful, status_of(file, answer));
        if (useful && answer.says_nothing_there()) {
            return fail(Errc::not_found, "the server's STAT shows no such file");
        }
        if (const auto told = answer.stat(); useful && told) {
            status_useful_ = true;
            return *told;
        }
    }
    FileAnswer answer(file);
    CHECK(list_with(Command("AT+FTPLIST").quoted(file.text()), [&](std::string_view text) {
        answer.line(text);
        return Result<void>{};
    }));
    const auto told = answer.stat();
    if (!told) {
        return fail(Errc::not_found, "the server's LIST shows no such file");
    }
    status_useful_ = status_useful_.value_or(false);  // it had the chance to tell
    return *told;
}

bool FibocomL610::complete(const Status& status, const FileAnswer& answer) const {
    if (!status.ok) {
        return false;
    }
    const bool text_is_all = !status_has_end_.value_or(true) && answer.ended();
    return status.verdict.has_value() || text_is_all;
}

// Each line of the answer: +FTPSTAT: 2,<text>, more lines of text, +FTPSTAT: 1.
void FibocomL610::status_line(std::string_view line, FileAnswer& answer, Status& status) {
    if (has_prefix(line, "+FTPINFO")) {
        verdicts_.hear(line);
        return;
    }
    std::string_view text = line;
    if (has_prefix(line, "+FTPSTAT")) {
        const std::size_t comma = line.find(',');
        text = comma == std::string_view::npos ? std::string_view() : line.substr(comma + 1);
        const auto number = parse_fields(line).number(0);
        status.verdict = number == 2 ? std::nullopt : number;
        if (status.text && status.verdict) {
            status_has_end_ = true;
        }
    }
    const std::size_t start = text.find_first_not_of(" \"");
    if (start == std::string_view::npos) {
        return;
    }
    text = text.substr(start, text.find_last_not_of('"') + 1 - start);
    status.text = true;
    answer.line(text);
}

// False: this server or firmware tells nothing about a file in this way.
Result<bool> FibocomL610::status_of(const RemotePath& file, FileAnswer& answer) {
    verdicts_.begin("+FTPSTAT");
    CHECK(channel().send(Command("AT+FTPSTAT").quoted(file.text())));
    Status status;
    while (!complete(status, answer)) {
        const bool may_be_all = status.ok && status.text && !status_has_end_.value_or(false);
        auto event = channel().next(may_be_all ? text_pause : channel().default_timeout());
        if (!event && event.error().code == Errc::timed_out && may_be_all) {
            status_has_end_ = false;
            break;
        }
        if (!event) {
            return verdicts_.failed(std::move(event).error());
        }
        if (event->kind == Event::Kind::error) {
            return status_refused(verdicts_.failed(std::move(event->error)));
        }
        if (event->kind == Event::Kind::line) {
            status_line(event->text, answer, status);
        }
        status.ok = status.ok || event->kind == Event::Kind::ok;
    }
    verdicts_.settle();
    if (status.verdict == 0) {
        return status_refused(verdicts_.operation_failed("+FTPSTAT"));
    }
    return true;
}

// False: FTPSTAT is of no use here, at all or for this file; LIST may know more than a 550 without
// words.
Result<bool> FibocomL610::status_refused(tl::unexpected<Error> error) {
    const Errc code = error.value().code;
    if (code == Errc::not_supported || code == Errc::refused) {
        status_useful_ = false;
        return false;
    }
    if (code == Errc::rejected) {
        return false;
    }
    return error;
}

}  // namespace modem
