// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "fusefs/operations.hpp"

namespace fusefs {

/// Answers may come after the end of the session: they hold what they work on.
using MountedPtr = std::shared_ptr<Mounted>;
/// What belongs to a request.
[[nodiscard]] Mounted& mounted_of(fuse_req_t request);

// ---- answers (operations_answers.cpp) ---------------------------------------------------------
/// Callbacks that answer a request with what the volume says.
[[nodiscard]] Done<Ino> answer_entry(MountedPtr mounted, Reply reply);
[[nodiscard]] Done<struct stat> answer_attributes(Reply reply);
[[nodiscard]] Done<void> answer_nothing(Reply reply);
[[nodiscard]] Done<HandlePtr> answer_open(MountedPtr mounted, Reply reply, fuse_file_info info);
[[nodiscard]] Done<Volume::Created> answer_created(MountedPtr mounted, Reply reply,
                                                   fuse_file_info info);
[[nodiscard]] Done<std::shared_ptr<DirectoryHandle>> answer_opendir(MountedPtr mounted, Reply reply,
                                                                    fuse_file_info info);
[[nodiscard]] Done<ReadResult> answer_read(Reply reply);
/// getxattr(2)'s and listxattr(2)'s rules for `size`: 0 asks for the length.
void answer_xattr(Reply& reply, const std::string& value, std::size_t size);

/// What a node looks like to the kernel.
[[nodiscard]] fuse_entry_param entry_of(const Volume& volume, const Node& node);
[[nodiscard]] Volume::SetAttributes attributes_to_set(const struct stat& attributes, int to_set);

// ---- contents and directories (operations_data.cpp) -------------------------------------------
void add_data_operations(fuse_lowlevel_ops& table);

}  // namespace fusefs
