// SPDX-License-Identifier: MIT
#include "fusefs/operations.hpp"

#include <fcntl.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "fusefs/operations_data.hpp"

// Each operation: take the request, ask the volume, answer in the callback.

namespace fusefs {

using modem::Result;

namespace {

void init(void*, fuse_conn_info* connection) {
    // Stated as a whole, so that another libfuse's defaults change nothing. No writeback cache:
    // a write must be in the spool (or refused for want of room) when write(2) returns.
    constexpr unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC |
                                FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO |
                                FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_HANDLE_KILLPRIV |
                                FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
                                FUSE_CAP_SPLICE_WRITE | FUSE_CAP_IOCTL_DIR;
    connection->want = connection->capable & wanted;
    connection->time_gran = 1;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.lookup(parent, name, waiter,
                          answer_entry(mounted.shared_from_this(), std::move(reply)));
}

void forget(fuse_req_t request, fuse_ino_t ino, std::uint64_t count) {
    mounted_of(request).volume.forget(ino, count);
    fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
    Mounted& mounted = mounted_of(request);
    for (std::size_t i = 0; i < count; ++i) {
        mounted.volume.forget(forgets[i].ino, forgets[i].nlookup);
    }
    fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.getattr(ino, waiter, answer_attributes(std::move(reply)));
}

void setattr(fuse_req_t request, fuse_ino_t ino, struct stat* attributes, int to_set,
             fuse_file_info* info) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    auto handle = info != nullptr ? mounted.files.find(info->fh) : nullptr;
    mounted.volume.setattr(ino, attributes_to_set(*attributes, to_set), std::move(handle), waiter,
                           answer_attributes(std::move(reply)));
}

void readlink(fuse_req_t request, fuse_ino_t ino) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    if (const auto target = mounted.volume.readlink(ino)) {
        reply.link(target->c_str());
    } else {
        reply.error(target.error());
    }
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.mkdir(parent, name, waiter,
                         answer_entry(mounted.shared_from_this(), std::move(reply)));
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.unlink(parent, name, waiter, answer_nothing(std::move(reply)));
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.rmdir(parent, name, waiter, answer_nothing(std::move(reply)));
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto waiter = reply.waiter();
    mounted.volume.rename(parent, name, new_parent, new_name, flags, waiter,
                          answer_nothing(std::move(reply)));
}

// FTP has neither; EPERM is what link(2), symlink(2) and mknod(2) have for such file systems.
void mknod(fuse_req_t request, fuse_ino_t, const char*, mode_t, dev_t) {
    fuse_reply_err(request, EPERM);
}
void symlink(fuse_req_t request, const char*, fuse_ino_t, const char*) {
    fuse_reply_err(request, EPERM);
}
void link(fuse_req_t request, fuse_ino_t, fuse_ino_t, const char*) {
    fuse_reply_err(request, EPERM);
}

void statfs(fuse_req_t request, fuse_ino_t) {
    Mounted& mounted = mounted_of(request);
    Reply(request, mounted.pending).statfs(mounted.volume.statfs());
}

void getxattr(fuse_req_t request, fuse_ino_t ino, const char* name, std::size_t size) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    if (const auto value = mounted.volume.getxattr(ino, name)) {
        answer_xattr(reply, *value, size);
    } else {
        reply.error(ENODATA);
    }
}

void listxattr(fuse_req_t request, fuse_ino_t ino, std::size_t size) {
    Mounted& mounted = mounted_of(request);
    Reply reply(request, mounted.pending);
    const auto names = mounted.volume.listxattr(ino);
    if (!names) {
        reply.error(names.error());
        return;
    }
    std::string text;
    for (const auto& name : *names) {
        text.append(name).push_back('\0');
    }
    answer_xattr(reply, text, size);
}

void setxattr(fuse_req_t request, fuse_ino_t, const char*, const char*, std::size_t, int) {
    fuse_reply_err(request, ENOTSUP);
}
void removexattr(fuse_req_t request, fuse_ino_t, const char*) {
    fuse_reply_err(request, ENOTSUP);
}
void fallocate(fuse_req_t request, fuse_ino_t, int, off_t, off_t, fuse_file_info*) {
    fuse_reply_err(request, ENOTSUP);
}
void ioctl(fuse_req_t request, fuse_ino_t, unsigned, void*, fuse_file_info*, unsigned, const void*,
           std::size_t, std::size_t) {
    fuse_reply_err(request, ENOTTY);
}

fuse_lowlevel_ops make_operations() {
    fuse_lowlevel_ops table{};
    table.init = init;
    table.lookup = lookup;
    table.forget = forget;
    table.forget_multi = forget_multi;
    table.getattr = getattr;
    table.setattr = setattr;
    table.readlink = readlink;
    table.mkdir = mkdir;
    table.unlink = unlink;
    table.rmdir = rmdir;
    table.rename = rename;
    table.mknod = mknod;
    table.symlink = symlink;
    table.link = link;
    table.statfs = statfs;
    table.getxattr = getxattr;
    table.listxattr = listxattr;
    table.setxattr = setxattr;
    table.removexattr = removexattr;
    table.fallocate = fallocate;
    table.ioctl = ioctl;
    // Locks (getlk, setlk, flock) stay unset: the kernel keeps them for this mount.
    add_data_operations(table);
    return table;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
    static const fuse_lowlevel_ops table = make_operations();
    return table;
}

}  // namespace fusefs
