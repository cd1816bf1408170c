// SPDX-License-Identifier: MIT
#include "daemon/settings.hpp"

#include <fmt/format.h>

#include "modem/dialects/registry.hpp"

namespace service {

config::Result<config::Config> load_config(const std::filesystem::path& file) {
    auto config = config::load(file);
    if (!config || config->modem.dialect == "auto" ||
        modem::find_dialect(config->modem.dialect) != nullptr) {
        return config;
    }
    std::string known = "\"auto\"";
    for (const modem::DialectEntry& entry : modem::dialects()) {
        known += fmt::format(", \"{}\"", entry.name);
    }
    return tl::unexpected(
        config::error_at(*config, "modem.dialect",
                         fmt::format("`modem.dialect`: \"{}\" is not known; expected one of {}",
                                     config->modem.dialect, known)));
}

}  // namespace service
