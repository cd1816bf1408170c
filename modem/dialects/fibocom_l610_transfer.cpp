// SPDX-License-Identifier: MIT
#include <algorithm>

#include "modem/dialects/fibocom_l610.hpp"
#include "modem/ftp/rescue.hpp"

namespace modem {
namespace {

constexpr char etx = 0x03;
// 1.2.19 allows 3000, but drivers that work in the field stop at 2560, and the headers of the
// smaller pieces cost a third of a percent more.
constexpr std::uint64_t receive_length = 2560;
constexpr std::int64_t longest_receive = 3000;
constexpr std::size_t put_length = 1024;     // 1.2.20
constexpr std::size_t stream_length = 2048;  // between two looks at what the module says
// 1.2.19: the module ends the session when its buffer is not read for two minutes.
constexpr milliseconds buffer_patience{90'000};
constexpr milliseconds first_wait{3000};  // for +FTPGET: 2, before asking
constexpr milliseconds first_poll_pause{100};
constexpr milliseconds longest_poll_pause{2000};
constexpr milliseconds missed_end{5000};  // of saying "nothing yet", before asking for the end
constexpr milliseconds last_confirm_pause{20'000};  // the same for a whole file
constexpr milliseconds early_ok_pause{200};
constexpr milliseconds confirm_pause{1000};  // for a +FTPPUT: 1 that may or may not come

}  // namespace

// ---- download --------------------------------------------------------------------------------

Result<void> FibocomL610::retrieve(const RemotePath& file, Transfer& transfer) {
    if (transfer.start() > capabilities().max_offset) {
        return fail(Errc::invalid_argument, "the module cannot begin so far inside a file");
    }
    return transfer.way() == Way::stream ? retrieve_stream(file, transfer)
                                         : retrieve_paced(file, transfer);
}

// 1.2.16. The offset is always given: it overrides one that somebody's FTPREST has left behind.
Result<void> FibocomL610::retrieve_stream(const RemotePath& file, Transfer& transfer) {
    TRY(const Fields begun,
        verdicts_.ask(Command("AT+FTPRETR").quoted(file.text()).number(1).number(transfer.start()),
                      "+FTPRETR"));
    if (begun.number(0) != 2) {
        return {};  // nothing to send
    }
    verdicts_.begin("+FTPRETR");
    data_mode_ = DataMode::receiving;
    CHECK(channel().read_dle([&](std::span<const char> bytes) { return transfer.deliver(bytes); },
                             channel().default_timeout()));
    data_mode_ = DataMode::none;
    TRY(const Fields end, verdicts_.expect("+FTPRETR"));
    if (end.number(0) != 1) {
        return verdicts_.operation_failed("+FTPRETR");
    }
    verdicts_.settle();
    return {};
}

void FibocomL610::note(std::string_view line) {
    verdicts_.hear(line);
    if (!has_prefix(line, "+FTPGET")) {
        return;
    }
    const Fields fields = parse_fields(line);
    const auto result = fields.number(0);
    download_.news = true;
    download_.buffered = download_.buffered || result == 2;
    // The answer to AT+FTPGET? is <name>,<view mode>,<eof>.
    download_.complete = download_.complete || result == 1 || fields.number(2) == 1;
    download_.broken = download_.broken || (result == 0 && fields.fields.size() == 1);
}

// Lines that came beside an answer, and those that came since. Before each command: what send()
// finds unclaimed is forgotten, and the end of a download is announced only once.
Result<void> FibocomL610::note_news() {
    TRY(const auto lines, verdicts_.overheard());
    for (const std::string& line : lines) {
        note(line);
    }
    if (!download_.broken) {
        return {};
    }
    auto error = verdicts_.operation_failed("+FTPGET");
    return download_.begun ? break_off(std::move(error).value()) : error;
}

// 1.2.18: the download mode lasts until all is read, or FTPCLOSE. If that fails, recover() is next.
tl::unexpected<Error> FibocomL610::break_off(Error error) {
    if (log_out()) {
        session_gone();
        verdicts_.leave_in_order(false);
    }
    return fail(std::move(error));
}

// 1.2.18, 1.2.19: the module fetches the file into its buffer, we read that.
Result<void> FibocomL610::retrieve_paced(const RemotePath& file, Transfer& transfer) {
    verdicts_.begin();
    unsent_.clear();
    download_ = {};
    auto begun = channel().command(
        Command("AT+FTPGET").quoted(file.text()).number(1).number(transfer.start()));
    if (!begun) {
        return verdicts_.failed(std::move(begun).error());
    }
    for (const std::string& line : *begun) {
        note(line);
    }
    CHECK(await_news(announces_buffer_.value_or(true) ? first_wait : first_poll_pause));
    milliseconds pause = first_poll_pause;
    milliseconds idle{0};
    while (true) {
        if (auto go_on = transfer.checkpoint(buffer_patience); !go_on) {
            return break_off(std::move(go_on).error());
        }
        CHECK(note_news());
        const bool all_is_buffered = download_.complete;
        TRY(const std::uint64_t received, receive(transfer));
        const bool all_is_here =
            transfer.moved() >= transfer.length().value_or(UINT64_MAX) && received < receive_length;
        bool over = all_is_buffered && all_is_here;
        if (all_is_buffered && received == 0) {
            TRY(over, buffer_is_empty());
        }
        if (over) {
            verdicts_.settle();
            return {};
        }
        if (received != 0) {
            announces_buffer_ = announces_buffer_.value_or(false) || download_.buffered;
            pause = first_poll_pause;
            idle = milliseconds(0);
            continue;
        }
        if (idle > channel().default_timeout()) {
            return fail(Errc::timed_out, "AT+FTPRECV: the module receives nothing from the server");
        }
        CHECK(await_news(pause));
        idle += pause;
        pause = std::min(pause * 2, longest_poll_pause);
        if (idle > missed_end && pause == longest_poll_pause) {
            CHECK(ask_for_end());
        }
    }
}

// Waits until the module says something new about its buffer, at most `pause`.
Result<void> FibocomL610::await_news(milliseconds pause) {
    while (!std::exchange(download_.news, false)) {
        auto event = channel().next(pause);
        if (!event && event.error().code == Errc::timed_out) {
            return {};
        }
        if (!event) {
            return fail(std::move(event).error());
        }
        note(event->text);
    }
    return note_news();
}

// 1.2.18: whether a +FTPGET: 1 was missed. A module may refuse the question in download mode.
Result<void> FibocomL610::ask_for_end() {
    auto answer = channel().command("AT+FTPGET?", milliseconds(5000));
    if (!answer && !ends_command(answer.error())) {
        return fail(std::move(answer).error());
    }
    for (const std::string& line : answer ? *answer : std::vector<std::string>()) {
        note(line);
    }
    return note_news();
}

// 1.2.18: a 0 after +FTPGET: 1 should be the end; a file that is cut here would look whole.
Result<bool> FibocomL610::buffer_is_empty() {
    auto answer = channel().command("AT+FTPRECV?", milliseconds(5000));
    if (!answer && !ends_command(answer.error())) {
        return fail(std::move(answer).error());
    }
    bool empty = true;
    for (const std::string& line : answer ? *answer : std::vector<std::string>()) {
        note(line);
        if (has_prefix(line, "+FTPRECV")) {
            empty = parse_fields(line).number(0).value_or(0) == 0;
        }
    }
    return empty;
}

// One FTPRECV; 0 when nothing is buffered now. A firmware may refuse instead of saying 0, while it
// still connects and after the end.
Result<std::uint64_t> FibocomL610::receive(Transfer& transfer) {
    CHECK(channel().send(Command("AT+FTPRECV").number(receive_length)));
    auto header = channel().expect("+FTPRECV", channel().default_timeout());
    if (!header) {
        const bool refused = header.error().code == Errc::refused;
        const bool nothing_yet = transfer.moved() == 0 && !download_.buffered;
        if (refused && (download_.complete || nothing_yet)) {
            return 0;
        }
        auto error = verdicts_.failed(std::move(header).error());
        return verdicts_.owed() ? error : break_off(std::move(error).value());
    }
    const auto length = header->number(0);
    if (!length || *length < 0 || *length > longest_receive) {
        return fail(Errc::garbled, "AT+FTPRECV: the answer has no length: " + header->rest);
    }
    const auto bytes = static_cast<std::uint64_t>(*length);
    if (bytes > 0) {
        download_.begun = true;
        CHECK(channel().read_raw(
            bytes, [&](std::span<const char> piece) { return transfer.deliver(piece); },
            channel().default_timeout()));
    }
    CHECK(channel().expect_ok(channel().default_timeout()));
    CHECK(note_news());
    return bytes;
}

// ---- upload ----------------------------------------------------------------------------------

Result<std::optional<std::uint64_t>> FibocomL610::store(const RemotePath& file,
                                                        Transfer& transfer) {
    if (transfer.mode() == StoreMode::append) {
        return fail(Errc::not_supported, "the module has no APPE: it stores at an offset");
    }
    const std::uint64_t start = transfer.mode() == StoreMode::at_offset ? transfer.start() : 0;
    if (start > capabilities().max_offset) {
        return fail(Errc::invalid_argument, "the module cannot store so far inside a file");
    }
    // FTPPUT takes no offset and at least one byte (1.2.20), and has to know which is the last.
    const bool by_put = transfer.way() == Way::paced && transfer.mode() == StoreMode::create &&
                        transfer.length().value_or(0) > 0;
    CHECK(by_put ? store_paced(file, transfer) : store_stream(file, transfer, start));
    return std::nullopt;
}

// 1.2.15. As for FTPRETR, the offset is always given.
Result<void> FibocomL610::store_stream(const RemotePath& file, Transfer& transfer,
                                       std::uint64_t start) {
    const Command command = Command("AT+FTPSTOR").quoted(file.text()).number(1).number(start);
    TRY(const Fields begun, verdicts_.ask(command, "+FTPSTOR"));
    if (begun.number(0) != 2) {
        return fail(Errc::garbled, "AT+FTPSTOR: the module does not ask for the data");
    }
    verdicts_.begin("+FTPSTOR");
    data_mode_ = DataMode::sending;
    while (true) {
        TRY(const auto bytes, transfer.fetch(stream_length));
        if (bytes.empty()) {
            break;
        }
        const std::uint64_t sent = channel().counters().bytes_sent;
        if (auto written = channel().write_dle(bytes, channel().default_timeout()); !written) {
            unsent_ = cut_dle_pair(bytes, channel().counters().bytes_sent - sent);
            return written;
        }
        TRY(const bool over, gave_up());
        if (over) {
            return verdicts_.operation_failed("+FTPSTOR");
        }
    }
    CHECK(channel().write_byte(etx, channel().default_timeout()));
    data_mode_ = DataMode::none;
    TRY(const Fields end, verdicts_.expect("+FTPSTOR"));
    if (end.number(0) != 1) {
        return verdicts_.operation_failed("+FTPSTOR");
    }
    verdicts_.settle();
    return {};
}

// The module may end the data mode by itself (a full server); what follows would be commands.
Result<bool> FibocomL610::gave_up() {
    TRY(const auto lines, verdicts_.overheard());
    bool over = false;
    for (const std::string& line : lines) {
        verdicts_.hear(line);
        over = over || has_prefix(line, "+FTPSTOR");
    }
    if (over) {
        data_mode_ = DataMode::none;
    }
    return over;
}

// 1.2.20. Breaking off is polite: the block at hand is sent as the last one, so that the server has
// every byte that was counted, and the session stands.
Result<void> FibocomL610::store_paced(const RemotePath& file, Transfer& transfer) {
    std::uint64_t left = transfer.length().value_or(0);
    Result<void> go_on;
    while (left != 0 && go_on) {
        go_on = transfer.checkpoint(buffer_patience);
        TRY(const auto bytes, transfer.fetch(std::min<std::uint64_t>(put_length, left)));
        if (bytes.empty()) {
            // The block that would be the last does not exist.
            return break_off({Errc::local_io, 0, "the file to upload became shorter meanwhile"});
        }
        left -= bytes.size();
        TRY(const bool confirmed, put(file, bytes, left == 0 || !go_on));
        if (!confirmed) {
            CHECK(check_stored(file, transfer.moved()));
        }
    }
    if (left != 0) {
        verdicts_.leave_in_order(true);
        return go_on;
    }
    return {};
}

Result<bool> FibocomL610::put(const RemotePath& file, std::span<const char> bytes, bool last) {
    verdicts_.begin("+FTPPUT");
    unsent_.assign(bytes.data(), bytes.size());
    put_ready_ = false;
    CHECK(channel().send(Command("AT+FTPPUT")
                             .quoted(file.text())
                             .number(bytes.size())
                             .number(last ? 1 : 0)
                             .number(1)));
    if (auto ready = await_put_ready(); !ready) {
        if (!verdicts_.owed()) {
            unsent_.clear();
        }
        return fail(std::move(ready).error());
    }
    CHECK(await_early_ok());
    const std::uint64_t sent = channel().counters().bytes_sent;
    auto written = channel().write_raw(bytes, channel().default_timeout());
    unsent_.erase(0, channel().counters().bytes_sent - sent);
    CHECK(written);
    return put_confirmed(last);
}

// +FTPPUT: 2,<length>, perhaps after a late +FTPPUT: 1 of the block before.
Result<void> FibocomL610::await_put_ready() {
    TRY(Fields ready, verdicts_.expect("+FTPPUT"));
    if (ready.number(0) == 1) {
        confirms_each_put_ = true;
        TRY(ready, verdicts_.expect("+FTPPUT"));
    }
    if (ready.number(0) != 2) {
        return verdicts_.operation_failed("+FTPPUT");
    }
    put_ready_ = true;
    const auto wanted = static_cast<std::size_t>(
        std::max<std::int64_t>(0, ready.number(1).value_or(std::ssize(unsent_))));
    if (wanted != unsent_.size()) {
        unsent_.resize(std::min(wanted, unsent_.size()));  // what recover() has to give it
        return fail(Errc::garbled, "AT+FTPPUT: the module asks for another length than given");
    }
    return {};
}

// Where OK belongs before the data, data before it could be lost. The manual does not say.
Result<void> FibocomL610::await_early_ok() {
    if (channel().ok_seen() || !put_ok_first_.value_or(true)) {
        return {};
    }
    auto ok = channel().expect_ok(early_ok_pause);
    if (!ok && ok.error().code != Errc::timed_out) {
        return verdicts_.failed(std::move(ok).error());
    }
    put_ok_first_ = ok.has_value();
    return {};
}

// How long a +FTPPUT: 1 may take that perhaps never comes.
milliseconds FibocomL610::put_doubt(bool last) const {
    return last && !verdicts_.replies().completed() ? last_confirm_pause : confirm_pause;
}

// After a block: OK unless it came before the data, and +FTPPUT: 1, which the manual leaves open:
// it may come for each block, for the last one, or never. False: it was the last, and nobody has
// said that the file arrived.
Result<bool> FibocomL610::put_confirmed(bool last) {
    std::optional<bool>& reading = last ? confirms_last_put_ : confirms_each_put_;
    const bool ok_first = channel().ok_seen();
    bool ok = ok_first;
    bool confirmed = false;
    while (!ok || !confirmed) {
        // An OK that came before the data says nothing about a whole file.
        const bool may_be_all = ok && !reading.value_or(false) && !(last && ok_first);
        if (may_be_all && reading) {
            break;
        }
        auto event = channel().next(may_be_all ? put_doubt(last) : channel().default_timeout());
        if (!event && event.error().code == Errc::timed_out && may_be_all) {
            reading = false;
            break;
        }
        if (!event) {
            return verdicts_.failed(std::move(event).error());
        }
        if (event->kind == Event::Kind::error) {
            return verdicts_.failed(std::move(event->error));
        }
        ok = ok || event->kind == Event::Kind::ok;
        verdicts_.hear(event->text);
        if (!has_prefix(event->text, "+FTPPUT")) {
            continue;
        }
        if (parse_fields(event->text).number(0) != 1) {
            return verdicts_.operation_failed("+FTPPUT");
        }
        confirmed = true;
        reading = true;
    }
    verdicts_.settle();
    return confirmed || !last || verdicts_.replies().completed();
}

// For a firmware that ends an upload with a bare OK.
Result<void> FibocomL610::check_stored(const RemotePath& file, std::uint64_t size) {
    if (file.has_glob()) {
        return {};  // cannot be asked for; the OK has to do
    }
    TRY(const Stat told, stat(file));
    if (told.size != size) {
        return fail(Errc::size_mismatch, "AT+FTPPUT: the server does not have the whole file");
    }
    return {};
}

}  // namespace modem
