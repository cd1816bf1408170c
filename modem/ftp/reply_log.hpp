// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "modem/result.hpp"

namespace modem {

/// What the server was overheard to say while one operation ran, for modules that show their FTP
/// dialogue. Keeps the reason behind a bare "operation fail". Modem thread only.
class ReplyLog {
public:
    void clear();
    /// One line of the dialogue as the module shows it: a command of ours or a reply, possibly
    /// quoted or with an arrow before it.
    void hear(std::string_view line);
    /// The last negative reply as an error (reply_error()), if there was one.
    [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }
    /// True when the server ended a transfer with 226 but says that it could not open the
    /// directory: vsftpd lists a directory that does not exist as an empty one.
    [[nodiscard]] bool directory_unopened() const { return directory_unopened_; }
    /// True when the server has said that a transfer is complete (226, 250).
    [[nodiscard]] bool completed() const { return completed_; }
    [[nodiscard]] bool empty() const { return empty_; }

private:
    std::optional<Error> refusal_;
    bool directory_unopened_ = false;
    bool completed_ = false;
    bool empty_ = true;
};

}  // namespace modem
