// SPDX-License-Identifier: MIT
#include "modem/ftp/listing_formats.hpp"

#include <algorithm>

namespace modem::listing_formats {
namespace {

constexpr std::string_view arrow = " -> ";

// "drwxr-xr-x", also with the ACL and context marks '+', '.', '@' behind it.
bool is_mode(std::string_view word) {
    constexpr std::size_t length = 10;
    if (word.size() < length || word.size() > length + 1) {
        return false;
    }
    if (std::string_view("-dlbcpsDC").find(word.front()) == std::string_view::npos) {
        return false;
    }
    if (word.size() == length + 1 &&
        std::string_view("+.@").find(word.back()) == std::string_view::npos) {
        return false;
    }
    return word.substr(1, length - 1).find_first_not_of("rwxsStTlL-") == std::string_view::npos;
}

EntryKind kind_of(char letter) {
    switch (letter) {
        case '-':
        case 'C':  // contiguous data, an ordinary file to us
            return EntryKind::file;
        case 'd':
            return EntryKind::directory;
        case 'l':
            return EntryKind::symlink;
        default:
            return EntryKind::other;
    }
}

struct SizeAndDate {
    std::uint64_t size = 0;
    std::time_t mtime = 0;
};

// Owner and group may hold blanks or be missing, so the anchor is a number with a date behind it:
// the first such pair from the left, since a name (which may look like a date) comes last.
std::optional<SizeAndDate> find_size_and_date(Words& words, const Dates& dates) {
    std::optional<std::uint64_t> size;
    for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
        if (size) {
            if (const auto mtime = dates.unix_date(word, words)) {
                return SizeAndDate{*size, *mtime};
            }
        }
        size = number(word);
        if (!size) {
            // A device's "major,minor" in one word stands where the size would be.
            const std::size_t comma = word.find(',');
            if (comma != std::string_view::npos && number(word.substr(0, comma)) &&
                number(word.substr(comma + 1))) {
                size = 0;
            }
        }
    }
    return std::nullopt;
}

void split_target(Entry& entry) {
    const std::size_t at = entry.name.find(arrow);
    if (at != std::string::npos) {
        entry.target = entry.name.substr(at + arrow.size());
        entry.name.resize(at);
    }
}

std::string_view without_leading_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// IIS pads "<DIR>" with ten blanks; what is left of them belongs to the name.
std::string_view dos_directory_name(std::string_view rest) {
    constexpr std::size_t padding = 10;
    if (rest.size() > padding && rest.find_first_not_of(' ') >= padding) {
        return rest.substr(padding);
    }
    return without_leading_blanks(rest);
}

}  // namespace

std::optional<Entry> unix_style(std::string_view line, const Dates& dates) {
    Words words(line);
    const std::string_view mode = words.next();
    if (line.front() == ' ' || !is_mode(mode)) {
        return std::nullopt;
    }
    const auto found = find_size_and_date(words, dates);
    if (!found) {
        return std::nullopt;
    }
    Entry entry;
    entry.kind = kind_of(mode.front());
    entry.size = entry.kind == EntryKind::other ? 0 : found->size;
    entry.mtime = found->mtime;
    // One blank separates date and name; more of them are the name's own.
    entry.name = words.rest().empty() ? std::string_view() : words.rest().substr(1);
    if (entry.kind == EntryKind::symlink) {
        split_target(entry);
    }
    return entry;
}

std::optional<Entry> dos(std::string_view line, const Dates& dates) {
    Words words(line);
    const std::string_view date = words.next();
    const std::string_view time = words.next();
    const auto mtime = dates.dos_date(date, time);
    if (!mtime) {
        return std::nullopt;
    }
    Entry entry;
    entry.mtime = *mtime;
    const std::string_view what = words.next();
    if (what == "<DIR>") {
        entry.kind = EntryKind::directory;
        entry.name = dos_directory_name(words.rest());
        return entry;
    }
    if (what == "<JUNCTION>" || what == "<SYMLINKD>" || what == "<SYMLINK>") {
        entry.kind = EntryKind::symlink;
        entry.name = without_leading_blanks(words.rest());
        const std::size_t target = entry.name.rfind(" [");
        if (target != std::string::npos && entry.name.ends_with(']')) {
            entry.target = entry.name.substr(target + 2, entry.name.size() - target - 3);
            entry.name.resize(target);
        }
        return entry;
    }
    const auto size = number(what);
    if (!size) {
        return std::nullopt;
    }
    entry.size = *size;
    entry.name = words.rest().empty() ? std::string_view() : words.rest().substr(1);
    return entry;
}

std::optional<Entry> eplf(std::string_view line) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
        return std::nullopt;
    }
    Entry entry;
    entry.kind = EntryKind::other;
    entry.name = line.substr(tab + 1);
    std::string_view facts = line.substr(1, tab - 1);
    while (!facts.empty()) {
        const std::string_view fact = facts.substr(0, facts.find(','));
        facts.remove_prefix(std::min(facts.size(), fact.size() + 1));
        if (fact == "/") {
            entry.kind = EntryKind::directory;
        } else if (fact == "r") {
            entry.kind = EntryKind::file;
        } else if (fact.starts_with('s')) {
            entry.size = number(fact.substr(1)).value_or(0);
        } else if (fact.starts_with('m')) {
            entry.mtime = static_cast<std::time_t>(number(fact.substr(1)).value_or(0));
        }
    }
    return entry;
}

}  // namespace modem::listing_formats
