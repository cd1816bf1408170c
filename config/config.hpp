// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

/// The config file as values: modemftp.toml(5). A leaf: includes nothing of the project.
namespace config {

using std::chrono::milliseconds;

enum class FlowControl { none, rts_cts, xon_xoff };
enum class TransferWay { automatic, stream, paced };
enum class FtpMode { passive, active };
enum class Security { none, ftps, sftp };
enum class UploadMode { on_close, background };
enum class LogLevel { error, warning, notice, info, debug };

struct Line {
    std::string device;
    unsigned baud = 115200;
    FlowControl flow_control = FlowControl::none;
};

struct Modem {
    std::string dialect = "auto";
    std::string apn = "internet";
    std::string apn_user;
    std::string apn_password_file;
    std::string pin_file;
    std::vector<std::string> init;
    TransferWay transfer = TransferWay::automatic;
    std::string reset_unit;
    std::vector<std::string> reset_command;
};

struct Ftp {
    std::string host;
    std::uint16_t port = 21;
    std::string user;
    std::string password;  ///< inline, accepted with a warning
    std::string password_file;
    FtpMode mode = FtpMode::passive;
    Security security = Security::none;
    std::string root = "/";
    std::string timezone = "UTC";
    std::string encoding = "UTF-8";
    std::vector<std::string> known_files;
    bool ask_unknown = false;
    std::string index_file;
    milliseconds idle_timeout{60'000};
};

struct Mount {
    std::string path;
    bool read_only = false;
    bool allow_other = true;
    unsigned uid = 0;
    unsigned gid = 0;
    unsigned umask = 022;
};

struct Cache {
    milliseconds directory_ttl{60'000};
    std::uint64_t size = 64U << 20U;
};

struct Upload {
    UploadMode mode = UploadMode::on_close;
    bool atomic = true;
    std::string temporary_prefix = ".mftp-";
    std::uint64_t spool_size = 256U << 20U;
};

struct Link {
    milliseconds timeout{120'000};
    milliseconds command_timeout{75'000};
};

struct Log {
    LogLevel level = LogLevel::info;
    std::string trace;
};

/// A place in a file; line and column count from 1 (column: characters), line 0 is the whole file.
struct Position {
    std::filesystem::path file;
    unsigned line = 0;
    unsigned column = 0;
};

struct Config {
    Line line;
    Modem modem;
    Ftp ftp;
    Mount mount;
    Cache cache;
    Upload upload;
    Link link;
    Log log;
    /// Things that are legal but unwise, each a whole sentence with file:line:column.
    std::vector<std::string> warnings;
    /// Where the value of each key that was given stands ("cache.size"; "" is the main file), for
    /// errors that are only found later.
    std::map<std::string, Position, std::less<>> positions;
};

/// Why a config cannot be used: "site.toml:12:8: `directory-ttl`: expected a duration …".
struct ConfigError {
    std::filesystem::path file;
    unsigned line = 0;  ///< 1-based, 0: the whole file
    unsigned column = 0;
    std::string what;  ///< what was found, what was expected
    [[nodiscard]] std::string message() const;
};

template <typename T>
using Result = tl::expected<T, ConfigError>;

/// Reads FILE and the drop-ins FILE.d/*.toml in name order (a later value replaces an earlier one).
/// Checks keys, types, values and what does not go together; nothing is guessed.
[[nodiscard]] Result<Config> load(const std::filesystem::path& file);
/// The same from text; `file` is for messages.
[[nodiscard]] Result<Config> parse(std::string_view text, const std::filesystem::path& file);

/// Every key that parse() knows as "section.key", for the test that compares them with the man
/// page.
[[nodiscard]] std::vector<std::string> known_keys();

/// An error at the place where `key` was given (the main file when it was not).
[[nodiscard]] ConfigError error_at(const Config& config, std::string_view key, std::string what);

/// Keys ("section.key") whose values differ: those that a running daemon takes over at once and
/// those that need a restart.
struct Changes {
    std::vector<std::string> live;
    std::vector<std::string> restart;
};
[[nodiscard]] Changes compare(Config running, Config loaded);
/// Copies the live keys of a reloaded config into the running one.
void apply_live(Config& running, Config loaded);
/// Whether a reload applies this key at once.
[[nodiscard]] bool is_live(std::string_view key);

/// "60s", "2min", "500ms", "1h" and sums such as "1min 30s". Nothing: not a duration.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);
/// "64M", "1G", "300K", "4096" (binary multiples). Nothing: not a size.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Letters, digits and '_', not starting with a digit: an instance name that can be a bus name.
[[nodiscard]] bool is_instance_name(std::string_view name);

}  // namespace config
