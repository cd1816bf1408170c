// SPDX-License-Identifier: MIT
// The L610's transfers in data mode: FTPLIST, FTPRETR and FTPSTOR.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/emulator/fibocom_l610.hpp"

namespace emulator {

namespace {

using Kind = Command::Kind;

constexpr std::size_t usb_block = 1460;
constexpr std::size_t stream_block = 4096;

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
    decoder_ = {};
    next_block_ = {};
}

void FibocomL610::retrieve(const Command& command) {
    if (read_or_test(command, "", offset_forms) || !allowed() || !named(command, 0)) {
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
    modem_.raw(as_is ? bytes : dle_escape(bytes));
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
    if (read_or_test(command, "", offset_forms) || !allowed() || !named(command, 0)) {
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
    auto end = decoder_.decode(bytes, plain);
    modem_.stats().line_payload_from_host += plain.size();
    modem_.ftp().feed(plain);
    if (!end) {
        modem_.wire().hold_input(modem_.ftp().room() == 0);
        return;
    }
    stream_done_ = true;
    modem_.ftp().finish();
    modem_.leave_data_mode();
    modem_.receive(bytes.substr(*end));
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

}  // namespace emulator
