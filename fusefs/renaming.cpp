// SPDX-License-Identifier: MIT
#include "fusefs/renaming.hpp"

#include <linux/fs.h>

#include <utility>

#include "fusefs/file.hpp"
#include "fusefs/ledger_write.hpp"

namespace fusefs {

using modem::Answer;
using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Priority;
using modem::Result;

namespace {

/// Answers of a server that does not rename onto what exists.
bool may_be_occupied(Errc code) {
    return code == Errc::exists || code == Errc::rejected || code == Errc::permission ||
           code == Errc::refused || code == Errc::is_directory || code == Errc::not_empty;
}

}  // namespace

Renaming::Renaming(Volume::Body& body, Names names, WaiterPtr waiter, Done<void> done)
    : body_(body),
      alive_(body.core.alive),
      names_(std::move(names)),
      waiter_(std::move(waiter)),
      done_(std::move(done)) {}

Renaming::~Renaming() {
    if (!alive_.expired()) {
        hold(false);
    }
}

/// An upload that waits (for the link, for its next attempt) must not begin under the old name
/// while the server is being told the new one.
void Renaming::hold(bool held) {
    for (const auto& path : held_) {
        body_.uploads.hold(path, held);
    }
}

void Renaming::begin() {
    if ((names_.flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
        finish(fail(Errc::invalid_argument, "only RENAME_NOREPLACE can be done over FTP"));
        return;
    }
    for (const auto& [parent, name] :
         {std::pair(names_.parent, names_.name), std::pair(names_.new_parent, names_.new_name)}) {
        if (auto at = body_.place(parent, name); !at) {
            finish(fail(std::move(at).error()));
            return;
        }
    }
    body_.when_writable(nullptr, waiter_, [self = shared_from_this()](Result<void> writable) {
        if (writable) {
            self->settle_uploads();
        } else {
            self->finish(std::move(writable));
        }
    });
}

void Renaming::finish(Result<void> outcome) {
    if (waiter_) {
        waiter_->on_interrupt({});  // it may hold on to this operation
    }
    if (auto done = std::exchange(done_, {})) {
        done(std::move(outcome));
    }
}

Result<Renaming::Ends> Renaming::ends() {
    Ends at;
    TRY(at.from, body_.place(names_.parent, names_.name));
    TRY(at.to, body_.place(names_.new_parent, names_.new_name));
    at.source = body_.core.tree.child(*at.from.directory, names_.name);
    at.target = body_.core.tree.child(*at.to.directory, names_.new_name);
    if (at.source == nullptr) {
        return fail(Errc::not_found, "no such file");
    }
    return at;
}

Result<void> Renaming::check(const Ends& at) const {
    if (at.to.path.is_within(at.from.path)) {
        return fail(Errc::invalid_argument, "a directory cannot be moved into itself");
    }
    if (at.target == nullptr) {
        return {};
    }
    if ((names_.flags & RENAME_NOREPLACE) != 0) {
        return fail(Errc::exists, "the new name exists");
    }
    if (at.source->is_directory() && !at.target->is_directory()) {
        return fail(Errc::not_directory, "the new name is not a directory");
    }
    if (!at.source->is_directory() && at.target->is_directory()) {
        return fail(Errc::is_directory, "the new name is a directory");
    }
    if (at.from.path.is_within(at.to.path) ||
        (at.target->is_directory() && body_.directories.fresh(*at.target) &&
         !at.target->directory->children.empty())) {
        return fail(Errc::not_empty, "the directory of the new name is not empty");
    }
    return {};
}

/// Path of an upload at or below either end whose bytes are on their way, or empty.
std::string Renaming::running_upload(const Ends& at) const {
    for (const auto& view : body_.uploads.list()) {
        const auto path = modem::RemotePath::parse(view.row.path);
        if (path && body_.uploads.running(view.row.path) &&
            (path->is_within(at.from.path) || path->is_within(at.to.path))) {
            return view.row.path;
        }
    }
    return {};
}

/// An upload that runs, or a file that is just becoming one, ends under the name it began with:
/// that is waited for. False: there is none.
bool Renaming::wait_for_uploads(const Ends& at) {
    for (const auto& path : {at.from.path, at.to.path}) {
        if (body_.files.when_committed(path, while_alive(body_.core, [self = shared_from_this()] {
                                           self->settle_uploads();
                                       }))) {
            if (waiter_) {
                waiter_->on_interrupt([self = shared_from_this()] {
                    self->finish(fail(Errc::cancelled, "interrupted"));
                });
            }
            return true;
        }
    }
    const auto path = running_upload(at);
    if (path.empty()) {
        return false;
    }
    body_.uploads.settled(path, waiter_, [self = shared_from_this()](Result<void> settled) {
        if (settled) {
            self->settle_uploads();
        } else {
            self->finish(std::move(settled));
        }
    });
    return true;
}

void Renaming::settle_uploads() {
    if (!done_) {
        return;  // interrupted while it waited
    }
    const auto at = ends();
    if (!at) {
        finish(fail(at.error()));
        return;
    }
    if (at->source == at->target) {
        finish({});
        return;
    }
    if (auto checked = check(*at); !checked) {
        finish(std::move(checked));
        return;
    }
    if (!wait_for_uploads(*at)) {
        held_ = {at->from.path, at->to.path};
        hold(true);
        choose_way(*at);
    }
}

void Renaming::choose_way(const Ends& at) {
    if (!at.source->on_server) {
        commit();  // only the ledger has to know
        return;
    }
    if (!body_.core.capabilities().rename) {
        finish(fail(at.source->is_directory() ? Errc::not_supported : Errc::cross_device,
                    "the module cannot rename"));
        return;
    }
    const bool occupied = at.target != nullptr && at.target->on_server;
    const bool must_live = occupied && body_.files.needs_remote(*at.target);
    if (occupied && (must_live || !body_.rename_replaces)) {
        make_room(at);
    } else {
        rename_directly(at);
    }
}

void Renaming::submit(modem::Request request, bool interruptible,
                      modem::UniqueFunction<void(Result<Answer>)> then) {
    if (interruptible) {
        ask(body_.core, std::move(request), Priority::metadata, waiter_, std::move(then));
        return;
    }
    // The program may leave; half of a rename must not stay.
    ask(body_.core, std::move(request), Priority::metadata, nullptr, std::move(then));
    if (waiter_) {
        waiter_->on_interrupt([self = shared_from_this()] {
            self->finish(fail(Errc::cancelled, "interrupted; the rename goes on"));
        });
    }
}

void Renaming::rename_directly(const Ends& at) {
    submit(modem::RenameRequest{at.from.remote, at.to.remote}, true,
           [self = shared_from_this()](Result<Answer> answer) {
               if (answer) {
                   self->commit();
               } else {
                   self->refused(std::move(answer).error());
               }
           });
}

void Renaming::refused(Error error) {
    const auto at = ends();
    const bool occupied = at && at->target != nullptr && at->target->on_server;
    if (occupied && may_be_occupied(error.code)) {
        learning_ = true;
        make_room(*at);
        return;
    }
    body_.doubt_after(names_.parent, error.code);
    body_.doubt_after(names_.new_parent, error.code);
    if (error.code != Errc::rejected) {
        finish(fail(std::move(error)));
        return;
    }
    body_.look_again(names_.parent, waiter_,
                     [self = shared_from_this(), error = std::move(error)](Node* parent) mutable {
                         const bool there =
                             parent == nullptr ||
                             self->body_.core.tree.child(*parent, self->names_.name) != nullptr;
                         error.code = there ? Errc::permission : Errc::not_found;
                         self->finish(fail(std::move(error)));
                     });
}

/// The server does not rename onto what exists: the new name is made free first.
void Renaming::make_room(const Ends& at) {
    if (!at.target->is_directory()) {
        put_aside(at);
        return;
    }
    submit(modem::RemoveDirectoryRequest{at.to.remote}, true,
           [self = shared_from_this()](Result<Answer> answer) {
               if (!answer) {
                   auto error = std::move(answer).error();
                   error.code = error.code == Errc::rejected ? Errc::not_empty : error.code;
                   self->finish(fail(std::move(error)));
                   return;
               }
               self->room_made_ = true;
               self->rename_into_room();
           });
}

void Renaming::put_aside(const Ends& at) {
    auto aside = body_.leftovers.name_in(at.to.path.parent(), at.target->ino);
    auto remote = aside ? body_.core.remote(*aside) : aside;
    if (!remote) {
        finish(fail(std::move(remote).error()));
        return;
    }
    submit(modem::RenameRequest{at.to.remote, *remote}, true,
           [self = shared_from_this(), aside = *std::move(aside),
            user = std::weak_ptr<File>(at.target->file)](Result<Answer> answer) mutable {
               if (!answer) {
                   self->body_.doubt_after(self->names_.new_parent, answer.error().code);
                   self->finish(fail(std::move(answer).error()));
                   return;
               }
               self->aside_ = std::move(aside);
               self->aside_user_ = std::move(user);
               self->rename_into_room();
           });
}

void Renaming::rename_into_room() {
    const auto at = ends();
    if (!at) {
        put_back(at.error());
        return;
    }
    submit(modem::RenameRequest{at->from.remote, at->to.remote}, false,
           [self = shared_from_this()](Result<Answer> answer) {
               if (!answer) {
                   self->put_back(std::move(answer).error());
                   return;
               }
               if (self->learning_ && !self->room_made_) {
                   self->body_.rename_replaces = false;
                   self->body_.learn(self->body_.server_fact("rename-replaces"), "no");
               }
               self->commit();
           });
}

/// The new name must not stay empty: what stood there goes back.
void Renaming::put_back(Error error) {
    body_.doubt_after(names_.parent, error.code);
    const auto at = ends();
    const auto aside = body_.core.remote(aside_);
    if (!at || !aside || aside_.is_root()) {
        if (at && room_made_ && at->target != nullptr) {
            body_.take_away(*at->target);
        }
        finish(fail(std::move(error)));
        return;
    }
    submit(modem::RenameRequest{*aside, at->to.remote}, false,
           [self = shared_from_this(),
            error = std::move(error)](const Result<Answer>& answer) mutable {
               if (!answer) {
                   self->body_.core.log(
                       3, "what stood at the new name of a failed rename is on the server as " +
                              self->aside_.text());
                   self->body_.doubt_after(self->names_.new_parent, Errc::cancelled);
               }
               self->finish(fail(std::move(error)));
           });
}

void Renaming::commit() {
    const auto at = ends();
    if (!at) {
        // A listing came in between and already shows the new state.
        finish({});
        return;
    }
    commit_names(*at);
    finish({});
}

void Renaming::commit_names(const Ends& at) {
    const auto& from = at.from.path.text();
    const auto& to = at.to.path.text();
    Node& source = *at.source;
    if (at.target != nullptr) {
        Node& target = *at.target;
        if (!aside_.is_root()) {
            body_.files.renamed(to, aside_.text());
            body_.cache.rename(to, aside_.text());
        }
        if (!source.on_server && target.on_server) {
            // The upload that is to come replaces what the server has there.
            source.on_server = true;
            source.listed_size = target.listed_size;
            source.listed_mtime = target.listed_mtime;
        }
        body_.take_away(target);
    }
    if (!aside_.is_root()) {
        body_.leftovers.add(aside_, aside_user_);
        body_.leftovers.tick();
    }
    body_.core.tree.move(source, *at.to.directory, names_.new_name);
    write_ledger(body_.core, [from, to](Ledger& ledger) { return ledger.rename_path(from, to); });
    body_.cache.rename(from, to);
    body_.files.renamed(from, to);
    body_.uploads.renamed(from, to);
    body_.remembered.renamed(from, to);
    body_.leftovers.renamed(from, to);
    if (body_.remembered.knows_name(to) && !source.name.starts_with('.')) {
        body_.remembered.remove_name(to);
    } else if (source.on_server && !body_.remembered.knows_name(to)) {
        body_.remember_name(source, to);
    }
    body_.directories.edited(*at.from.directory);
    body_.directories.edited(*at.to.directory);
}

void Volume::rename(Ino parent, std::string_view name, Ino new_parent, std::string_view new_name,
                    unsigned flags, const WaiterPtr& waiter, Done<void> done) {
    std::make_shared<Renaming>(
        *body_,
        Renaming::Names{parent, std::string(name), new_parent, std::string(new_name), flags},
        waiter, std::move(done))
        ->begin();
}

}  // namespace fusefs
