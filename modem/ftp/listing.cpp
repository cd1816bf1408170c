// SPDX-License-Identifier: MIT
#include "modem/ftp/listing.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "modem/ftp/listing_formats.hpp"

namespace modem {
namespace {

bool is_total_line(std::string_view text) {
    constexpr std::string_view word = "total ";
    if (!text.starts_with(word)) {
        return text == "total";
    }
    text.remove_prefix(word.size());
    // "total 12", but also "total 4.0K" of servers that print human sizes.
    return !text.empty() && text.find_first_not_of(" 0123456789.,KMG") == std::string_view::npos;
}

bool is_harmful(std::string_view name) {
    return name.empty() || name.find('/') != std::string_view::npos ||
           std::any_of(name.begin(), name.end(), [](char byte) {
               const auto value = static_cast<unsigned char>(byte);
               return value < 0x20 || value == 0x7f;
           });
}

}  // namespace

ListingParser::ListingParser(std::time_t now, ToEpoch to_epoch)
    : now_(now), to_epoch_(std::move(to_epoch)) {}

Result<void> ListingParser::feed(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view piece = text.substr(0, end);
        if (partial_.size() + piece.size() > max_line) {
            return fail(Errc::too_large, "a line of the listing is longer than " +
                                             std::to_string(max_line) + " bytes");
        }
        if (end == std::string_view::npos) {
            partial_ += piece;
            return {};
        }
        if (partial_.empty()) {
            CHECK(line(piece));
        } else {
            partial_ += piece;
            CHECK(line(partial_));
            partial_.clear();
        }
        text.remove_prefix(end + 1);
    }
    return {};
}

Result<Listing> ListingParser::finish() {
    if (!partial_.empty()) {
        CHECK(line(partial_));
        partial_.clear();
    }
    return std::move(listing_);
}

Result<void> ListingParser::line(std::string_view text) {
    if (text.ends_with('\r')) {
        text.remove_suffix(1);
    }
    if (text.empty() || is_total_line(text)) {
        return {};
    }
    std::optional<Entry> entry = parse_listing_line(text, now_, to_epoch_);
    if (!entry) {
        ++listing_.skipped;
        return {};
    }
    if (entry->name == "." || entry->name == "..") {
        listing_.shows_dot_entries = true;
        return {};
    }
    if (is_harmful(entry->name)) {
        ++listing_.harmful;
        return {};
    }
    if (listing_.entries.size() >= max_entries) {
        return fail(Errc::too_large,
                    "the listing has more than " + std::to_string(max_entries) + " entries");
    }
    listing_.entries.push_back(*std::move(entry));
    return {};
}

std::optional<Entry> parse_listing_line(std::string_view line, std::time_t now,
                                        const ListingParser::ToEpoch& to_epoch) {
    if (line.empty()) {
        return std::nullopt;
    }
    const listing_formats::Dates dates(now, to_epoch);
    if (line.front() == '+') {
        return listing_formats::eplf(line);
    }
    if (line.front() >= '0' && line.front() <= '9') {
        return listing_formats::dos(line, dates);
    }
    return listing_formats::unix_style(line, dates);
}

}  // namespace modem
