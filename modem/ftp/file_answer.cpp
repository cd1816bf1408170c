// SPDX-License-Identifier: MIT
#include "modem/ftp/file_answer.hpp"

#include <ctime>
#include <string>

#include "modem/ftp/listing.hpp"
#include "modem/ftp/reply_codes.hpp"

namespace modem {
namespace {

// "… 10:00 /pub/a.bin" → "… 10:00 a.bin": servers repeat the path that they were asked for, and a
// listing entry has no '/'.
std::string with_bare_name(std::string_view line, const RemotePath& path) {
    std::string text(line);
    const std::size_t at = text.rfind(" " + path.text());
    if (path.is_root() || at == std::string::npos) {
        return text;
    }
    const std::size_t end = at + 1 + path.text().size();
    if (end == text.size() || text.compare(end, 4, " -> ") == 0) {
        text.replace(at + 1, path.text().size(), path.name());
    }
    return text;
}

}  // namespace

void FileAnswer::line(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) {
        text.remove_suffix(1);
    }
    const int code = reply_code(text);
    if (code >= 211 && code <= 213) {
        const bool last = text.size() < 4 || text[3] == ' ';
        status_ended_ = last && status_ == code;
        status_ = code;
        text.remove_prefix(text.size() < 4 ? text.size() : 4);
    }
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) {
        return;
    }
    text.remove_prefix(first);
    // The time is not used: only size and kind are.
    const auto entry = parse_listing_line(with_bare_name(text, path_), std::time(nullptr),
                                          [](std::tm broken_down) { return timegm(&broken_down); });
    if (!entry) {
        return;
    }
    if (entry->name == "." || entry->name == "..") {
        is_directory_ = true;
    } else if (entry->name == path_.name()) {
        own_ = entry;
    } else {
        ++others_;
    }
}

std::optional<Stat> FileAnswer::stat() const {
    if (is_directory_ || others_ != 0) {
        return Stat{.size = 0, .mtime = {}, .kind = EntryKind::directory};
    }
    if (own_) {
        return Stat{.size = own_->size, .mtime = {}, .kind = own_->kind};
    }
    return std::nullopt;
}

}  // namespace modem
