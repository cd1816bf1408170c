// SPDX-License-Identifier: MIT
#include "daemon/secrets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "modem/fd.hpp"

namespace service {
namespace {

/// Where one secret comes from.
struct Place {
    std::string_view key;  ///< of the config, for messages
    std::string file;
};

class Reader {
public:
    explicit Reader(const config::Config& config) : config_(config) {}

    /// The file's first and only line. Errors: unreadable, empty, more than one line, characters
    /// that must not reach the module.
    config::Result<std::string> read(const Place& place) {
        const modem::Fd fd(::open(place.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        if (!fd) {
            return fail(place, fmt::format("cannot be opened: {}", message(errno)));
        }
        std::array<char, longest + 1> buffer{};
        const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
        if (size < 0) {
            return fail(place, fmt::format("cannot be read: {}", message(errno)));
        }
        std::string text(buffer.data(), static_cast<std::size_t>(size));
        if (text.ends_with('\n')) {
            text.pop_back();
        }
        if (text.ends_with('\r')) {
            text.pop_back();
        }
        if (text.empty()) {
            return fail(place, "is empty; expected the secret as its only line");
        }
        if (text.size() >= longest || std::ranges::any_of(text, is_forbidden)) {
            return fail(place,
                        "cannot be sent to the module; expected one line without control "
                        "characters and '\"', shorter than 256 bytes");
        }
        note_permissions(fd.get(), place);
        return text;
    }

    [[nodiscard]] tl::unexpected<config::ConfigError> fail(const Place& place,
                                                           std::string_view what) const {
        return tl::unexpected(config::error_at(
            config_, place.key, fmt::format("`{}`: {} {}", place.key, place.file, what)));
    }
    std::vector<std::string> warnings;

private:
    static constexpr std::size_t longest = 256;

    static bool is_forbidden(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || c == '"';
    }
    static std::string message(int error) { return std::generic_category().message(error); }

    void note_permissions(int fd, const Place& place) {
        struct stat status{};
        if (::fstat(fd, &status) == 0 && (status.st_mode & S_IROTH) != 0) {
            warnings.push_back(
                fmt::format("{} can be read by everybody on this machine; chmod o-r {}", place.file,
                            place.file));
        }
    }

    const config::Config& config_;
};

/// The file that holds a secret: the one of the config, or the credential if there is one.
Place place_of(std::string_view key, const std::string& file, const std::string& credentials,
               std::string_view credential) {
    if (!file.empty() || credentials.empty() || credential.empty()) {
        return {key, file};
    }
    const std::string path = fmt::format("{}/{}", credentials, credential);
    return {key, ::access(path.c_str(), F_OK) == 0 ? path : std::string()};
}

}  // namespace

config::Result<LoadedSecrets> load_secrets(const config::Config& config) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    const std::string credentials = directory != nullptr ? directory : "";
    Reader reader(config);
    LoadedSecrets loaded;
    const std::pair<Place, std::string*> wanted[] = {
        {place_of("ftp.password-file", config.ftp.password_file, credentials, "ftp-password"),
         &loaded.secrets.ftp_password},
        {place_of("modem.pin-file", config.modem.pin_file, credentials, "sim-pin"),
         &loaded.secrets.sim_pin},
        {place_of("modem.apn-password-file", config.modem.apn_password_file, "", ""),
         &loaded.secrets.apn_password},
    };
    for (const auto& [place, secret] : wanted) {
        if (place.file.empty()) {
            continue;
        }
        auto text = reader.read(place);
        if (!text) {
            return tl::unexpected(std::move(text).error());
        }
        *secret = *std::move(text);
    }
    const std::string& pin = loaded.secrets.sim_pin;
    if (!pin.empty() && (pin.size() < 4 || pin.size() > 8 ||
                         pin.find_first_not_of("0123456789") != std::string::npos)) {
        return reader.fail(wanted[1].first, "is not a SIM PIN; expected 4 to 8 digits");
    }
    if (loaded.secrets.ftp_password.empty()) {
        loaded.secrets.ftp_password = config.ftp.password;
    }
    if (loaded.secrets.ftp_password.empty()) {
        return tl::unexpected(config::error_at(
            config, "ftp",
            fmt::format("there is no password for {}@{}; set `ftp.password-file`, or give the "
                        "systemd credential ftp-password",
                        config.ftp.user, config.ftp.host)));
    }
    loaded.warnings = std::move(reader.warnings);
    return loaded;
}

}  // namespace service
