// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/result.hpp"

namespace modem {

/// An absolute path on the server: begins with '/', no '.', '..', empty or doubled component, no
/// trailing '/' (but for the root itself). Bytes, in the server's encoding. A path that exists can
/// be sent: control characters and '"' were refused when it was made.
class RemotePath {
public:
    RemotePath() = default;  ///< the root
    /// Checks and normalises. Errors: invalid_name.
    static Result<RemotePath> parse(std::string_view text);

    /// This directory's entry `name`. Errors: invalid_name (control characters, '"', '/', empty,
    /// ".", "..").
    [[nodiscard]] Result<RemotePath> child(std::string_view name) const;
    [[nodiscard]] RemotePath parent() const;      ///< of the root: the root
    [[nodiscard]] std::string_view name() const;  ///< last component, empty for the root
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool is_root() const { return text_.size() == 1; }
    /// True when `this` is `other` or below it.
    [[nodiscard]] bool is_within(const RemotePath& other) const;
    /// True when a server's LIST or STAT could take it for a pattern or an option.
    [[nodiscard]] bool has_glob() const;

    friend bool operator==(const RemotePath&, const RemotePath&) = default;
    friend auto operator<=>(const RemotePath&, const RemotePath&) = default;

private:
    std::string text_ = "/";
};

enum class EntryKind { file, directory, symlink, other };

/// One line of a listing.
struct Entry {
    std::string name;
    EntryKind kind = EntryKind::file;
    std::uint64_t size = 0;
    std::time_t mtime = 0;  ///< UTC; as exact as the listing (a minute, or a day)
    std::string target;     ///< of a symlink
    friend bool operator==(const Entry&, const Entry&) = default;
};

/// A directory as the server told it.
struct Listing {
    std::vector<Entry> entries;      ///< without "." and ".."
    std::size_t skipped = 0;         ///< lines that no known format explains
    std::size_t harmful = 0;         ///< dropped: empty name, '/', "..", control characters
    bool shows_dot_entries = false;  ///< "." was among them: hidden names are shown too
};

/// What one question about one file told.
struct Stat {
    std::uint64_t size = 0;
    std::optional<std::time_t> mtime;
    EntryKind kind = EntryKind::file;
};

/// How payload crosses the line (`modem.transfer`).
enum class Way { stream, paced };

/// What a module can do. Data: fusefs turns it into file-system behaviour and D-Bus publishes it;
/// nobody asks which vendor it is.
struct Capabilities {
    bool list = false;
    bool list_hidden_option = false;  ///< LIST takes "-a" before the path
    bool size = false;                ///< a size question cheaper than LIST of the directory
    bool time = false;                ///< likewise for the modification time
    bool retrieve_offset = false;
    bool store = false;
    bool store_offset = false;  ///< REST + STOR: continue an upload, append at known size
    bool append = false;        ///< APPE
    bool remove = false;
    bool make_directory = false;
    bool remove_directory = false;
    bool rename = false;
    bool unknown_names_askable = true;  ///< false: only a download tells whether a name exists
    bool retrieve_stream = false;
    bool retrieve_paced = false;
    bool store_stream = false;
    bool store_paced = false;
    bool break_off_stream = false;  ///< a streamed download can be ended half-way
    bool break_off_paced = false;
    bool break_off_ends_session = false;
    bool xon_xoff = false;  ///< its data modes are escaped for software flow control
    bool eight_bit_names = false;
    bool host_names = true;  ///< false: the server must be given as a dotted address
    bool ftps = false;
    bool sftp = false;
    std::size_t max_name = 255;  ///< bytes
    std::size_t max_path = 255;  ///< bytes of the absolute path, 0: no limit of its own
    std::uint64_t max_offset = UINT64_MAX;
    std::uint64_t max_size = UINT64_MAX;  ///< of one upload
};

/// Who the module says it is.
struct Identity {
    std::string manufacturer;
    std::string model;
    std::string revision;
    std::string ati;  ///< whole answer to ATI, lines joined by '\n'
};

}  // namespace modem
