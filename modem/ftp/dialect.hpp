// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "modem/at/channel.hpp"
#include "modem/at/error_codes.hpp"
#include "modem/ftp/transfer.hpp"
#include "modem/ftp/types.hpp"
#include "modem/result.hpp"

namespace modem {

/// Where to log in. Strings were checked when the config was read (no control characters, no '"').
struct Server {
    std::string host;
    std::uint16_t port = 21;
    std::string user;
    std::string password;
    bool passive = true;
    config::Security security = config::Security::none;
    std::string encoding = "UTF-8";
};

/// The PDP context to use.
struct Bearer {
    std::string apn;
    std::string user;
    std::string password;
};

/// What a line that nobody asked for means, as far as the dialect can tell.
enum class UrcMeaning {
    unknown,       ///< not a URC of this family: an answer, keep it
    ignored,       ///< harmless (signal changes, SMS notices)
    session_lost,  ///< FTP control connection closed
    bearer_lost,
    restarted,  ///< boot banner
};

/// What listing a directory asks for.
struct ListOptions {
    bool hidden = false;  ///< put "-a" before the path (capability list_hidden_option)
};
using TextConsumer = std::function<Result<void>(std::string_view)>;

/// A module family: how each operation is spoken on its line. Blocking code that reads like the
/// manual's examples; modem thread only. A dialect knows nothing of threads, jobs, retries, caches
/// or errno. Every function returns the first failure as it is; the worker then calls recover()
/// before anything else is sent, unless the failure was a clean verdict (Errc of the FTP or
/// "operation fail" kind) after which the line is in command mode by definition.
class Dialect {
public:
    explicit Dialect(Channel& channel) : channel_(channel) {}
    Dialect(const Dialect&) = delete;
    Dialect& operator=(const Dialect&) = delete;
    virtual ~Dialect() = default;

    [[nodiscard]] virtual const Capabilities& capabilities() const = 0;
    /// Rows of the family's own error tables, shown in messages and tested row by row.
    [[nodiscard]] virtual std::span<const ErrorCode> error_codes() const = 0;

    // ---- bring-up, in this order ------------------------------------------------------------
    /// Family settings right after identification (before the SIM is needed). Default: nothing.
    virtual Result<void> prepare() { return {}; }
    /// Attaches and activates; returns the module's address ("10.1.2.3"), if it says one.
    /// An already active context is used as it is. Errors: bearer_lost, sim_missing, ...
    virtual Result<std::string> open_bearer(const Bearer& bearer) = 0;
    virtual Result<void> close_bearer() = 0;
    /// Opens the FTP session: server, mode, login, binary type.
    virtual Result<void> log_in(const Server& server) = 0;
    /// Ends it; succeeds as well when there is none.
    virtual Result<void> log_out() = 0;
    /// Keeps an idle session alive, cheaply. Default: nothing to do.
    virtual Result<void> keep_alive() { return {}; }

    // ---- operations; the session is open ----------------------------------------------------
    virtual Result<void> list(const RemotePath& directory, ListOptions options,
                              const TextConsumer& text);
    virtual Result<Stat> stat(const RemotePath& file);
    virtual Result<void> retrieve(const RemotePath& file, Transfer& transfer);
    /// Returns when the server has confirmed (226), with the count of payload bytes it or the
    /// module confirmed, if one was told.
    virtual Result<std::optional<std::uint64_t>> store(const RemotePath& file, Transfer& transfer);
    virtual Result<void> remove(const RemotePath& file);
    virtual Result<void> make_directory(const RemotePath& directory);
    virtual Result<void> remove_directory(const RemotePath& directory);
    virtual Result<void> rename(const RemotePath& from, const RemotePath& to);

    // ---- order ------------------------------------------------------------------------------
    /// Meaning of a line that arrived outside the current answer. Pure.
    [[nodiscard]] virtual UrcMeaning urc(std::string_view line) const = 0;
    /// After a broken-off, cancelled, timed-out or garbled operation: ends the transfer and brings
    /// the line back to command mode. Returns true when the FTP session still stands.
    virtual Result<bool> recover() = 0;
    /// Restarts the module by AT command (it will print its banner). Default: AT+CFUN=1,1.
    virtual Result<void> soft_reset();
    /// Told when the session ended behind our back, so that remembered settings are forgotten.
    virtual void session_gone() {}

protected:
    [[nodiscard]] Channel& channel() { return channel_; }

private:
    Channel& channel_;
};

/// One line of the registry.
struct DialectEntry {
    std::string_view name;                      ///< as in `modem.dialect`
    bool (*matches)(const Identity& identity);  ///< pure; by ATI, CGMI, CGMM
    /// A test command only this family answers ("AT+FTPRECV=?"), for modules whose identity says
    /// nothing; empty: none.
    std::string_view probe_command;
    std::unique_ptr<Dialect> (*make)(Channel& channel, const config::Config& config);
};

}  // namespace modem
