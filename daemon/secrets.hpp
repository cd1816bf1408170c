// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "modem/worker.hpp"

namespace service {

struct LoadedSecrets {
    modem::Secrets secrets;
    std::vector<std::string> warnings;  ///< files that others can read
};

/// Reads passwords and PIN from the files that the config names, else from systemd's credentials
/// ($CREDENTIALS_DIRECTORY: "ftp-password", "sim-pin"), else from the config itself. Errors name
/// the key, the file and what to do; never a secret.
[[nodiscard]] config::Result<LoadedSecrets> load_secrets(const config::Config& config);

}  // namespace service
