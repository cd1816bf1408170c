// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "fusefs/file.hpp"
#include "fusefs/volume_body.hpp"

namespace fusefs {

using modem::Capabilities;
using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Priority;
using modem::Result;

void Volume::unlink(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<void> done) {
    Body& body = *body_;
    if (auto at = body.place(parent, name); !at) {
        done(fail(std::move(at).error()));
        return;
    }
    body.when_writable(nullptr, waiter,
                       [&body, parent, name = std::string(name), waiter,
                        done = std::move(done)](Result<void> writable) mutable {
                           if (!writable) {
                               done(std::move(writable));
                           } else {
                               body.remove_file(parent, name, waiter, std::move(done));
                           }
                       });
}

void Volume::Body::remove_file(Ino parent, const std::string& name, const WaiterPtr& waiter,
                               Done<void> done) {
    const auto at = place(parent, name);
    Node* const node = at ? core.tree.child(*at->directory, name) : nullptr;
    if (node == nullptr) {
        done(at ? fail(Errc::not_found, "no such file") : fail(at.error()));
        return;
    }
    if (node->is_directory()) {
        done(fail(Errc::is_directory, "a directory"));
        return;
    }
    if (uploads.running(at->path.text())) {
        const auto id = uploads.find(at->path.text())->id;
        discard_then_remove(*node, id, parent, name, waiter, std::move(done));
        return;
    }
    if (!node->on_server) {
        take_away(*node);
        done({});
        return;
    }
    if (auto able = may_write(&Capabilities::remove); !able) {
        done(std::move(able));
        return;
    }
    if (files.needs_remote(*node) && core.capabilities().rename) {
        hide_open_file(*node, *at, waiter, std::move(done));
    } else {
        remove_remote_file(*node, *at, waiter, std::move(done));
    }
}

/// An upload of the file is on its way: it is broken off first, so that it cannot bring the name
/// back.
void Volume::Body::discard_then_remove(const Node& node, std::int64_t upload, Ino parent,
                                       const std::string& name, const WaiterPtr& waiter,
                                       Done<void> done) {
    const auto views = uploads.list();
    const bool may_be_published =
        std::any_of(views.begin(), views.end(), [upload](const UploadView& view) {
            return view.row.id == upload && view.row.step >= UploadStep::stored;
        });
    uploads.discard(
        upload, while_alive(core, [this, may_be_published, ino = node.ino, parent, name, waiter,
                                   done = std::move(done)](const Result<void>& discarded) mutable {
            if (!discarded) {
                done(fail(discarded.error()));
                return;
            }
            if (Node* const again = core.tree.find(ino); again != nullptr && may_be_published) {
                again->on_server = true;  // the rename into place may have arrived
            }
            remove_file(parent, name, waiter, std::move(done));
        }));
}

/// Programs have it open and still need bytes that only the server has: it lives on under a hidden
/// name until the last of them closes it.
void Volume::Body::hide_open_file(Node& node, const Place& at, const WaiterPtr& waiter,
                                  Done<void> done) {
    const auto hidden = leftovers.name_in(at.path.parent(), node.ino);
    const auto remote = hidden ? core.remote(*hidden) : hidden;
    if (!remote) {
        done(fail(remote.error()));
        return;
    }
    ask(core, modem::RenameRequest{at.remote, *remote}, Priority::metadata, waiter,
        [this, ino = node.ino, at, hidden = *hidden, waiter,
         done = std::move(done)](Result<modem::Answer> answer) mutable {
            Node* const there = core.tree.find(ino);
            if (there == nullptr || !answer) {
                if (there != nullptr && answer.error().code != Errc::cancelled &&
                    !modem::is_transient(answer.error().code)) {
                    // No renaming here: deleting is what was asked for.
                    remove_remote_file(*there, at, waiter, std::move(done));
                    return;
                }
                done(answer ? Result<void>() : fail(std::move(answer).error()));
                return;
            }
            leftovers.add(hidden, there->file);
            files.renamed(at.path.text(), hidden.text());
            cache.rename(at.path.text(), hidden.text());
            take_away(*there);
            done({});
        });
}

void Volume::Body::remove_remote_file(Node& node, const Place& at, const WaiterPtr& waiter,
                                      Done<void> done) {
    ask(core, modem::RemoveRequest{at.remote}, Priority::metadata, waiter,
        [this, ino = node.ino, parent = at.directory->ino, name = node.name, waiter,
         done = std::move(done)](Result<modem::Answer> answer) mutable {
            Node* const there = core.tree.find(ino);
            const bool gone = answer || answer.error().code == Errc::not_found;
            if (gone) {
                const bool local_content = there != nullptr && there->file && !there->file->clean();
                if (there != nullptr) {
                    take_away(*there);
                }
                done(answer || local_content ? Result<void>() : fail(std::move(answer).error()));
                return;
            }
            doubt_after(parent, answer.error().code);
            if (answer.error().code != Errc::rejected) {
                done(fail(std::move(answer).error()));
                return;
            }
            look_again(parent, waiter,
                       [this, name, error = std::move(answer).error(),
                        done = std::move(done)](Node* directory) mutable {
                           const bool listed =
                               directory == nullptr || core.tree.child(*directory, name) != nullptr;
                           error.code = listed ? Errc::permission : Errc::not_found;
                           done(fail(std::move(error)));
                       });
        });
}

void Volume::Body::take_away(Node& node) {
    const auto path = core.tree.path(node);
    Node* const directory = node.parent;
    if (!path || directory == nullptr) {
        return;
    }
    const auto file = node.file;
    files.unlinked(node);
    if (const auto* const row = uploads.find(path->text())) {
        uploads.discard(row->id, [](const Result<void>&) {});  // one that has no File any more
    }
    if (file && file->handles > 0 && node.lookups > 0) {
        node.file = file;  // fstat and ftruncate of who still has it open; forget() lets go of it
    }
    cache.drop(path->text());
    if (node.set_mtime_ns || node.set_mode) {
        remembered.forget_attributes(path->text());
    }
    remembered.removed(path->text());
    if (node.is_directory()) {
        directories.removed(path->text());
    }
    core.tree.unlink(node);
    directories.edited(*directory);
}

// ---- directories ------------------------------------------------------------------------------

void Volume::rmdir(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<void> done) {
    Body& body = *body_;
    if (auto at = body.place(parent, name); !at) {
        done(fail(std::move(at).error()));
        return;
    }
    body.when_writable(
        &Capabilities::remove_directory, waiter,
        [&body, parent, name = std::string(name), waiter,
         done = std::move(done)](Result<void> writable) mutable {
            const auto at = writable ? body.place(parent, name)
                                     : Result<Body::Place>(fail(std::move(writable).error()));
            Node* const node = at ? body.core.tree.child(*at->directory, name) : nullptr;
            if (node == nullptr) {
                done(at ? fail(Errc::not_found, "no such directory") : fail(at.error()));
            } else if (!node->is_directory()) {
                done(fail(Errc::not_directory, "not a directory"));
            } else {
                body.remove_directory(*node, *at, waiter, std::move(done));
            }
        });
}

void Volume::Body::remove_directory(Node& node, const Place& at, const WaiterPtr& waiter,
                                    Done<void> done) {
    const auto& children = node.directory->children;
    bool in_use = directories.fresh(node) && !children.empty();
    for (const auto& [name, child] : children) {
        in_use = in_use || !child->on_server || files.busy(*child);
    }
    if (in_use) {
        done(fail(Errc::not_empty, "the directory is not empty"));
        return;
    }
    ask(core, modem::RemoveDirectoryRequest{at.remote}, Priority::metadata, waiter,
        [this, ino = node.ino, parent = at.directory->ino, waiter,
         done = std::move(done)](Result<modem::Answer> answer) mutable {
            Node* const there = core.tree.find(ino);
            if (answer || answer.error().code == Errc::not_found) {
                if (there != nullptr) {
                    take_away(*there);
                }
                done(answer ? Result<void>() : fail(std::move(answer).error()));
                return;
            }
            doubt_after(parent, answer.error().code);
            if (answer.error().code == Errc::rejected) {
                explain_rmdir(ino, std::move(answer).error(), waiter, std::move(done));
            } else {
                done(fail(std::move(answer).error()));
            }
        });
}

/// 550 without words. What the directory holds says more, and what its listing hides even more.
void Volume::Body::explain_rmdir(Ino ino, Error error, const WaiterPtr& waiter, Done<void> done) {
    look_again(
        ino, waiter, [error = std::move(error), done = std::move(done)](Node* directory) mutable {
            const bool not_empty =
                directory != nullptr &&
                (!directory->directory->children.empty() || !directory->directory->dots_shown);
            error.code = not_empty ? Errc::not_empty : Errc::permission;
            done(fail(std::move(error)));
        });
}

}  // namespace fusefs
