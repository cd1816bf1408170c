// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <utility>

#include "fusefs/volume_body.hpp"

namespace fusefs {

using modem::EntryKind;
using modem::Errc;
using modem::fail;
using modem::Result;

void Volume::opendir(Ino ino, const WaiterPtr& waiter,
                     Done<std::shared_ptr<DirectoryHandle>> done) {
    Body& body = *body_;
    Node* const node = body.core.tree.find(ino);
    if (node == nullptr || !node->is_directory()) {
        done(fail(node == nullptr ? Errc::not_found : Errc::not_directory, ""));
        return;
    }
    auto handle = std::make_shared<DirectoryHandle>();
    handle->ino = ino;
    if (body.directories.fresh(*node)) {
        snapshot(*handle);
        done(std::move(handle));
        return;
    }
    body.directories.ensure(*node, waiter,
                            [this, handle = std::move(handle),
                             done = std::move(done)](const Result<void>& listed) mutable {
                                if (!listed) {
                                    done(fail(listed.error()));
                                    return;
                                }
                                snapshot(*handle);
                                done(std::move(handle));
                            });
}

void Volume::snapshot(DirectoryHandle& handle) {
    Node* const node = body_->core.tree.find(handle.ino);
    if (node == nullptr || !node->is_directory()) {
        handle.items.clear();
        return;
    }
    const auto& state = *node->directory;
    if (!handle.items.empty() && handle.generation == state.generation) {
        return;
    }
    handle.generation = state.generation;
    handle.items.clear();
    handle.items.reserve(state.children.size() + 2);
    handle.items.push_back({".", node->ino, EntryKind::directory});
    handle.items.push_back(
        {"..", node->parent != nullptr ? node->parent->ino : root_ino, EntryKind::directory});
    for (const auto& [name, child] : state.children) {
        handle.items.push_back({name, child->ino, child->kind});
    }
}

void Volume::open_file(Ino ino, int flags, const WaiterPtr& waiter, Done<HandlePtr> done) {
    Body& body = *body_;
    Node* const node = body.core.tree.find(ino);
    if (node == nullptr) {
        done(fail(Errc::not_found, ""));
        return;
    }
    if (node->kind != EntryKind::file) {
        done(fail(node->is_directory() ? Errc::is_directory : Errc::permission,
                  "not a file that FTP can read"));
        return;
    }
    if ((flags & O_ACCMODE) == O_RDONLY && (flags & O_TRUNC) == 0) {
        body.files.open(*node, flags, waiter, std::move(done));
        return;
    }
    body.when_writable(
        nullptr, waiter,
        [&body, ino, flags, waiter, done = std::move(done)](Result<void> writable) mutable {
            Node* const again = body.core.tree.find(ino);
            if (!writable || again == nullptr) {
                done(writable ? fail(Errc::not_found, "") : fail(std::move(writable).error()));
                return;
            }
            body.files.open(*again, flags, waiter, std::move(done));
        });
}

void Volume::create(Ino parent, std::string_view name, int flags, unsigned mode,
                    const WaiterPtr& waiter, Done<Created> done) {
    Body& body = *body_;
    if (auto at = body.place(parent, name); !at) {
        done(fail(std::move(at).error()));
        return;
    }
    body.when_writable(
        nullptr, waiter,
        [this, &body, parent, name = std::string(name), flags, mode, waiter,
         done = std::move(done)](Result<void> writable) mutable {
            const auto at = writable ? body.place(parent, name)
                                     : Result<Body::Place>(fail(std::move(writable).error()));
            if (!at) {
                done(fail(at.error()));
                return;
            }
            if (Node* const there = body.core.tree.child(*at->directory, name)) {
                open_existing(*there, flags, waiter, std::move(done));
                return;
            }
            Node& node = body.core.tree.add(*at->directory, name, EntryKind::file);
            node.on_server = false;
            if ((mode & 07777U) != body.default_mode(node)) {
                node.set_mode = mode & 07777U;  // becomes durable with the upload's delivery
            }
            body.core.tree.looked_up(node);
            body.directories.edited(*at->directory);
            done(Created{node.ino, body.files.create(node, flags)});
        });
}

/// The name exists after all: somebody else made it since the kernel asked.
void Volume::open_existing(Node& node, int flags, const WaiterPtr& waiter, Done<Created> done) {
    if ((flags & O_EXCL) != 0) {
        done(fail(Errc::exists, "the file exists"));
        return;
    }
    open_file(node.ino, flags, waiter,
              while_alive(body_->core, [this, ino = node.ino,
                                        done = std::move(done)](Result<HandlePtr> handle) mutable {
                  Node* const again = body_->core.tree.find(ino);
                  if (!handle || again == nullptr) {
                      done(handle ? fail(Errc::not_found, "") : fail(std::move(handle).error()));
                      return;
                  }
                  body_->core.tree.looked_up(*again);
                  done(Created{ino, *std::move(handle)});
              }));
}

void Volume::release(const HandlePtr& handle) {
    body_->files.release(handle);
    if (body_->leftovers.size() > 0) {
        body_->leftovers.tick();
    }
}

Files& Volume::files() {
    return body_->files;
}

Uploads& Volume::uploads() {
    return body_->uploads;
}

Node* Volume::node(Ino ino) {
    return body_->core.tree.find(ino);
}

void Volume::forget(Ino ino, std::uint64_t count) {
    Tree& tree = body_->core.tree;
    Node* const node = tree.find(ino);
    if (node != nullptr && node->parent == nullptr && node->lookups <= count && ino != root_ino) {
        node->file.reset();  // unlinked: kept until now for fstat and ftruncate
    }
    tree.forget(ino, count);
}

}  // namespace fusefs
