// SPDX-License-Identifier: MIT
#include "modem/ftp/reply_codes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "modem/at/parse.hpp"

namespace modem {
namespace {

struct Wording {
    std::string_view words;  // lower case
    Errc code;
};

// What vsftpd, ProFTPD, Pure-FTPd, IIS, FileZilla Server and pyftpdlib say: mostly strerror() or
// the Windows message table. The first row that matches decides, so the more special ones stand
// first ("not a directory" before anything with "no such ... directory").
constexpr std::array wordings{
    // RFC 959's own gloss of 550, repeated by some modules: names every cause, so says none.
    Wording{"file not found, no access", Errc::rejected},
    Wording{"no space left", Errc::no_space},
    Wording{"quota", Errc::no_space},
    Wording{"disk full", Errc::no_space},
    Wording{"not enough space", Errc::no_space},
    Wording{"insufficient storage", Errc::no_space},
    Wording{"being used by another process", Errc::server_busy},
    Wording{"resource busy", Errc::server_busy},
    Wording{"text file busy", Errc::server_busy},
    Wording{"not empty", Errc::not_empty},
    Wording{"not a directory", Errc::not_directory},
    Wording{"directory name is invalid", Errc::not_directory},
    Wording{"is a directory", Errc::is_directory},
    Wording{"not a regular file", Errc::is_directory},
    Wording{"not a plain file", Errc::is_directory},
    Wording{"only retrieve regular files", Errc::is_directory},
    Wording{"already exist", Errc::exists},
    Wording{"file exists", Errc::exists},
    Wording{"directory exists", Errc::exists},
    Wording{"no such file", Errc::not_found},
    Wording{"no such directory", Errc::not_found},
    Wording{"not found", Errc::not_found},
    Wording{"cannot find", Errc::not_found},
    Wording{"can't find", Errc::not_found},
    Wording{"couldn't find", Errc::not_found},
    Wording{"doesn't exist", Errc::not_found},
    Wording{"does not exist", Errc::not_found},
    Wording{"permission", Errc::permission},
    Wording{"access is denied", Errc::permission},
    Wording{"access denied", Errc::permission},
    Wording{"not permitted", Errc::permission},
    Wording{"not allowed", Errc::permission},
    Wording{"not enough privileges", Errc::permission},
    Wording{"forbidden", Errc::permission},
    Wording{"read-only", Errc::permission},
    Wording{"not authorized", Errc::permission},
    Wording{"outside the user's root", Errc::permission},
};

std::optional<Errc> match(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    for (const Wording& row : wordings) {
        if (lower.find(row.words) != std::string::npos) {
            return row.code;
        }
    }
    return std::nullopt;
}

// Most servers say "name: reason". The reason is looked at first, since a file may well be named
// "quota" or "not found".
std::optional<Errc> by_words(std::string_view text) {
    const std::size_t colon = text.rfind(": ");
    if (colon != std::string_view::npos) {
        if (const auto code = match(text.substr(colon + 2))) {
            return code;
        }
    }
    return match(text);
}

Errc by_number(int reply) {
    switch (reply) {
        case 421:
            return Errc::session_lost;
        case 425:
        case 426:
            return Errc::data_connection;
        case 430:
        case 530:
        case 532:
            return Errc::login_refused;
        case 452:
        case 552:
            return Errc::no_space;
        case 500:
        case 501:
        case 502:
        case 504:
            return Errc::not_supported;
        case 521:
            return Errc::exists;  // "521 directory already exists" of RFC 959 appendix II
        default:
            break;
    }
    if (reply >= 400 && reply < 500) {
        return Errc::server_busy;
    }
    return reply >= 500 && reply < 600 ? Errc::rejected : Errc::garbled;
}

// Replies whose number alone says too little. 450 and 451 are among them: ProFTPD answers
// "450 x: No such file or directory" to LIST.
bool words_decide(int reply) {
    return reply == 450 || reply == 451 || reply == 521 || reply == 550 || reply == 553 ||
           reply == 554;
}

}  // namespace

Error reply_error(int reply, std::string_view text) {
    const std::string number = std::to_string(reply);
    if (text.starts_with(number)) {
        text.remove_prefix(number.size());
    }
    const std::size_t first = text.find_first_not_of(" -");
    text = first == std::string_view::npos ? std::string_view() : text.substr(first);
    Errc code = by_number(reply);
    if (words_decide(reply)) {
        code = by_words(text).value_or(code);
    }
    std::string what = "the server said: " + number;
    if (!text.empty()) {
        what += ' ';
        what += printable(text);
    }
    return Error{code, reply, std::move(what)};
}

int reply_code(std::string_view line) {
    if (line.size() < 3 || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) {
        return 0;
    }
    int value = 0;
    for (const char byte : line.substr(0, 3)) {
        if (byte < '0' || byte > '9') {
            return 0;
        }
        value = value * 10 + (byte - '0');
    }
    return value >= 100 && value < 600 ? value : 0;
}

}  // namespace modem
