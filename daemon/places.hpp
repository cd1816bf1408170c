// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "modem/fd.hpp"
#include "modem/result.hpp"

namespace service {

/// Creates a directory of ours and those above it, 0700. Errors: local_io.
[[nodiscard]] modem::Result<void> make_directory(const std::filesystem::path& path);

/// Takes the state directory for this process alone, as long as the descriptor lives. Errors:
/// local_io; `exists` when another daemon has it (the message says which).
[[nodiscard]] modem::Result<modem::Fd> claim(const std::filesystem::path& state_directory);

/// Makes sure that `path` is an empty directory on which to mount; a mount whose daemon died is
/// unmounted lazily first. Returns what was done about that, or an empty string. Errors: local_io
/// with what to do.
[[nodiscard]] modem::Result<std::string> prepare_mount_point(const std::string& path);

}  // namespace service
