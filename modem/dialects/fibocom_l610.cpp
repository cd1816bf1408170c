// SPDX-License-Identifier: MIT
#include "modem/dialects/fibocom_l610.hpp"

#include <algorithm>
#include <array>

#include "modem/dialects/registry.hpp"
#include "modem/ftp/rescue.hpp"

namespace modem {
namespace {

constexpr char etx = 0x03;
constexpr milliseconds owed_patience{5000};   // for the answer to a command that was given up
constexpr milliseconds end_patience{10'000};  // for that to the end of an upload

// Section 2.3. Section 2.1 is 3GPP's own table and stands in error_codes.cpp.
constexpr auto tcp_errors = std::to_array<ErrorCode>({
    {2000, Errc::invalid_argument, "TCP/IP: wrong parameter"},
    {2001, Errc::not_supported, "TCP/IP: not possible while PPP is up"},
    {2002, Errc::dns_failed, "TCP/IP: the host name could not be resolved"},
    {2003, Errc::module_memory, "TCP/IP: no socket left in the module"},
    {2004, Errc::refused, "TCP/IP: invalid operation"},
    {2005, Errc::connect_failed, "TCP/IP: protocol error"},
    {2006, Errc::refused, "TCP/IP: too much data in one piece"},
    {2007, Errc::module_memory, "TCP/IP: no memory for the data to send"},
    {2008, Errc::bearer_lost, "TCP/IP: the service is not in a state to do that"},
    {2009, Errc::bearer_lost, "TCP/IP: no PDP context is defined"},
    {2010, Errc::connect_failed, "TCP/IP: no socket could be made"},
    {2011, Errc::connect_failed, "TCP/IP: the socket could not be bound"},
    {2012, Errc::connect_failed, "TCP/IP: could not connect to the server"},
    {2013, Errc::data_connection, "TCP/IP: sending failed"},
    {2014, Errc::refused, "TCP/IP: the socket could not be closed"},
    {2015, Errc::module_memory, "TCP/IP: no receive buffer"},
    {2016, Errc::data_connection, "TCP/IP: receiving failed"},
    {2017, Errc::refused, "TCP/IP: the socket is in use"},
    {2018, Errc::module_memory, "TCP/IP: no send buffer"},
    {2019, Errc::data_connection, "TCP/IP: data could not be sent"},
    {2020, Errc::refused, "TCP/IP: the data to send is beyond the limit"},
    {2021, Errc::data_connection, "TCP/IP: could not enter listening mode"},
    {2022, Errc::data_connection, "TCP/IP: could not listen"},
    {2023, Errc::connect_failed, "TCP/IP: socket error"},
    {2024, Errc::session_lost, "TCP/IP: the socket is not open"},
    {2025, Errc::refused, "TCP/IP: the stack could not be configured"},
    {2026, Errc::refused, "TCP/IP: nothing to send"},
    {2027, Errc::data_connection, "TCP/IP: the socket is not in a state to send"},
    {2028, Errc::session_lost, "TCP/IP: the other side closed the connection"},
    {2029, Errc::connect_failed, "TCP/IP: ping failed"},
    {2030, Errc::bearer_lost, "TCP/IP: PPP is not connected"},
    {2031, Errc::bearer_lost, "TCP/IP: no active MIPCALL"},
    {2032, Errc::bearer_lost, "TCP/IP: ETCPIP is not active"},
    {2033, Errc::refused, "TCP/IP: reserved error 2033"},
});

constexpr Capabilities abilities{
    .list = true,
    .list_hidden_option = true,
    .size = true,
    .retrieve_offset = true,
    .store = true,
    .store_offset = true,
    .remove = true,
    .make_directory = true,
    .remove_directory = true,
    .rename = true,
    .retrieve_stream = true,
    .retrieve_paced = true,
    .store_stream = true,
    .store_paced = true,
    .break_off_stream = false,  // by DTR alone, which few boards have wired
    .break_off_paced = true,
    .break_off_ends_session = true,
    .xon_xoff = false,  // DLE/ETX escapes neither XON nor XOFF
    .eight_bit_names = true,
    .sftp = true,
    .max_name = 255,
    .max_path = 255,
    .max_offset = 0xFFFFFFE,  // 1.2.15, 1.2.16, 1.2.18: as printed
};

bool is_address(std::string_view text) {
    return std::count(text.begin(), text.end(), '.') == 3 && text != "0.0.0.0" &&
           text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool matches(const Identity& identity) {
    return (identity.model + ' ' + identity.ati).find("L610") != std::string::npos;
}

}  // namespace

DialectEntry fibocom_l610() {
    return {"fibocom-l610", matches, "AT+FTPRECV=?",
            [](Channel& channel, const config::Config&) -> std::unique_ptr<Dialect> {
                return std::make_unique<FibocomL610>(channel);
            }};
}

FibocomL610::FibocomL610(Channel& channel)
    : Dialect(channel), verdicts_(channel, "+FTPINFO", [this] { return session_stands(); }) {}

const Capabilities& FibocomL610::capabilities() const {
    return abilities;
}

std::span<const ErrorCode> FibocomL610::error_codes() const {
    return tcp_errors;
}

// 1.2.1
Result<bool> FibocomL610::session_stands() {
    TRY(const Fields state, channel().exchange("AT+FTPOPEN?", "+FTPOPEN", milliseconds(5000)));
    return state.number(0) == 1;
}

// ---- bring-up --------------------------------------------------------------------------------

// 1.2.16 note 2: on USB a timer holds the module's output back unless it is told not to.
Result<void> FibocomL610::prepare() {
    if (channel().stream().is_usb()) {
        CHECK(verdicts_.offer(R"(AT+GTSET="FTPLIMIT",0)"));
    }
    return {};
}

Result<std::string> FibocomL610::bearer_address() {
    auto answer = channel().exchange("AT+MIPCALL?", "+MIPCALL", milliseconds(5000));
    if (!answer && !ends_command(answer.error()) && answer.error().code != Errc::timed_out) {
        return fail(std::move(answer).error());
    }
    if (answer) {
        for (const std::string& field : answer->fields) {
            if (is_address(field)) {
                return field;
            }
        }
    }
    return std::string();
}

// Written only when it differs: some firmwares drop the attachment when a context is redefined.
Result<void> FibocomL610::define_context(const Bearer& bearer) {
    TRY(const auto contexts, channel().command("AT+CGDCONT?"));
    for (const std::string& line : contexts) {
        const Fields context = parse_fields(line);
        if (has_prefix(line, "+CGDCONT") && context.number(0) == 1 &&
            context.text(2) == bearer.apn) {
            return {};
        }
    }
    CHECK(channel().command(Command("AT+CGDCONT").number(1).quoted("IP").quoted(bearer.apn)));
    return {};
}

Result<std::string> FibocomL610::open_bearer(const Bearer& bearer) {
    TRY(std::string address, bearer_address());
    if (!address.empty()) {
        return address;
    }
    CHECK(define_context(bearer));
    Command call("AT+MIPCALL");
    call.number(1);
    if (!bearer.user.empty()) {
        call.quoted(bearer.apn).quoted(bearer.user).secret(bearer.password);
    }
    TRY(const Fields answer, channel().exchange(call, "+MIPCALL"));
    if (answer.number(0) == 0) {
        return fail(Errc::bearer_lost,
                    "AT+MIPCALL: the network gave no address for APN \"" + bearer.apn + "\"");
    }
    for (const std::string& field : answer.fields) {
        if (is_address(field)) {
            return field;
        }
    }
    return bearer_address();
}

Result<void> FibocomL610::close_bearer() {
    auto answer = channel().exchange("AT+MIPCALL=0", "+MIPCALL", milliseconds(30'000));
    if (!answer && !ends_command(answer.error())) {
        return fail(std::move(answer).error());
    }
    return {};  // ERROR: there was none
}

// 1.2.21, 1.2.3: FTPOPEN sets passive mode, says the manual; asked once, whether that is so.
Result<void> FibocomL610::set_mode(bool passive) {
    const std::uint64_t wanted = passive ? 0 : 1;
    if (!mode_differs_) {
        auto answer = channel().command("AT+FTPMODE?");
        if (!answer && !ends_command(answer.error())) {
            return fail(std::move(answer).error());
        }
        mode_differs_ = !passive;
        for (const std::string& line : answer ? *answer : std::vector<std::string>()) {
            if (has_prefix(line, "+FTPMODE")) {
                mode_differs_ = parse_fields(line).number(0) != static_cast<std::int64_t>(wanted);
            }
        }
    }
    if (*mode_differs_) {
        CHECK(channel().command(Command("AT+FTPMODE").number(wanted)));
    }
    return {};
}

// 1.2.1. FTPINFO "only works after FTPOPEN", but where it works before, a refused login has a
// reason; so it is offered before, and again after unless its lines were seen.
Result<void> FibocomL610::log_in(const Server& server) {
    CHECK(verdicts_.offer("AT+FTPINFO=1"));
    Command open("AT+FTPOPEN");
    open.quoted(server.host).quoted(server.user).secret(server.password);
    open.empty().empty().number(server.port).number(0);
    if (server.security == config::Security::sftp) {
        open.number(1);
    }
    auto opened = verdicts_.ask(open, "+FTPOPEN");
    if (!opened && opened.error().code == Errc::session_lost && opened.error().number == 0) {
        return fail(Errc::connect_failed,
                    "AT+FTPOPEN: no connection or no login, the module does not say which: check "
                    "`ftp.host`, `ftp.port`, `ftp.user` and the password");
    }
    CHECK(opened);
    if (verdicts_.replies().empty()) {
        CHECK(verdicts_.offer("AT+FTPINFO=1"));
    }
    return set_mode(server.passive);
}

// 1.2.2
Result<void> FibocomL610::log_out() {
    auto closed = channel().exchange("AT+FTPCLOSE", "+FTPCLOSE");
    if (!closed && !ends_command(closed.error())) {
        return fail(std::move(closed).error());
    }
    if (!closed || closed->number(0) != 1) {
        TRY(const bool stands, session_stands());
        if (stands) {
            return fail(Errc::refused, "AT+FTPCLOSE: the module does not end its FTP session");
        }
    }
    verdicts_.settle();
    return {};
}

// 1.2.14
Result<void> FibocomL610::keep_alive() {
    CHECK(verdicts_.ask("AT+FTPNOOP", "+FTPNOOP"));
    return {};
}

// ---- order ---------------------------------------------------------------------------------

UrcMeaning FibocomL610::urc(std::string_view line) const {
    constexpr std::array banners{"RDY",        "NORMAL POWER DOWN", "POWERED DOWN", "+SIM READY",
                                 "Call Ready", "SMS Ready",         "+CFUN: 1"};
    constexpr std::array noise{"RING",  "+CRING", "+CLIP", "+CMTI",   "+CIEV", "+CTZV",
                               "+CTZE", "+CTZR",  "+NITZ", "+CUSATP", "^MODE", "+GTRAT"};
    if (std::find(banners.begin(), banners.end(), line) != banners.end()) {
        return UrcMeaning::restarted;
    }
    if (std::any_of(noise.begin(), noise.end(),
                    [&](std::string_view prefix) { return has_prefix(line, prefix); })) {
        return UrcMeaning::ignored;
    }
    const Fields fields = parse_fields(line);
    if (has_prefix(line, "+MIPCALL") && fields.number(0) == 0) {
        return UrcMeaning::bearer_lost;
    }
    if (line == "+SIM DROP" || has_prefix(line, "+CGEV")) {
        // 3GPP TS 27.007 section 10.1.19; our context is the first
        const bool ours = line.ends_with(" 1") || line.ends_with(",1");
        const bool lost = line.find("DETACH") != std::string_view::npos ||
                          (ours && line.find("DEACT") != std::string_view::npos);
        return lost || line == "+SIM DROP" ? UrcMeaning::bearer_lost : UrcMeaning::ignored;
    }
    if (has_prefix(line, "+FTPCLOSE") && fields.number(0) == 1) {
        return UrcMeaning::session_lost;
    }
    const bool registration =
        has_prefix(line, "+CREG") || has_prefix(line, "+CGREG") || has_prefix(line, "+CEREG");
    // An answer to AT+CREG? has two fields or more.
    return registration && fields.fields.size() == 1 ? UrcMeaning::ignored : UrcMeaning::unknown;
}

// A transfer that was given up before its first answer may still begin: what is sent then is data.
Result<void> FibocomL610::await_owed() {
    const std::string prefix(verdicts_.owed_prefix());
    const bool in_block = put_ready_ && !unsent_.empty();
    if (prefix.empty() || data_mode_ != DataMode::none || in_block) {
        return {};
    }
    auto verdict = channel().expect(prefix, owed_patience);
    if (!verdict && !ends_command(verdict.error()) && verdict.error().code != Errc::timed_out) {
        return fail(std::move(verdict).error());
    }
    const bool begins = verdict && verdict->number(0) == 2;
    if (begins && prefix != "+FTPPUT") {
        data_mode_ = prefix == "+FTPSTOR" ? DataMode::sending : DataMode::receiving;
    }
    if (!begins) {
        unsent_.clear();
        const bool lasts = prefix == "+FTPPUT";  // its data connection stays open
        if (!lasts && (verdict || ends_command(verdict.error()))) {
            verdicts_.settle();
        }
    }
    return {};
}

// DTR ends FTP where it is wired (1.2.2 note). Else ETX: the server has a beginning of the file
// then, as after every other way to break off, and nothing that is not the file's. +++ would be
// data to a module that does not heed it, so it comes last.
Result<void> FibocomL610::leave_upload() {
    TRY(const bool left, leave_by_dtr(channel()));
    if (left) {
        return {};
    }
    CHECK(channel().write_raw(unsent_, owed_patience));
    unsent_.clear();
    CHECK(channel().write_byte(etx, owed_patience));
    data_mode_ = DataMode::none;
    auto verdict = channel().expect("+FTPSTOR", end_patience);
    if (verdict) {
        verdicts_.settle();
        return {};
    }
    return verdict.error().code == Errc::timed_out ? channel().escape()
                                                   : Result<void>(fail(verdict.error()));
}

Result<bool> FibocomL610::recover() {
    if (const auto stands = verdicts_.take_order()) {
        return *stands;
    }
    CHECK(await_owed());
    if (data_mode_ == DataMode::receiving) {
        CHECK(leave_receiving(channel()));
    } else if (data_mode_ == DataMode::sending) {
        CHECK(leave_upload());
    } else if (!unsent_.empty()) {
        // The module counts: only the rest of the block brings it back, and those bytes are right.
        CHECK(channel().write_raw(unsent_, owed_patience));
    }
    unsent_.clear();
    CHECK(synchronise(channel()));
    data_mode_ = DataMode::none;
    TRY(const bool stands, session_stands());
    if (stands && !verdicts_.owed()) {
        return true;
    }
    if (stands) {
        // A verdict that is still to come would be taken for that of the next command.
        CHECK(log_out());
    }
    session_gone();
    return false;
}

void FibocomL610::session_gone() {
    verdicts_.settle();
    data_mode_ = DataMode::none;
    unsent_.clear();
    download_ = {};
}

}  // namespace modem
