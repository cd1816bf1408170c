// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "modem/at/channel.hpp"
#include "modem/ftp/reply_log.hpp"

namespace modem {

/// True for a final result (ERROR, +CME ERROR): the command has ended. After any other error its
/// verdict may still come.
[[nodiscard]] bool ends_command(const Error& error);

/// FTP commands that answer OK and `prefix: <verdict>`, 0 meaning "failed" without a reason. Knows
/// whether a verdict is still owed, and finds the reason in what the server was overheard to say.
/// Modem thread only; belongs to one dialect.
class Verdicts {
public:
    /// `dialogue` is the URC that shows the FTP dialogue ("+FTPINFO"); `session_stands` asks the
    /// module whether its session does.
    Verdicts(Channel& channel, std::string_view dialogue,
             std::function<Result<bool>()> session_stands);

    /// One command up to its verdict, which comes before or after OK. Errors: the server's reply,
    /// session_lost, or refused when nobody gives a reason; those of Channel::exchange().
    Result<Fields> ask(const Command& command, std::string_view prefix);
    /// A setting that firmware may not know: false when it was refused.
    Result<bool> offer(const Command& command);

    // ---- for operations that take more than one answer ----------------------------------------
    /// A verdict is owed from now on, as `prefix: …`, or in a way that only the operation knows.
    void begin(std::string_view prefix = {});
    void settle() { owed_ = false; }  ///< it has come, or the session is gone
    [[nodiscard]] bool owed() const { return owed_; }
    /// What the line that is owed begins with; empty: nothing is owed, or no line of its own.
    [[nodiscard]] std::string_view owed_prefix() const {
        return owed_ ? std::string_view(prefix_) : std::string_view();
    }
    /// The operation was broken off in good order: nothing has to be recovered, and the session
    /// stands or not. Told once, and until the next begin().
    void leave_in_order(bool session_stands);
    [[nodiscard]] std::optional<bool> take_order() { return std::exchange(order_, std::nullopt); }
    /// Lines that are no answer: the server's replies are remembered.
    void hear(std::string_view line);
    void hear_kept();
    /// Lines that have arrived by now and are no answer, without waiting. Before a command that
    /// continues an operation: Channel::send() forgets what it finds unclaimed.
    Result<std::vector<std::string>> overheard();
    [[nodiscard]] const ReplyLog& replies() const { return replies_; }
    /// What to return for an error on the way to the verdict; settles if it was a final result.
    [[nodiscard]] tl::unexpected<Error> failed(Error error);
    /// What to return for the verdict 0. Waits a moment for the server's reply to show up.
    [[nodiscard]] tl::unexpected<Error> operation_failed(std::string_view prefix);
    /// expect(), with failed() applied.
    Result<Fields> expect(std::string_view prefix);

private:
    [[nodiscard]] tl::unexpected<Error> explained(Error error);

    Channel& channel_;
    std::string dialogue_;
    std::function<Result<bool>()> session_stands_;
    ReplyLog replies_;
    bool owed_ = false;
    std::string prefix_;
    std::optional<bool> order_;
};

}  // namespace modem
