// SPDX-License-Identifier: MIT
// The L610's transfers at the host's pace: FTPGET with its 500 KB buffer and FTPRECV, FTPPUT.
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

}  // namespace

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
    if (read_or_test(command, "", offset_forms) || !allowed() || !named(command, 0)) {
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
    auto block = [this, final_block = *last == 1](const std::string& bytes) {
        put_block(final_block, bytes);
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

void FibocomL610::put_block(bool last, std::string_view bytes) {
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
