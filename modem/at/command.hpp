// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/result.hpp"

namespace modem {

/// One AT command line under construction. It is the only thing a Channel sends, and every string
/// that comes from outside passes quoted() or secret(), so that neither a file name nor a password
/// can end the line and begin another command: control characters and '"' make the command bad,
/// and a bad command is never sent (Errc::invalid_name).
///
/// `Command("AT+FTPOPEN").quoted(host).quoted(user).secret(password).empty().empty().number(21)`
/// gives `AT+FTPOPEN="host","user","pass",,,21`, traced with the password masked.
class Command {
public:
    /// `head` is program text ("AT+FTPLIST", "AT+FTPOPEN?"), never data from outside.
    Command(std::string_view head);  // implicit on purpose: channel.command("AT+FTPPWD")
    Command(const char* head) : Command(std::string_view(head)) {}

    /// A whole line from the administrator (`modem.init`): checked for control characters.
    static Command verbatim(std::string_view line);

    Command& number(std::uint64_t value);
    Command& quoted(std::string_view text);
    /// Unquoted text from outside: letters, digits, and `._-/` only.
    Command& bare(std::string_view text);
    /// As quoted(), shown as `"***"` in trace and logs.
    Command& secret(std::string_view text);
    /// As bare(), masked.
    Command& bare_secret(std::string_view text);
    /// An argument left empty (`,,`).
    Command& empty();
    /// Program text appended as it is, without a separator before or after it:
    /// `.raw("={non-ascii}").quoted(name)`.
    Command& raw(std::string_view program_text);

    /// The line without CR, or why it must not be sent.
    [[nodiscard]] Result<std::string_view> text() const;
    /// The line as trace and logs may show it.
    [[nodiscard]] std::string_view masked() const { return masked_; }
    /// Head up to '=' or '?', for counters by name: "AT+FTPLIST".
    [[nodiscard]] std::string_view counter_name() const;
    /// What secret() and bare_secret() were given, so that the modem's side can be masked as well.
    [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

private:
    Command& append(std::string_view text, std::string_view shown);
    void separate();
    void reject(std::string_view what, char byte);
    void check_program_text(std::string_view text);
    bool check_quoted(std::string_view text);
    bool check_bare(std::string_view text);
    std::string text_;
    std::string masked_;
    std::vector<std::string> secrets_;
    bool has_arguments_ = false;
    bool glue_next_ = false;  ///< the next argument follows raw() directly
    std::optional<Error> bad_;
};

}  // namespace modem
