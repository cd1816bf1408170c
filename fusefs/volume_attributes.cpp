// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <utility>

#include "fusefs/volume_body.hpp"

namespace fusefs {

using modem::EntryKind;
using modem::Errc;
using modem::fail;
using modem::Result;

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

timespec to_timespec(std::int64_t ns) {
    auto seconds = ns / ns_per_second;
    auto rest = ns % ns_per_second;
    if (rest < 0) {
        --seconds;
        rest += ns_per_second;
    }
    return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

mode_t type_of(EntryKind kind) {
    switch (kind) {
        case EntryKind::directory:
            return S_IFDIR;
        case EntryKind::symlink:
            return S_IFLNK;
        case EntryKind::file:
        case EntryKind::other:
            break;
    }
    return S_IFREG;
}

constexpr std::array<std::string_view, 3> attribute_names{
    "user.modemftp.state", "user.modemftp.error", "user.modemftp.cached"};

}  // namespace

/// Devices, sockets and pipes of the server's own show as files that nobody may open: FTP cannot
/// read them, but a name that is in use must not look free.
unsigned Volume::Body::default_mode(const Node& node) const {
    switch (node.kind) {
        case EntryKind::directory:
            return 0777U & ~config.mount.umask;
        case EntryKind::symlink:
            return 0777U;
        case EntryKind::other:
            return 0;
        case EntryKind::file:
            break;
    }
    return 0666U & ~config.mount.umask;
}

struct stat Volume::Body::attributes(const Node& node) const {
    struct stat st{};
    st.st_ino = node.ino;
    st.st_mode = type_of(node.kind) | node.set_mode.value_or(default_mode(node));
    st.st_nlink = node.is_directory() ? 2 : 1;
    st.st_uid = config.mount.uid;
    st.st_gid = config.mount.gid;
    st.st_blksize = 4096;
    if (node.kind == EntryKind::symlink) {
        st.st_size = static_cast<off_t>(node.target.size());
    } else if (!node.is_directory()) {
        st.st_size = static_cast<off_t>(files.size(node));
    }
    st.st_blocks = (st.st_size + 511) / 512;
    // Content that was changed here last is newer than what anybody set before.
    const auto local = node.file ? files.local_mtime_ns(node) : std::nullopt;
    const auto set = local ? local : node.set_mtime_ns;
    st.st_mtim = set ? to_timespec(*set) : timespec{node.listed_mtime, 0};
    st.st_atim = st.st_mtim;
    st.st_ctim = st.st_mtim;
    return st;
}

struct stat Volume::attributes(const Node& node) const {
    return body_->attributes(node);
}

void Volume::getattr(Ino ino, const WaiterPtr& waiter, Done<struct stat> done) {
    Body& body = *body_;
    Node* const node = body.core.tree.find(ino);
    if (node == nullptr) {
        done(fail(Errc::not_found, ""));
        return;
    }
    Node* const parent = node->parent;
    if (parent == nullptr || body.directories.fresh(*parent) || body.files.busy(*node)) {
        done(body.attributes(*node));
        return;
    }
    body.directories.ensure(
        *parent, waiter, [&body, ino, done = std::move(done)](const Result<void>& listed) mutable {
            const Node* const again = body.core.tree.find(ino);
            if (!listed) {
                done(fail(listed.error()));
            } else if (again == nullptr || again->parent == nullptr) {
                done(fail(Errc::not_found, ""));
            } else {
                done(body.attributes(*again));
            }
        });
}

// ---- setting ----------------------------------------------------------------------------------

void Volume::setattr(Ino ino, const SetAttributes& set, HandlePtr handle, const WaiterPtr& waiter,
                     Done<struct stat> done) {
    Body& body = *body_;
    Node* const node = body.core.tree.find(ino);
    if (node == nullptr) {
        done(fail(Errc::not_found, ""));
        return;
    }
    if (body.config.mount.read_only) {
        done(fail(Errc::read_only, "mount.read-only is set"));
        return;
    }
    if (!set.size) {
        body.apply_set(*node, set);
        done(body.attributes(*node));
        return;
    }
    if (node->is_directory()) {
        done(fail(Errc::is_directory, "a directory has no size to set"));
        return;
    }
    body.when_writable(
        nullptr, waiter,
        [&body, ino, set, handle = std::move(handle), waiter,
         done = std::move(done)](Result<void> writable) mutable {
            Node* const target = body.core.tree.find(ino);
            if (!writable || target == nullptr) {
                done(writable ? fail(Errc::not_found, "") : fail(std::move(writable).error()));
                return;
            }
            body.files.truncate(
                *target, handle, *set.size, waiter,
                while_alive(
                    body.core, [&body, ino, set, done = std::move(done)](Result<void> cut) mutable {
                        Node* const again = body.core.tree.find(ino);
                        if (!cut || again == nullptr) {
                            done(cut ? fail(Errc::not_found, "") : fail(std::move(cut).error()));
                            return;
                        }
                        body.apply_set(*again, set);
                        done(body.attributes(*again));
                    }));
        });
}

void Volume::Body::apply_set(Node& node, const SetAttributes& set) {
    if (!set.mtime_ns && !set.mode) {
        return;
    }
    if (set.mtime_ns) {
        node.set_mtime_ns = set.mtime_ns;
        files.set_mtime(node, *set.mtime_ns);
    }
    if (set.mode && node.kind != EntryKind::symlink) {
        node.set_mode = *set.mode & 07777U;
    }
    if (node.is_directory()) {
        node.listed_mtime = 0;  // the server's changed with each entry that we made in it
    }
    if (node.parent != nullptr) {
        remembered.save(node, files.size(node));
    }
}

// ---- deliveries -------------------------------------------------------------------------------

/// The listing is edited, so that no LIST has to tell what we have just done ourselves.
void Volume::Body::delivered(const UploadRow& row, const Uploads::Outcome& outcome) {
    const auto path = modem::RemotePath::parse(row.path);
    Node* const node = outcome.delivered && path ? core.tree.at(*path) : nullptr;
    if (node == nullptr) {
        return;
    }
    if (!node->file || !node->on_server) {  // Files has done the same for those it knows
        node->on_server = true;
        node->listed_size = outcome.size;
        node->listed_mtime = outcome.mtime;
    }
    remember_name(*node, row.path);
    if (node->parent != nullptr) {
        directories.edited(*node->parent);
    }
}

// ---- the rest ---------------------------------------------------------------------------------

Result<std::string> Volume::readlink(Ino ino) {
    const Node* const node = body_->core.tree.find(ino);
    if (node == nullptr || node->kind != EntryKind::symlink) {
        return fail(node == nullptr ? Errc::not_found : Errc::invalid_argument, "not a symlink");
    }
    return node->target;
}

Result<std::string> Volume::getxattr(Ino ino, std::string_view name) {
    const Node* const node = body_->core.tree.find(ino);
    const bool known =
        std::find(attribute_names.begin(), attribute_names.end(), name) != attribute_names.end();
    if (node == nullptr || node->kind != EntryKind::file || !known) {
        return fail(Errc::not_found, "no such attribute");
    }
    if (name == attribute_names[0]) {
        return std::string(body_->files.state(*node));
    }
    if (name == attribute_names[1]) {
        return body_->files.error(*node);
    }
    return std::to_string(body_->files.cached_bytes(*node));
}

Result<std::vector<std::string>> Volume::listxattr(Ino ino) {
    const Node* const node = body_->core.tree.find(ino);
    if (node == nullptr) {
        return fail(Errc::not_found, "");
    }
    if (node->kind != EntryKind::file) {
        return std::vector<std::string>();
    }
    return std::vector<std::string>(attribute_names.begin(), attribute_names.end());
}

struct statvfs Volume::statfs() const {
    constexpr std::uint64_t block = 4096;
    const auto room = body_->core.spool->room();
    struct statvfs st{};
    st.f_bsize = block;
    st.f_frsize = block;
    st.f_blocks = room.size / block;
    st.f_bfree = room.free / block;
    st.f_bavail = st.f_bfree;
    st.f_files = body_->core.tree.size();
    const auto& link = body_->core.link;
    st.f_namemax =
        std::min<std::size_t>(255, link.capabilities ? link.capabilities->max_name : 255);
    return st;
}

}  // namespace fusefs
