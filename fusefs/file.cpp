// SPDX-License-Identifier: MIT
#include "fusefs/file.hpp"

#include <algorithm>

namespace fusefs {

Piece piece_below(const File& file, std::uint64_t offset, std::uint64_t end) {
    if (file.frozen) {
        if (offset >= file.frozen->begin()) {
            return {Piece::Kind::local, file.frozen->file, end - offset};
        }
        end = std::min(end, file.frozen->begin());
    }
    if (!file.on_server) {
        return {Piece::Kind::zeros, nullptr, end - offset};
    }
    if (!file.download) {
        return {Piece::Kind::missing, nullptr, end - offset};
    }
    const auto& content = *file.download->content();
    if (const auto run = content.present.run_at(offset); run > 0) {
        return {Piece::Kind::local, content.file, std::min(run, end - offset)};
    }
    const auto next = content.present.next_present(offset).value_or(end);
    return {Piece::Kind::missing, nullptr, std::min(next, end) - offset};
}

Piece piece_at(const File& file, std::uint64_t offset, std::uint64_t end) {
    if (!file.draft) {
        return piece_below(file, offset, end);
    }
    const auto& draft = *file.draft;
    if (const auto run = draft.local.run_at(offset); run > 0) {
        return {Piece::Kind::local, draft.file, std::min(run, end - offset)};
    }
    end = std::min(end, draft.local.next_present(offset).value_or(end));
    if (offset >= draft.below_visible) {
        return {Piece::Kind::zeros, nullptr, end - offset};
    }
    return piece_below(file, offset, std::min(end, draft.below_visible));
}

bool is_complete(const File& file) {
    const auto size = file.size();
    for (std::uint64_t at = 0; at < size;) {
        const auto piece = piece_at(file, at, size);
        if (piece.kind == Piece::Kind::missing) {
            return false;
        }
        at += piece.length;
    }
    return true;
}

}  // namespace fusefs
