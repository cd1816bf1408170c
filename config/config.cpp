// SPDX-License-Identifier: MIT
#include "config/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "config/keys.hpp"
#include "config/reader.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;

tl::unexpected<ConfigError> fail_at(const Position& at, std::string what) {
    return tl::unexpected(ConfigError{at.file, at.line, at.column, std::move(what)});
}

std::string message_of(int error) {
    return std::generic_category().message(error);
}

/// Takes the values of one file over; a later file replaces what an earlier one said.
Result<void> merge(std::string_view text, const fs::path& file, Config& config) {
    auto settings = read_toml(text, file);
    if (!settings) {
        return tl::unexpected(std::move(settings).error());
    }
    for (const Setting& setting : *settings) {
        if (is_section(setting.key)) {
            if (!std::holds_alternative<SectionValue>(setting.value)) {
                return fail_at(setting.value_at,
                               fmt::format("`{0}`: expected a section, [{0}]", setting.key));
            }
            config.positions.try_emplace(setting.key, setting.key_at);
            continue;
        }
        const Key* key = find_key(setting.key);
        if (key == nullptr) {
            return fail_at(setting.key_at,
                           fmt::format("`{}`: {}", setting.key, unknown_key(setting.key)));
        }
        if (auto assigned = assign(*key, setting.value, config); !assigned) {
            return fail_at(setting.value_at,
                           fmt::format("`{}`: {}", setting.key, assigned.error()));
        }
        config.positions.insert_or_assign(setting.key, setting.value_at);
    }
    return {};
}

/// Where a missing key should have been: its section's header, or else the whole file.
ConfigError missing(const Config& config, std::string_view key, std::string_view example) {
    const auto section = key.substr(0, key.find('.'));
    return error_at(config, section,
                    fmt::format("`{}` is missing; expected e.g. {}", key, example));
}

/// What no single value can tell.
Result<void> check_together(Config& config) {
    if (config.line.device.empty()) {
        return tl::unexpected(missing(config, "line.device", "device = \"/dev/ttyUSB2\""));
    }
    if (config.ftp.host.empty()) {
        return tl::unexpected(missing(config, "ftp.host", "host = \"ftp.example.com\""));
    }
    if (config.ftp.user.empty()) {
        return tl::unexpected(missing(config, "ftp.user", "user = \"gateway\""));
    }
    if (config.mount.path.empty()) {
        return tl::unexpected(missing(config, "mount.path", "path = \"/mnt/site\""));
    }
    if (!config.ftp.password.empty() && !config.ftp.password_file.empty()) {
        return tl::unexpected(error_at(config, "ftp.password",
                                       "`ftp.password` and `ftp.password-file` are both given; "
                                       "expected one of them"));
    }
    if (!config.modem.reset_command.empty() && config.modem.reset_command.front().empty()) {
        return tl::unexpected(error_at(config, "modem.reset-command",
                                       "`modem.reset-command`: the program is empty; expected "
                                       "e.g. [\"/usr/local/bin/power-cycle\", \"--modem\"]"));
    }
    return {};
}

void warn(Config& config, std::string_view key, std::string what) {
    config.warnings.push_back(error_at(config, key, std::move(what)).message());
}

Result<Config> finish(Config config) {
    if (auto checked = check_together(config); !checked) {
        return tl::unexpected(std::move(checked).error());
    }
    if (!config.ftp.password.empty()) {
        warn(config, "ftp.password",
             "`ftp.password` stands in the config itself; better put it into a file named by "
             "`ftp.password-file` or into the systemd credential ftp-password");
    }
    return config;
}

/// A file's text. Errors: unreadable, or larger than any config.
Result<std::string> read_file(const fs::path& file) {
    constexpr std::size_t largest = 1U << 20U;
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_at({file}, fmt::format("cannot be opened: {}", message_of(errno)));
    }
    std::string text(largest + 1, '\0');
    std::size_t size = 0;
    ssize_t got = 0;
    int error = 0;
    do {
        got = ::read(fd, text.data() + size, text.size() - size);
        error = got < 0 ? errno : 0;
        size += got > 0 ? static_cast<std::size_t>(got) : 0;
    } while (size < text.size() && (got > 0 || error == EINTR));
    ::close(fd);
    if (error != 0) {
        return fail_at({file}, fmt::format("cannot be read: {}", message_of(error)));
    }
    if (size > largest) {
        return fail_at({file}, "is larger than 1 MiB; expected a config file");
    }
    text.resize(size);
    return text;
}

/// FILE.d/*.toml in name order. No such directory: none.
Result<std::vector<fs::path>> drop_ins(const fs::path& file) {
    fs::path directory = file;
    directory += ".d";
    std::error_code error;
    std::vector<fs::path> files;
    fs::directory_iterator entries(directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        if (entries->path().extension() == ".toml") {
            files.push_back(entries->path());
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail_at({directory}, fmt::format("cannot be read: {}", error.message()));
    }
    std::ranges::sort(files);
    return files;
}

Result<void> merge_file(const fs::path& file, Config& config) {
    const auto text = read_file(file);
    return text ? merge(*text, file, config) : tl::unexpected(text.error());
}

}  // namespace

std::string ConfigError::message() const {
    if (line == 0) {
        return fmt::format("{}: {}", file.string(), what);
    }
    return fmt::format("{}:{}:{}: {}", file.string(), line, column, what);
}

ConfigError error_at(const Config& config, std::string_view key, std::string what) {
    auto found = config.positions.find(key);
    if (found == config.positions.end()) {
        found = config.positions.find("");
    }
    const Position at = found != config.positions.end() ? found->second : Position{};
    return {at.file, at.line, at.column, std::move(what)};
}

Result<Config> parse(std::string_view text, const fs::path& file) {
    Config config;
    config.positions.emplace("", Position{file});
    if (auto merged = merge(text, file, config); !merged) {
        return tl::unexpected(std::move(merged).error());
    }
    return finish(std::move(config));
}

Result<Config> load(const fs::path& file) {
    Config config;
    config.positions.emplace("", Position{file});
    auto more = drop_ins(file);
    if (!more) {
        return tl::unexpected(std::move(more).error());
    }
    more->insert(more->begin(), file);
    for (const fs::path& next : *more) {
        if (auto merged = merge_file(next, config); !merged) {
            return tl::unexpected(std::move(merged).error());
        }
    }
    auto finished = finish(std::move(config));
    if (finished && !finished->ftp.password.empty()) {
        const fs::path& holder = finished->positions.find("ftp.password")->second.file;
        struct stat status{};
        if (::stat(holder.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
            warn(*finished, "ftp.password",
                 fmt::format("`ftp.password` can be read by everybody on this machine; "
                             "chmod o-r {}",
                             holder.string()));
        }
    }
    return finished;
}

std::vector<std::string> known_keys() {
    std::vector<std::string> names;
    for (const Key& key : keys()) {
        names.emplace_back(key.name);
    }
    return names;
}

}  // namespace config
