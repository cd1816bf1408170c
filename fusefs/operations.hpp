// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "fusefs/fuse_api.hpp"
#include "fusefs/handles.hpp"
#include "fusefs/reply.hpp"
#include "fusefs/volume.hpp"

namespace fusefs {

/// What the FUSE operations work on; libfuse's userdata. Main thread.
struct Mounted : std::enable_shared_from_this<Mounted> {
    explicit Mounted(Volume& mounted_volume) : volume(mounted_volume) {}

    Volume& volume;
    std::shared_ptr<PendingRequests> pending = std::make_shared<PendingRequests>();
    Handles<Handle> files;
    Handles<DirectoryHandle> directories;
    std::vector<char> buffer;  ///< of readdir, kept to be used again
};

/// The table that fuse_session_new() is given.
[[nodiscard]] const fuse_lowlevel_ops& operations();

}  // namespace fusefs
