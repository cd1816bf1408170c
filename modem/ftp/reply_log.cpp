// SPDX-License-Identifier: MIT
#include "modem/ftp/reply_log.hpp"

#include "modem/ftp/reply_codes.hpp"

namespace modem {

void ReplyLog::clear() {
    *this = ReplyLog();
}

void ReplyLog::hear(std::string_view line) {
    empty_ = false;
    const std::size_t first = line.find_first_not_of(" \"<->:");
    if (first == std::string_view::npos) {
        return;
    }
    line.remove_prefix(first);
    if (line.ends_with('"')) {
        line.remove_suffix(1);
    }
    const int code = reply_code(line);
    if (code >= 400) {
        refusal_ = reply_error(code, line);
    }
    completed_ = completed_ || code == 226 || code == 250;
    if (code == 226 && line.find("failed to open directory") != std::string_view::npos) {
        directory_unopened_ = true;
    }
}

}  // namespace modem
