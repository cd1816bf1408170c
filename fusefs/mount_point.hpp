// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "modem/result.hpp"

namespace fusefs {

/// Makes sure that a directory stands at `path` on which can be mounted; the mount of a predecessor
/// that died is unmounted first. Blocking. Errors: local_io, with words on what to do.
[[nodiscard]] modem::Result<void> prepare_mount_point(const std::string& path);

/// Unmounts, unless somebody uses the mount (false). `lazily`: takes it out of sight at once even
/// then. As root by umount2(2), otherwise with fusermount3. Blocking; any thread.
bool unmount_path(const std::string& path, bool lazily);

}  // namespace fusefs
