// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "config/config.hpp"

namespace service {

/// config::load(), and what only a program that has the dialects can check.
[[nodiscard]] config::Result<config::Config> load_config(const std::filesystem::path& file);

}  // namespace service
