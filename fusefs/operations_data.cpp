// SPDX-License-Identifier: MIT
#include "fusefs/operations_data.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace fusefs {

using modem::Result;

namespace {

// ---- files ------------------------------------------------------------------------------------

void open(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.open_file(ino, info->flags, waiter,
                             answer_open(mounted.shared_from_this(), std::move(reply), *info));
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.create(parent, name, info->flags, mode & 07777U, waiter,
                          answer_created(mounted.shared_from_this(), std::move(reply), *info));
}

void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto handle = mounted.files.find(info->fh);
    if (!handle) {
        reply.error(EBADF);
        return;
    }
    // Only read(2) on a direct_io handle names a lock owner; page faults and readahead do not.
    const bool whole = !handle->direct_io || info->lock_owner == 0;
    const auto waiter = reply.waiter();
    mounted.volume.files().read(handle, static_cast<std::uint64_t>(offset), size, whole, waiter,
                                answer_read(std::move(reply)));
}

void write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto handle = mounted.files.find(info->fh);
    if (!handle) {
        reply.error(EBADF);
        return;
    }
    mounted.volume.files().write(handle, static_cast<std::uint64_t>(offset), std::span(bytes, size),
                                 [reply = std::move(reply)](Result<std::size_t> count) mutable {
                                     if (count) {
                                         reply.written(*count);
                                     } else {
                                         reply.error(count.error());
                                     }
                                 });
}

void flush(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto handle = mounted.files.find(info->fh);
    if (!handle) {
        reply.error(EBADF);
        return;
    }
    const auto waiter = reply.waiter();
    const auto pid = reply.pid();
    mounted.volume.files().flush(handle, info->lock_owner, pid, waiter,
                                 answer_nothing(std::move(reply)));
}

void fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto handle = mounted.files.find(info->fh);
    if (!handle) {
        reply.error(EBADF);
        return;
    }
    const auto waiter = reply.waiter();
    mounted.volume.files().fsync(handle, waiter, answer_nothing(std::move(reply)));
}

void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    if (const auto handle = mounted.files.take(info->fh)) {
        mounted.volume.release(handle);
    }
    fuse_reply_err(request, 0);
}

// ---- directories ------------------------------------------------------------------------------

void opendir(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.opendir(ino, waiter,
                           answer_opendir(mounted.shared_from_this(), std::move(reply), *info));
}

void releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    mounted_of(request).directories.take(info->fh);
    fuse_reply_err(request, 0);
}

/// Nothing to do: each operation on names is on the server, or in the ledger, when it returns.
void fsyncdir(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) {
    fuse_reply_err(request, 0);
}

/// What the kernel learns of one name beside its number; without attributes it counts no lookup.
fuse_entry_param plain_entry(const DirectoryHandle::Item& item) {
    fuse_entry_param entry{};
    entry.attr.st_ino = item.ino;
    entry.attr.st_mode = item.kind == modem::EntryKind::directory ? S_IFDIR
                         : item.kind == modem::EntryKind::symlink ? S_IFLNK
                                                                  : S_IFREG;
    return entry;
}

bool is_dots(const std::string& name) {
    return name == "." || name == "..";
}

/// Fills the buffer with entries from `offset` on; returns the bytes used. `plus`: with attributes,
/// each of which counts as one lookup.
std::size_t fill(fuse_req_t request, Mounted& mounted, const DirectoryHandle& handle,
                 std::size_t offset, bool plus, std::vector<Ino>& looked_up) {
    auto& buffer = mounted.buffer;
    std::size_t used = 0;
    for (std::size_t i = offset; i < handle.items.size(); ++i) {
        const auto& item = handle.items[i];
        char* const at = buffer.data() + used;
        const auto room = buffer.size() - used;
        const auto next = static_cast<off_t>(i + 1);
        Node* const node = plus && !is_dots(item.name) ? mounted.volume.node(item.ino) : nullptr;
        const auto entry = node != nullptr ? entry_of(mounted.volume, *node) : plain_entry(item);
        const auto size =
            plus ? fuse_add_direntry_plus(request, at, room, item.name.c_str(), &entry, next)
                 : fuse_add_direntry(request, at, room, item.name.c_str(), &entry.attr, next);
        if (size > room) {
            break;
        }
        used += size;
        if (node != nullptr) {
            ++node->lookups;
            looked_up.push_back(item.ino);
        }
    }
    return used;
}

void list(fuse_req_t request, std::size_t size, off_t offset, const fuse_file_info& info,
          bool plus) {
    Mounted& mounted = mounted_of(request);
    const auto handle = mounted.directories.find(info.fh);
    if (!handle) {
        fuse_reply_err(request, EBADF);
        return;
    }
    if (offset == 0) {
        mounted.volume.snapshot(*handle);
    }
    mounted.buffer.resize(size);
    std::vector<Ino> looked_up;
    const auto used =
        fill(request, mounted, *handle, static_cast<std::size_t>(offset), plus, looked_up);
    if (fuse_reply_buf(request, mounted.buffer.data(), used) != 0) {
        for (const Ino ino : looked_up) {
            mounted.volume.forget(ino, 1);
        }
    }
}

void readdir(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
    list(request, size, offset, *info, false);
}

void readdirplus(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset,
                 fuse_file_info* info) {
    list(request, size, offset, *info, true);
}

}  // namespace

void add_data_operations(fuse_lowlevel_ops& table) {
    table.open = open;
    table.create = create;
    table.read = read;
    table.write = write;
    table.flush = flush;
    table.fsync = fsync;
    table.release = release;
    table.opendir = opendir;
    table.releasedir = releasedir;
    table.fsyncdir = fsyncdir;
    table.readdir = readdir;
    table.readdirplus = readdirplus;
}

}  // namespace fusefs
