// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "modem/result.hpp"

namespace fusefs {

/// True for the ways in which a disk says that it takes no more (ENOSPC, EDQUOT, EFBIG).
[[nodiscard]] bool is_full(int error_number);

/// An Error about a local file: local_no_space when the disk is full (and names the directory to
/// make room in), else local_io. `doing` completes "... failed while", e.g. "writing it".
[[nodiscard]] modem::Error local_error(const std::filesystem::path& path, std::string_view doing,
                                       int error_number);

/// Makes created, renamed and removed names of a directory durable. Errors: as local_error().
modem::Result<void> sync_directory(const std::filesystem::path& directory);

/// Creates a directory and its missing parents, for the owner alone. Errors: as local_error().
modem::Result<void> make_private_directory(const std::filesystem::path& directory);

/// Replaces a small file as a whole: a temporary beside it (`NAME.tmp`), fsync, rename, fsync of
/// the directory. After a crash there is the old content or the new one. Errors: as local_error().
modem::Result<void> replace_file(const std::filesystem::path& path, std::string_view content);

/// The whole content of a small file. Errors: local_io; too_large above `limit` bytes.
modem::Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace fusefs
