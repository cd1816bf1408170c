// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "modem/ftp/types.hpp"

namespace modem {

/// Reads the answer to a LIST or STAT of one path: a single entry, named by its whole path or by
/// its last component, when it is a file; the content when it is a directory. Value type.
class FileAnswer {
public:
    explicit FileAnswer(RemotePath path) : path_(std::move(path)) {}

    /// One line; those of a multi-line reply may keep their "213-". What is no listing line is
    /// ignored.
    void line(std::string_view text);
    /// Size and kind, or nothing when no line told.
    [[nodiscard]] std::optional<Stat> stat() const;
    /// True when a whole status reply (RFC 959: 211, 212 or 213) stood around nothing: the server
    /// answered, and there is no such file.
    [[nodiscard]] bool says_nothing_there() const { return status_ended_ && !stat(); }
    /// True when the last line of a multi-line status reply has been read.
    [[nodiscard]] bool ended() const { return status_ended_; }

private:
    RemotePath path_;
    std::optional<Entry> own_;
    std::size_t others_ = 0;
    bool is_directory_ = false;
    int status_ = 0;
    bool status_ended_ = false;
};

}  // namespace modem
