// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace modem {

/// Every way in which an operation can fail, from the tty to the FTP server. One enum for the
/// whole program: fusefs maps it to errno, the D-Bus side to an error name, both exhaustively.
enum class Errc {
    // What we decided ourselves.
    cancelled,      ///< The one who asked no longer wants it.
    gave_way,       ///< A bulk transfer made room for a waiting job; it can be resumed.
    shutting_down,  ///< The daemon is ending; what is durable stays queued.
    // The line and the module.
    line_lost,         ///< Hang-up, ENODEV, EIO: the device is gone.
    timed_out,         ///< No answer within the time allowed.
    garbled,           ///< An answer that no reading of the manual explains.
    module_restarted,  ///< A boot banner in the middle of something.
    refused,           ///< ERROR or "operation fail" without a reason.
    not_supported,     ///< The module (or this dialect) has no such command.
    // SIM, network, bearer.
    link_down,  ///< The link was never up, or is being rebuilt.
    sim_missing,
    pin_required,  ///< PIN or PUK needed: a person has to act.
    no_service,    ///< Not registered, or registration denied.
    bearer_lost,   ///< PDP context / MIPCALL dropped or not obtainable.
    dns_failed,
    connect_failed,  ///< TCP connect to the server failed.
    module_memory,   ///< The module's own memory is full.
    // FTP.
    session_lost,     ///< Control connection closed (421, or by the module).
    login_refused,    ///< 530, 532: a person has to act.
    data_connection,  ///< 425, 426: data connection failed or broke.
    server_busy,      ///< 450, 451, 421 before login: try again later.
    not_found,        ///< 550 with words that say so.
    permission,       ///< 550/553 with words that say so.
    exists,
    not_empty,
    is_directory,
    not_directory,
    no_space,       ///< 452, 552.
    rejected,       ///< Any other 5xx, 550 without words.
    size_mismatch,  ///< What arrived is not as long as it should be.
    changed,        ///< The remote file is not the one we began with.
    // Names.
    invalid_name,  ///< Control characters or '"': must never reach the line.
    name_too_long,
    not_representable,  ///< Not expressible in the server's encoding.
    // Here.
    local_io,        ///< Spool, cache or ledger could not be read or written.
    local_no_space,  ///< Spool or cache full.
    invalid_argument,
    too_large,     ///< A listing or answer beyond any sane limit.
    read_only,     ///< The module cannot write, or the config forbids it.
    cross_device,  ///< No rename on this module: the program has to copy and delete.
};

/// A short stable name ("line_lost") for logs, JSON and D-Bus error names.
[[nodiscard]] std::string_view name(Errc code);

/// True for failures that time can heal (link, time-out, 421, 425, 426, 450, 451, 452): such an
/// upload is retried with back-off; any other one needs a person.
[[nodiscard]] bool is_transient(Errc code);

/// A failure as it travels from the line to the user: our code, the module's or server's own
/// number (0 when there is none) and words that say what happened, where, and what to do.
struct Error {
    Errc code{};
    int number = 0;
    std::string what;
};

template <typename T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
    using tl::expected<T, Error>::expected;
};

/// `return fail(Errc::timed_out, "no answer to AT+FTPLIST within 75 s");`
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string what, int number = 0) {
    return tl::unexpected<Error>(Error{code, number, std::move(what)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

/// The same with the server's own number in view: 552 (quota) is no_space, but not transient.
[[nodiscard]] bool is_transient(const Error& error);

}  // namespace modem

/// Evaluates a Result; on failure returns its error from the enclosing function, else continues.
#define MODEMFTP_CONCAT2(a, b) a##b
#define MODEMFTP_CONCAT(a, b) MODEMFTP_CONCAT2(a, b)
#define CHECK(expression)                                                           \
    do {                                                                            \
        if (auto check_result = (expression); !check_result) {                      \
            return tl::unexpected<::modem::Error>(std::move(check_result).error()); \
        }                                                                           \
    } while (false)
/// `TRY(auto line, channel.next(timeout));` declares `line` or returns the error.
#define TRY(declaration, expression)                                    \
    auto MODEMFTP_CONCAT(try_result_, __LINE__) = (expression);         \
    if (!MODEMFTP_CONCAT(try_result_, __LINE__)) {                      \
        return tl::unexpected<::modem::Error>(                          \
            std::move(MODEMFTP_CONCAT(try_result_, __LINE__)).error()); \
    }                                                                   \
    MODEMFTP_CONCAT2(declaration, ) = *std::move(MODEMFTP_CONCAT(try_result_, __LINE__))
