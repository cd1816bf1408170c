// SPDX-License-Identifier: MIT
// The L610 itself, its bearer and its FTP session.
#include "tests/emulator/fibocom_l610.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace emulator {

namespace {

using Kind = Command::Kind;

constexpr std::array quirk_table{
    Quirk{"ftpopen-error", "result|verdict|urc",
          "a name without address, a refused connection: +CME ERROR 2002/2012 instead of OK; "
          "`verdict`: OK and +FTPOPEN: 0; `urc`: OK, the +CME ERROR line, +FTPOPEN: 0"},
    Quirk{"ftpput", "prompt-ok-data|ok-prompt-data|prompt-data-ok|no-result",
          "order of +FTPPUT: 2,n, OK, the data and +FTPPUT: 1 (1.2.20); `no-result`: no "
          "+FTPPUT: 1 at all, OK after the data is all there is"},
    Quirk{"ftplist", "raw|escaped", "a listing as it is, or with DLE escapes and ETX (1.2.11)"},
    Quirk{"ftplist-head", "own-line|glued", "whether a line end follows +FTPLIST: 2"},
    Quirk{"ftpget2", "early|late|none",
          "+FTPGET: 2 with the first byte in the buffer, when all (or a full buffer) is there, or "
          "never (1.2.18)"},
    Quirk{"ftppwd", "quoted|plain", "quotes around the directory in +FTPPWD: 2 (1.2.7)"},
    Quirk{"text-verdict", "once|twice",
          "`twice`: FTPPWD, FTPSYST and FTPSTAT end with a +FTPxxx: 1 after their text"},
    Quirk{"ftprest", "lasts|once", "whether +FTPREST outlives one transfer (1.2.17)"},
    Quirk{"recv-zero", "no|yes", "`yes`: every other +FTPRECV finds nothing buffered yet"},
    Quirk{"download-mode", "cached|read",
          "FTPGET mode ends when all is in the buffer, or only when all has been read"},
    Quirk{"discard", "#120", "seconds after which an unread buffer and its session are dropped"},
    Quirk{"mipcall-again", "error|ok", "AT+MIPCALL=1 while the bearer is up"},
    Quirk{"sftp", "refused|tls",
          "sftpmode 1: +FTPOPEN: 0 (this emulator has no SSH), or FTP over explicit TLS"},
    Quirk{"port", "serial|usb", "`usb`: FTPRETR sends 1460 bytes each FTPLIMIT ms (1.2.16 note 2)"},
};

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_host = 1024;
constexpr int dns_failed = 2002;
constexpr int connect_failed = 2012;
constexpr int no_bearer = 2031;
constexpr std::string_view address = "10.64.0.2";

}  // namespace

Identity FibocomL610::identity() const {
    return {"Fibocom",
            "L610-CN",
            "16000.1000.00.01.01.05",
            {"Fibocom", "L610-CN", "16000.1000.00.01.01.05"},
            {"RDY", "+SIM READY", "+CFUN: 1"}};
}

// ---- what all commands share -----------------------------------------------------------------

bool FibocomL610::execute(const Command& command) {
    return link_command(command) || session_command(command) || file_command(command) ||
           transfer_command(command);
}

/// Answers the read and test forms; an empty text means that the manual has ERROR there.
bool FibocomL610::read_or_test(const Command& command, std::string_view read,
                               std::string_view test) {
    if (command.kind != Kind::read && command.kind != Kind::test) {
        return false;
    }
    auto text = command.kind == Kind::read ? read : test;
    if (text.empty()) {
        modem_.error(cme::not_supported);
    } else {
        modem_.answer(modem_.tag(command.name) + std::string(text));
        modem_.ok();
    }
    return true;
}

/// Whether an FTP command can run now; answers when it cannot.
bool FibocomL610::allowed() {
    if (int code = modem_.service_error(); code != 0) {
        modem_.error(code);
        return false;
    }
    if (session_ == Session::open && work_ == Work::none && !modem_.ftp().connected()) {
        session_ = Session::closed;
    }
    bool reading = modem_.quirks().is("download-mode", "read") && !cache_.empty();
    if (session_ != Session::open || work_ != Work::none || reading) {
        modem_.error(cme::not_allowed);
        return false;
    }
    return true;
}

bool FibocomL610::named(const Command& command, std::size_t index) {
    const auto& name = command.at(index);
    if (name.text.empty() || !name.quoted) {
        modem_.error(cme::bad_parameters);
        return false;
    }
    if (name.text.size() > longest_name) {
        modem_.error(cme::text_too_long);
        return false;
    }
    return true;
}

std::optional<std::uint64_t> FibocomL610::offset_of(const Command& command, std::size_t index) {
    return command.number_at(index, 0, l610_highest_offset, rest_);
}

void FibocomL610::used_rest() {
    if (modem_.quirks().is("ftprest", "once")) {
        rest_ = 0;
    }
}

void FibocomL610::verdict(std::string_view name, int value, Lead lead) {
    modem_.urc(fmt::format("{}{}", modem_.tag(name), value), lead);
}

void FibocomL610::ftp_trace(const FtpTrace& trace) {
    if (info_ && trace.kind != FtpTrace::Kind::remark) {
        modem_.urc("+FTPINFO:" + trace.text);
    }
}

// ---- bearer ----------------------------------------------------------------------------------

bool FibocomL610::link_command(const Command& command) {
    if (command.is("+MIPCALL")) {
        mipcall(command);
    } else if (command.is("+GTSET")) {
        gtset(command);
    } else {
        return false;
    }
    return true;
}

void FibocomL610::mipcall(const Command& command) {
    if (command.kind == Kind::read) {
        modem_.answer(modem_.tag("+MIPCALL") +
                      (modem_.bearer() ? fmt::format("1,{}", address) : std::string("0")));
        modem_.ok();
        return;
    }
    if (read_or_test(command, "", "(0-1)")) {
        return;
    }
    auto wanted = command.number_at(0, 0, 1);
    int code = modem_.service_error();
    if (!wanted || code != 0) {
        modem_.error(code != 0 ? code : cme::bad_parameters);
        return;
    }
    if (*wanted == 0) {
        modem_.ok();
        end_session();
        modem_.set_bearer(false);
        // A new context is a new start also for a network that had gone deaf.
        auto faults = modem_.ftp().faults();
        faults.black_hole = false;
        modem_.ftp().set_faults(faults);
        modem_.urc(modem_.tag("+MIPCALL") + "0");
        return;
    }
    if (modem_.bearer() && modem_.quirks().is("mipcall-again", "error")) {
        modem_.error(cme::not_allowed);
        return;
    }
    if (modem_.context(1).empty() && command.count() < 2) {
        modem_.error(cme::not_allowed);
        return;
    }
    modem_.ok();
    modem_.set_bearer(true);
    modem_.urc(modem_.tag("+MIPCALL") + std::string(address));
}

void FibocomL610::gtset(const Command& command) {
    if (read_or_test(command, fmt::format("\"FTPLIMIT\",{}", limit_), "\"FTPLIMIT\",(0-1000)")) {
        return;
    }
    auto value = command.number_at(1, 0, 1000);
    if (command.at(0).text != "FTPLIMIT" || !value) {
        modem_.error(cme::bad_parameters);
        return;
    }
    limit_ = *value;
    modem_.ok();
}

void FibocomL610::bearer_lost() {
    end_session();
    modem_.urc(modem_.tag("+MIPCALL") + "0");
}

// ---- session ---------------------------------------------------------------------------------

bool FibocomL610::session_command(const Command& command) {
    if (command.is("+FTPOPEN")) {
        open(command);
    } else if (command.is("+FTPCLOSE")) {
        close(command);
    } else if (command.is("+FTPINFO")) {
        auto value = command.number_at(0, 0, 1);
        if (read_or_test(command, info_ ? "1" : "0", "(0-1)")) {
            return true;
        }
        value ? modem_.ok() : modem_.error(cme::bad_parameters);
        info_ = value.value_or(info_) == 1;
    } else if (command.is("+FTPMODE")) {
        auto value = command.number_at(0, 0, 1);
        if (read_or_test(command, active_ ? "1" : "0", "(0-1)")) {
            return true;
        }
        value ? modem_.ok() : modem_.error(cme::bad_parameters);
        active_ = value.value_or(active_) == 1;
        modem_.ftp().set_active(active_);
    } else {
        return false;
    }
    return true;
}

void FibocomL610::open(const Command& command) {
    bool there = session_ == Session::open && (work_ != Work::none || modem_.ftp().connected());
    if (read_or_test(command, there ? "1" : "0",
                     "(\"destination_ip/url\"),(\"username\"),(\"password\")[,(\"account\"),"
                     "(0-65535),(0-65535),(0-65535),(0-1)]")) {
        return;
    }
    if (int code = modem_.service_error(); code != 0) {
        modem_.error(code);
        return;
    }
    if (!modem_.bearer()) {
        modem_.error(no_bearer);
        return;
    }
    if (there || session_ == Session::opening || session_ == Session::closing) {
        modem_.error(cme::not_allowed);
        return;
    }
    auto source = command.number_at(4, 0, 65535, 0);
    auto port = command.number_at(5, 0, 65535, 21);
    auto data_port = command.number_at(6, 0, 65535, 0);
    auto sftp = command.number_at(7, 0, 1, 0);
    bool too_long = command.at(0).text.size() > longest_host;
    for (std::size_t i = 1; i <= 3; ++i) {
        too_long = too_long || command.at(i).text.size() > longest_name;
    }
    if (command.at(0).text.empty() || command.count() < 3 || command.count() > 8 || !source ||
        !port || !data_port || !sftp || too_long) {
        modem_.error(too_long ? cme::text_too_long : cme::bad_parameters);
        return;
    }
    FtpClient::Login login;
    login.host = command.at(0).text;
    login.user = command.at(1).text;
    login.password = command.at(2).text;
    login.account = command.at(3).text;
    login.source_port = static_cast<std::uint16_t>(*source);
    login.port = static_cast<std::uint16_t>(*port == 0 ? 21 : *port);
    session_ = Session::opening;
    login.tls = *sftp == 1 && modem_.quirks().is("sftp", "tls");
    bool refused = *sftp == 1 && !login.tls;
    if (refused || !modem_.quirks().is("ftpopen-error", "result")) {
        modem_.ok();
    }
    if (refused) {
        opened({FtpResult::Cause::refused, 0, ""});
        return;
    }
    modem_.ftp().set_active(active_, static_cast<std::uint16_t>(*data_port));
    modem_.ftp().login(
        login, [this] { modem_.ok(); }, [this](const FtpResult& result) { opened(result); });
}

void FibocomL610::opened(const FtpResult& result) {
    using Cause = FtpResult::Cause;
    session_ = result.ok() ? Session::open : Session::closed;
    modem_.stats().sessions += result.ok() ? 1 : 0;
    int code = result.cause == Cause::dns ? dns_failed : connect_failed;
    bool network = result.cause == Cause::dns || result.cause == Cause::connect;
    if (network && modem_.pending()) {
        modem_.error(code);
        return;
    }
    modem_.ok();
    if (network && modem_.quirks().is("ftpopen-error", "urc")) {
        modem_.urc(fmt::format("+CME ERROR: {}", code));
    }
    verdict("+FTPOPEN", result.ok() ? 1 : 0);
}

void FibocomL610::close(const Command& command) {
    if (read_or_test(command, "", "")) {
        return;
    }
    // 1.2.2: no effect while a transfer runs; 1.2.18: but it is what ends a download.
    bool idle = work_ == Work::none || work_ == Work::get || work_ == Work::put;
    if (session_ != Session::open || !idle) {
        modem_.error(cme::not_allowed);
        return;
    }
    modem_.ok();
    bool cut = work_ != Work::none;
    end_session();
    if (cut) {
        verdict("+FTPCLOSE", 1);
        return;
    }
    session_ = Session::closing;
    modem_.ftp().logout([this](const FtpResult&) {
        session_ = Session::closed;
        verdict("+FTPCLOSE", 1);
    });
}

/// What the module forgets when its session ends, however that came. The server hears of it only
/// by close().
void FibocomL610::end_session() {
    bool cut = work_ != Work::none || session_ == Session::opening;
    if (cut) {
        modem_.ftp().abort();
    }
    session_ = Session::closed;
    work_ = Work::none;
    cache_.clear();
    get_name_.clear();
    get_eof_ = false;
    get_paused_ = false;
    put_name_.clear();
    modem_.timers().cancel(std::exchange(discard_timer_, 0));
    modem_.wire().hold_input(false);
    if (modem_.data_mode()) {
        modem_.leave_data_mode();
    }
}

void FibocomL610::dtr_dropped() {
    bool data = modem_.data_mode();
    modem_.ftp().abort();
    end_session();
    if (data) {
        modem_.wire().drop_queues();
        modem_.result("NO CARRIER", "3");
    }
}

FamilyEntry fibocom_l610() {
    return {"fibocom-l610",
            [](Modem& modem) -> std::unique_ptr<Family> {
                return std::make_unique<FibocomL610>(modem);
            },
            quirk_table};
}

}  // namespace emulator
