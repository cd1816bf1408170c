// SPDX-License-Identifier: MIT
#include <cerrno>
#include <ctime>
#include <utility>

#include "fusefs/file.hpp"
#include "fusefs/operations_data.hpp"

namespace fusefs {

using modem::Result;

Mounted& mounted_of(fuse_req_t request) {
    return *static_cast<Mounted*>(fuse_req_userdata(request));
}

fuse_entry_param entry_of(const Volume& volume, const Node& node) {
    fuse_entry_param entry{};
    entry.ino = node.ino;
    entry.generation = 0;  // inode numbers are never used twice
    entry.attr = volume.attributes(node);
    entry.attr_timeout = attribute_timeout;
    entry.entry_timeout = entry_timeout;
    return entry;
}

Done<Ino> answer_entry(MountedPtr mounted, Reply reply) {
    return [mounted = std::move(mounted), reply = std::move(reply)](Result<Ino> ino) mutable {
        if (!ino) {
            reply.error(ino.error());
            return;
        }
        const Node* const node = mounted->volume.node(*ino);
        if (node == nullptr) {
            reply.error(ENOENT);
        } else if (!reply.entry(entry_of(mounted->volume, *node))) {
            mounted->volume.forget(*ino, 1);
        }
    };
}

Done<struct stat> answer_attributes(Reply reply) {
    return [reply = std::move(reply)](Result<struct stat> attributes) mutable {
        if (attributes) {
            reply.attributes(*attributes);
        } else {
            reply.error(attributes.error());
        }
    };
}

Done<void> answer_nothing(Reply reply) {
    return [reply = std::move(reply)](const Result<void>& result) mutable {
        if (result) {
            reply.ok();
        } else {
            reply.error(result.error());
        }
    };
}

namespace {

void fill_info(fuse_file_info& info, Mounted& mounted, const HandlePtr& handle) {
    info.fh = mounted.files.add(handle);
    info.direct_io = handle->direct_io ? 1 : 0;
    info.keep_cache = handle->keep_cache ? 1 : 0;
}

}  // namespace

Done<HandlePtr> answer_open(MountedPtr mounted, Reply reply, fuse_file_info info) {
    return [mounted = std::move(mounted), reply = std::move(reply),
            info](Result<HandlePtr> handle) mutable {
        if (!handle) {
            reply.error(handle.error());
            return;
        }
        (*handle)->opener = reply.pid();
        fill_info(info, *mounted, *handle);
        if (!reply.open(info)) {
            mounted->files.take(info.fh);
            mounted->volume.files().release(*handle);
        }
    };
}

Done<Volume::Created> answer_created(MountedPtr mounted, Reply reply, fuse_file_info info) {
    return [mounted = std::move(mounted), reply = std::move(reply),
            info](Result<Volume::Created> created) mutable {
        const Node* const node = created ? mounted->volume.node(created->ino) : nullptr;
        if (node == nullptr) {
            reply.error(created ? modem::Error{modem::Errc::not_found, 0, ""} : created.error());
            return;
        }
        created->handle->opener = reply.pid();
        fill_info(info, *mounted, created->handle);
        if (!reply.create(entry_of(mounted->volume, *node), info)) {
            mounted->files.take(info.fh);
            mounted->volume.files().release(created->handle);
            mounted->volume.forget(created->ino, 1);
        }
    };
}

Done<std::shared_ptr<DirectoryHandle>> answer_opendir(MountedPtr mounted, Reply reply,
                                                      fuse_file_info info) {
    return [mounted = std::move(mounted), reply = std::move(reply),
            info](Result<std::shared_ptr<DirectoryHandle>> handle) mutable {
        if (!handle) {
            reply.error(handle.error());
            return;
        }
        info.fh = mounted->directories.add(*std::move(handle));
        if (!reply.open(info)) {
            mounted->directories.take(info.fh);
        }
    };
}

Done<ReadResult> answer_read(Reply reply) {
    return [reply = std::move(reply)](Result<ReadResult> result) mutable {
        // Below this a copy is cheaper than a pipe's two system calls.
        constexpr std::size_t worth_splicing = 16U << 10U;
        if (!result) {
            reply.error(result.error());
            return;
        }
        if (!result->file) {
            reply.buffer(result->bytes.data(), result->bytes.size());
            return;
        }
        if (result->length >= worth_splicing) {
            fuse_bufvec bytes = FUSE_BUFVEC_INIT(result->length);
            bytes.buf[0].flags =
                static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY);
            bytes.buf[0].fd = result->file->fd();
            bytes.buf[0].pos = static_cast<off_t>(result->offset);
            reply.data(bytes);
            return;
        }
        std::vector<char> bytes(result->length);
        const auto got = result->file->read(result->offset, bytes);
        if (got) {
            reply.buffer(bytes.data(), *got);
        } else {
            reply.error(got.error());
        }
    };
}

void answer_xattr(Reply& reply, const std::string& value, std::size_t size) {
    if (size == 0) {
        reply.xattr_size(value.size());
    } else if (size < value.size()) {
        reply.error(ERANGE);
    } else {
        reply.buffer(value.data(), value.size());
    }
}

Volume::SetAttributes attributes_to_set(const struct stat& attributes, int to_set) {
    constexpr std::int64_t ns_per_second = 1'000'000'000;
    Volume::SetAttributes set;
    if ((to_set & FUSE_SET_ATTR_SIZE) != 0) {
        set.size = static_cast<std::uint64_t>(attributes.st_size);
    }
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
        set.mode = attributes.st_mode & 07777U;
    }
    if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) {
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        set.mtime_ns = now.tv_sec * ns_per_second + now.tv_nsec;
    } else if ((to_set & FUSE_SET_ATTR_MTIME) != 0) {
        set.mtime_ns = attributes.st_mtim.tv_sec * ns_per_second + attributes.st_mtim.tv_nsec;
    }
    return set;  // owner, group and access time are accepted and not kept
}

}  // namespace fusefs
