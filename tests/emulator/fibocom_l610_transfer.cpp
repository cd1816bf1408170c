// SPDX-License-Identifier: MIT
// The L610's transfers: FTPLIST, FTPRETR and FTPSTOR in data mode, FTPGET with its 500 KB buffer
// and FTPRECV, FTPPUT by blocks.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/emulator/fibocom_l610.hpp"

namespace emulator {

namespace {

using Kind = Command::Kind;

constexpr std::size_t cache_size = 512000;  // 1.2.18
constexpr std::uint64_t longest_read = 3000;
constexpr std::uint64_t longest_put = 1024;
constexpr std::size_t usb_block = 1460;
constexpr std::size_t stream_block = 4096;
constexpr char dle = 0x10;
constexpr char etx = 0x03;
constexpr std::string_view offsets = "(0-4294967294)";

std::string escaped(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (char c : bytes) {
        if (c == dle || c == etx) {
            out += dle;
        }
        out += c;
    }
    return out;
}

}  // namespace

bool FibocomL610::transfer_command(const Command& command) {
    if (command.is("+FTPLIST")) {
        list(command);
    } else if (command.is("+FTPRETR")) {
        retrieve(command);
    } else if (command.is("+FTPSTOR")) {
        store(command);
    } else if (command.is("+FTPGET")) {
        get(command);
    } else if (command.is("+FTPRECV")) {
        receive(command);
    } else if (command.is("+FTPPUT")) {
        put(command);
    } else {
        return false;
    }
    return true;
}

// ---- streams in data mode --------------------------------------------------------------------

void FibocomL610::list(const Command& command) {
    if (read_or_test(command, "", "(\"file/directory name\")") || !allowed()) {
        return;
    }
    std::string argument;
    if (command.kind == Kind::set) {
        if (!named(command, 0)) {
            return;
        }
        argument = command.at(0).text;
    }
    begin_stream(Work::list);
    modem_.ftp().list(argument, [this](const FtpResult& result) {
        stream_done_ = true;
        stream_good_ = result.ok();
    });
}

void FibocomL610::begin_stream(Work work) {
    modem_.ok();
    work_ = work;
    head_sent_ = false;
    stream_done_ = false;
    stream_good_ = false;
    broken_off_ = false;
    escape_next_ = false;
    next_block_ = {};
}

void FibocomL610::retrieve(const Command& command) {
    if (read_or_test(command, "", fmt::format("(\"file name\"),(0-1),{}", offsets)) || !allowed() ||
        !named(command, 0)) {
        return;
    }
    auto binary = command.number_at(1, 0, 1, 1);
    auto offset = offset_of(command, 2);
    if (!binary || !offset) {
        modem_.error(cme::bad_parameters);
        return;
    }
    begin_stream(Work::retrieve);
    used_rest();
    FtpClient::Transfer transfer;
    transfer.path = command.at(0).text;
    transfer.offset = *offset;
    transfer.ascii = *binary == 0;
    modem_.ftp().retrieve(transfer, [this](const FtpResult& result) {
        stream_done_ = true;
        stream_good_ = result.ok();
    });
}

/// Brings listing or file to the line; the head (`: 2`) goes out once data is certain to come.
void FibocomL610::pump_stream() {
    auto& ftp = modem_.ftp();
    bool list = work_ == Work::list;
    const auto* name = list ? "+FTPLIST" : "+FTPRETR";
    if (modem_.pending() || (ftp.available() == 0 && !stream_done_)) {
        return;
    }
    if (!head_sent_ && (stream_good_ || ftp.available() > 0)) {
        if (!modem_.line_free()) {
            return;
        }
        head_sent_ = true;
        bool glued = list && modem_.quirks().is("ftplist-head", "glued");
        modem_.raw(
            fmt::format("{}{}2{}", list ? "\n" : "\r\n", modem_.tag(name), glued ? "" : "\r\n"));
        modem_.enter_data_mode();
    }
    bool usb = !list && modem_.quirks().is("port", "usb") && limit_ != 0;
    auto now = Clock::now();
    if (usb && now < next_block_) {
        return;
    }
    auto bytes = ftp.take(usb ? usb_block : stream_block);
    if (usb && !bytes.empty()) {
        next_block_ = now + milliseconds(limit_);
        modem_.timers().after(milliseconds(limit_), [] {});
    }
    bool as_is = list && modem_.quirks().is("ftplist", "raw");
    modem_.raw(as_is ? bytes : escaped(bytes));
    modem_.stats().line_payload_to_host += bytes.size();
    if (stream_done_ && ftp.available() == 0) {
        stream_ended();
    }
}

void FibocomL610::stream_ended() {
    bool list = work_ == Work::list;
    work_ = Work::none;
    if (head_sent_) {
        if (!list || modem_.quirks().is("ftplist", "escaped")) {
            modem_.raw({&etx, 1});
        }
        modem_.leave_data_mode();
    }
    if (std::exchange(broken_off_, false)) {
        modem_.urc("OK");
        stream_good_ = false;
    }
    verdict(list ? "+FTPLIST" : "+FTPRETR", stream_good_ ? 1 : 0);
}

void FibocomL610::store(const Command& command) {
    if (read_or_test(command, "", fmt::format("(\"file name\"),(0-1),{}", offsets)) || !allowed() ||
        !named(command, 0)) {
        return;
    }
    auto binary = command.number_at(1, 0, 1, 1);
    auto offset = offset_of(command, 2);
    if (!binary || !offset) {
        modem_.error(cme::bad_parameters);
        return;
    }
    begin_stream(Work::store);
    used_rest();
    FtpClient::Transfer transfer;
    transfer.path = command.at(0).text;
    transfer.offset = *offset;
    transfer.ascii = *binary == 0;
    modem_.ftp().store(
        transfer,
        [this] {
            head_sent_ = true;
            verdict("+FTPSTOR", 2);
            modem_.enter_data_mode();
        },
        [this](const FtpResult& result) {
            work_ = Work::none;
            modem_.wire().hold_input(false);
            if (modem_.data_mode()) {
                // The server ended it: what the host still sends is no command.
                modem_.leave_data_mode();
            }
            if (std::exchange(broken_off_, false)) {
                modem_.urc("OK");
                verdict("+FTPSTOR", 0);
                return;
            }
            verdict("+FTPSTOR", result.ok() ? 1 : 0);
        });
}

void FibocomL610::data(std::string_view bytes) {
    if (work_ != Work::store || stream_done_) {
        return;
    }
    std::string plain;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        char c = bytes[at];
        if (!escape_next_ && c == dle) {
            escape_next_ = true;
        } else if (!escape_next_ && c == etx) {
            stream_done_ = true;
            modem_.leave_data_mode();
            modem_.receive(bytes.substr(at + 1));
            break;
        } else {
            escape_next_ = false;
            plain += c;
        }
    }
    modem_.stats().line_payload_from_host += plain.size();
    modem_.ftp().feed(plain);
    if (stream_done_) {
        modem_.ftp().finish();
    }
    modem_.wire().hold_input(!stream_done_ && modem_.ftp().room() == 0);
}

/// `+++`: the transfer is dead, the session lives. The end of a download is shown by its ETX.
void FibocomL610::break_off() {
    broken_off_ = true;
    stream_done_ = work_ == Work::store;
    modem_.ftp().break_data();
}

void FibocomL610::pump() {
    switch (work_) {
        case Work::list:
        case Work::retrieve:
            pump_stream();
            break;
        case Work::store:
            modem_.wire().hold_input(!stream_done_ && modem_.ftp().room() == 0);
            break;
        case Work::get:
            pump_cache();
            break;
        case Work::none:
        case Work::command:
        case Work::put:
            break;
    }
}

// ---- FTPGET and FTPRECV ----------------------------------------------------------------------

void FibocomL610::get(const Command& command) {
    if (command.kind == Kind::read) {
        if (!get_name_.empty() && !cache_.empty()) {
            modem_.answer(fmt::format("{}\"{}\",{},{}", modem_.tag("+FTPGET"), get_name_,
                                      get_ascii_ ? 0 : 1, get_eof_ ? 1 : 0));
        }
        modem_.ok();
        return;
    }
    if (read_or_test(command, "", fmt::format("(\"file name\"),(0-1),{}", offsets)) || !allowed() ||
        !named(command, 0)) {
        return;
    }
    auto binary = command.number_at(1, 0, 1, 1);
    auto offset = offset_of(command, 2);
    if (!binary || !offset) {
        modem_.error(cme::bad_parameters);
        return;
    }
    modem_.ok();
    used_rest();
    work_ = Work::get;
    cache_.clear();
    get_name_ = command.at(0).text;
    get_ascii_ = *binary == 0;
    get_at_ = *offset;
    get_paused_ = false;
    get_eof_ = false;
    get_told_ = false;
    fetch();
}

void FibocomL610::fetch() {
    get_fetching_ = true;
    FtpClient::Transfer transfer;
    transfer.path = get_name_;
    transfer.offset = get_at_;
    transfer.ascii = get_ascii_;
    modem_.ftp().retrieve(transfer, [this](const FtpResult& result) { fetched(result); });
}

void FibocomL610::fetched(const FtpResult& result) {
    get_fetching_ = false;
    if (get_paused_) {
        return;
    }
    bool good = result.ok();
    cache_available();
    get_eof_ = good;
    if (cache_.size() == cache_size && modem_.ftp().available() > 0) {
        // The rest does not fit: it is fetched again when there is room.
        get_eof_ = false;
        get_paused_ = true;
        return;
    }
    work_ = Work::none;
    if (good && !get_told_ && !cache_.empty()) {
        tell_cached();
    }
    verdict("+FTPGET", good ? 1 : 0);
}

/// What the server has sent goes to the buffer, as far as it has room.
void FibocomL610::cache_available() {
    auto bytes = modem_.ftp().take(cache_size - cache_.size());
    if (bytes.empty()) {
        return;
    }
    bool first = cache_.empty();
    cache_ += bytes;
    get_at_ += bytes.size();
    if (first) {
        watch_cache();
    }
}

void FibocomL610::tell_cached() {
    get_told_ = true;
    if (!modem_.quirks().is("ftpget2", "none")) {
        verdict("+FTPGET", 2, Lead::lf);
    }
}

void FibocomL610::pump_cache() {
    if (get_fetching_) {
        cache_available();
    }
    bool full = cache_.size() == cache_size;
    if (!get_told_ && (full || (!cache_.empty() && modem_.quirks().is("ftpget2", "early")))) {
        tell_cached();
    }
    if (full && get_fetching_ && !get_paused_) {
        get_paused_ = true;
        modem_.ftp().break_data();
    } else if (get_paused_ && !get_fetching_ && cache_.size() <= cache_size / 2) {
        get_paused_ = false;
        fetch();
    }
}

/// 1.2.19: what nobody reads for two minutes is dropped, and the session with it.
void FibocomL610::watch_cache() {
    auto& timers = modem_.timers();
    timers.cancel(std::exchange(discard_timer_, 0));
    if (cache_.empty()) {
        return;
    }
    auto limit = milliseconds(modem_.quirks().number("discard") * 1000);
    discard_timer_ = timers.after(limit, [this] {
        discard_timer_ = 0;
        modem_.ftp().abort();
        end_session();
    });
}

void FibocomL610::receive(const Command& command) {
    if (read_or_test(command, std::to_string(cache_.size()), "(1-3000)")) {
        return;
    }
    auto wanted = command.number_at(0, 1, longest_read);
    if (!wanted) {
        modem_.error(cme::bad_parameters);
        return;
    }
    if (session_ != Session::open || get_name_.empty()) {
        modem_.error(cme::not_allowed);
        return;
    }
    recv_flip_ = !recv_flip_;
    bool nothing = recv_flip_ && modem_.quirks().is("recv-zero", "yes");
    auto count = nothing ? 0 : std::min<std::size_t>(*wanted, cache_.size());
    auto bytes = cache_.substr(0, count);
    cache_.erase(0, count);
    watch_cache();
    modem_.stats().line_payload_to_host += count;
    modem_.raw(fmt::format("\r\n{}{}\r\n{}", modem_.tag("+FTPRECV"), count, bytes));
    modem_.ok();
}

// ---- FTPPUT ----------------------------------------------------------------------------------

void FibocomL610::put(const Command& command) {
    if (read_or_test(command, "", "(\"file name\"),(1-1024),(0-1),(0-1)")) {
        return;
    }
    bool going = work_ == Work::put;
    if ((!going && !allowed()) || !named(command, 0)) {
        return;
    }
    auto length = command.number_at(1, 1, longest_put);
    auto last = command.number_at(2, 0, 1);
    auto binary = command.number_at(3, 0, 1, 1);
    if (!length || !last || !binary) {
        modem_.error(cme::bad_parameters);
        return;
    }
    const auto& name = command.at(0).text;
    if (going && (name != put_name_ || put_done_)) {
        modem_.error(cme::not_allowed);
        return;
    }
    auto prompt = [this, length] {
        modem_.raw(fmt::format("\r\n{}2,{}\r\n", modem_.tag("+FTPPUT"), *length));
    };
    if (!going) {
        put_begin(name, *binary == 0);
    }
    auto block = [this, final_block = *last == 1](std::string bytes) {
        put_block(final_block, std::move(bytes));
    };
    const auto& quirks = modem_.quirks();
    if (quirks.is("ftpput", "ok-prompt-data")) {
        modem_.ok();
        prompt();
    } else {
        prompt();
        if (quirks.is("ftpput", "prompt-ok-data")) {
            modem_.ok();
        }
    }
    modem_.expect_block(static_cast<std::size_t>(*length), block);
}

void FibocomL610::put_begin(const std::string& name, bool ascii) {
    work_ = Work::put;
    put_name_ = name;
    put_done_ = false;
    put_over_ = false;
    FtpClient::Transfer transfer;
    transfer.path = name;
    transfer.ascii = ascii;
    modem_.ftp().store(transfer, {}, [this](const FtpResult& result) {
        put_over_ = true;
        if (put_done_) {
            put_ended(result.ok());
        }
        // Otherwise the next block learns that there is no data connection any more.
    });
}

void FibocomL610::put_block(bool last, std::string bytes) {
    if (put_over_) {
        put_ended(false);
        return;
    }
    modem_.ftp().feed(bytes);
    if (last) {
        // The verdict comes with the server's.
        put_done_ = true;
        modem_.ftp().finish();
    } else {
        put_accept();
    }
}

/// A block is taken over once the module's own buffer has room again.
void FibocomL610::put_accept() {
    if (work_ != Work::put) {
        return;
    }
    if (put_over_) {
        put_ended(false);
    } else if (modem_.ftp().room() == 0) {
        modem_.timers().after(milliseconds(2), [this] { put_accept(); });
    } else {
        put_verdict(true);
    }
}

void FibocomL610::put_ended(bool good) {
    work_ = Work::none;
    put_name_.clear();
    put_verdict(good);
}

void FibocomL610::put_verdict(bool good) {
    bool silent = modem_.quirks().is("ftpput", "no-result");
    if (modem_.pending()) {
        // The command itself has not ended yet: result and OK belong together.
        if (silent && !good) {
            modem_.error(cme::not_allowed);
            return;
        }
        if (!silent) {
            modem_.answer(fmt::format("{}{}", modem_.tag("+FTPPUT"), good ? 1 : 0));
        }
        modem_.ok();
        return;
    }
    verdict("+FTPPUT", good ? 1 : 0);
}

}  // namespace emulator
