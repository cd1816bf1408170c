// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "fusefs/volume_body.hpp"
#include "modem/at/parse.hpp"

namespace fusefs {

using modem::Capabilities;
using modem::Clock;
using modem::EntryKind;
using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Priority;
using modem::Result;

Result<void> Volume::Body::check_name(std::string_view name) const {
    constexpr std::size_t longest = 255;  // what programs believe, whatever the module takes
    CHECK(modem::RemotePath().child(name));
    if (core.is_ours(name)) {
        return fail(Errc::invalid_name, "names of this form are the mount's own temporaries");
    }
    if (name.size() > longest) {
        return fail(Errc::name_too_long, "a name of more than 255 bytes");
    }
    if (!core.link.capabilities) {
        return {};
    }
    const auto& can = *core.link.capabilities;
    if (name.size() > can.max_name) {
        return fail(Errc::name_too_long,
                    fmt::format("the module takes names of at most {} bytes", can.max_name));
    }
    const auto is_eight_bit = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
    if (!can.eight_bit_names && std::any_of(name.begin(), name.end(), is_eight_bit)) {
        return fail(Errc::not_representable, "the module takes only ASCII in names");
    }
    return {};
}

Result<Volume::Body::Place> Volume::Body::place(Ino parent, std::string_view name) {
    Node* const directory = core.tree.find(parent);
    if (directory == nullptr) {
        return fail(Errc::not_found, "no such directory");
    }
    if (!directory->is_directory()) {
        return fail(Errc::not_directory, "not a directory");
    }
    CHECK(check_name(name));
    const auto above = core.tree.path(*directory);
    if (!above) {
        return fail(Errc::not_found, "the directory was removed");
    }
    TRY(auto path, above->child(name));
    TRY(auto remote, core.remote(path));
    const auto longest = core.link.capabilities ? core.link.capabilities->max_path : 0;
    if (longest != 0 && remote.text().size() > longest) {
        return fail(Errc::name_too_long,
                    fmt::format("the module takes paths of at most {} bytes", longest));
    }
    return Place{directory, std::move(path), std::move(remote)};
}

// ---- looking up -------------------------------------------------------------------------------

void Volume::lookup(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<Ino> done) {
    Body& body = *body_;
    Node* const directory = body.core.tree.find(parent);
    if (directory == nullptr || !directory->is_directory()) {
        done(fail(directory == nullptr ? Errc::not_found : Errc::not_directory, ""));
        return;
    }
    Node* const child = body.core.tree.child(*directory, name);
    if (child != nullptr && (body.directories.fresh(*directory) || body.files.busy(*child))) {
        body.core.tree.looked_up(*child);
        done(child->ino);
        return;
    }
    if (child == nullptr) {
        if (auto checked = body.check_name(name); !checked) {
            done(fail(std::move(checked).error()));
            return;
        }
    }
    body.directories.ensure(*directory, waiter,
                            [&body, parent, name = std::string(name), waiter,
                             done = std::move(done)](const Result<void>& listed) mutable {
                                if (!listed) {
                                    done(fail(listed.error()));
                                } else {
                                    body.resolve(parent, name, waiter, std::move(done));
                                }
                            });
}

/// The directory can be served now: whether it has the name.
void Volume::Body::resolve(Ino parent, const std::string& name, const WaiterPtr& waiter,
                           Done<Ino> done) {
    Node* const directory = core.tree.find(parent);
    Node* const child = directory != nullptr ? core.tree.child(*directory, name) : nullptr;
    if (child != nullptr) {
        core.tree.looked_up(*child);
        done(child->ino);
        return;
    }
    const bool may_be_hidden = directory != nullptr && name.starts_with('.') &&
                               !directory->directory->dots_shown &&
                               !directory->directory->absent.contains(name);
    const auto at = may_be_hidden ? place(parent, name) : Result<Place>(fail(Errc::not_found, ""));
    // Servers expand patterns in LIST: such a name is never asked for.
    if (!at || !core.link_up() || !core.capabilities().size || at->remote.has_glob()) {
        done(fail(Errc::not_found, ""));
        return;
    }
    ask_hidden(*at, waiter, std::move(done));
}

void Volume::Body::ask_hidden(const Place& at, const WaiterPtr& waiter, Done<Ino> done) {
    const auto refused = [](Errc code) {
        return code == Errc::not_found || code == Errc::rejected || code == Errc::permission ||
               code == Errc::not_supported || code == Errc::refused;
    };
    ask(core, modem::StatRequest{at.remote}, Priority::metadata, waiter,
        [this, refused, parent = at.directory->ino, path = at.path,
         done = std::move(done)](Result<modem::Answer> answer) mutable {
            Node* const directory = core.tree.find(parent);
            const auto* const stat = answer ? std::get_if<modem::Stat>(&*answer) : nullptr;
            const std::string name(path.name());
            if (directory == nullptr || stat == nullptr) {
                if (directory != nullptr && !answer && refused(answer.error().code)) {
                    directory->directory->absent.insert(name);
                    answer.error() = Error{Errc::not_found, 0, ""};
                }
                done(fail(answer ? Error{Errc::not_found, 0, ""} : std::move(answer).error()));
                return;
            }
            Node* node = core.tree.child(*directory, name);
            if (node == nullptr) {
                node = &core.tree.add(*directory, name, stat->kind);
                node->listed_size = stat->size;
                node->listed_mtime = stat->mtime.value_or(0);
                remember_name(*node, path.text());
            }
            core.tree.looked_up(*node);
            done(node->ino);
        });
}

void Volume::Body::remember_name(const Node& node, const std::string& path) {
    if (node.name.starts_with('.') && core.hides_dots()) {
        remembered.add_name(path, node.kind, node.listed_size, node.listed_mtime);
    }
}

void Volume::Body::look_again(Ino directory, const WaiterPtr& waiter,
                              modem::UniqueFunction<void(Node*)> then) {
    Node* const node = core.tree.find(directory);
    if (node == nullptr || !node->is_directory()) {
        then(nullptr);
        return;
    }
    directories.ensure(
        *node, waiter,
        [this, directory, then = std::move(then)](const Result<void>& listed) mutable {
            then(listed ? core.tree.find(directory) : nullptr);
        });
}

void Volume::Body::doubt_after(Ino directory, Errc code) {
    Node* const node = core.tree.find(directory);
    const bool refused = code == Errc::rejected || code == Errc::permission ||
                         code == Errc::not_supported || code == Errc::link_down ||
                         code == Errc::invalid_name || code == Errc::no_space;
    if (node != nullptr && node->is_directory() && !refused) {
        directories.doubt(*node);
    }
}

// ---- making directories -----------------------------------------------------------------------

void Volume::mkdir(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<Ino> done) {
    Body& body = *body_;
    if (auto at = body.place(parent, name); !at) {
        done(fail(std::move(at).error()));
        return;
    }
    body.when_writable(
        &Capabilities::make_directory, waiter,
        [&body, parent, name = std::string(name), waiter,
         done = std::move(done)](Result<void> writable) mutable {
            auto at = writable ? body.place(parent, name)
                               : Result<Body::Place>(fail(std::move(writable).error()));
            if (!at) {
                done(fail(std::move(at).error()));
                return;
            }
            const Node* const there = body.core.tree.child(*at->directory, name);
            if (there != nullptr &&
                (body.directories.fresh(*at->directory) || body.files.busy(*there))) {
                done(fail(Errc::exists, "there is already something of that name"));
                return;
            }
            ask(body.core, modem::MakeDirectoryRequest{at->remote}, Priority::metadata, waiter,
                [&body, parent, name, waiter,
                 done = std::move(done)](Result<modem::Answer> answer) mutable {
                    if (answer) {
                        body.made_directory(parent, name, std::move(done));
                        return;
                    }
                    body.doubt_after(parent, answer.error().code);
                    if (answer.error().code != Errc::rejected) {
                        done(fail(std::move(answer).error()));
                        return;
                    }
                    body.look_again(parent, waiter,
                                    [&body, name, error = std::move(answer).error(),
                                     done = std::move(done)](Node* directory) mutable {
                                        if (directory != nullptr &&
                                            body.core.tree.child(*directory, name) != nullptr) {
                                            error.code = Errc::exists;
                                        }
                                        done(fail(std::move(error)));
                                    });
                });
        });
}

void Volume::Body::made_directory(Ino parent, const std::string& name, Done<Ino> done) {
    const auto at = place(parent, name);
    if (!at) {
        done(fail(at.error()));
        return;
    }
    Node& node = core.tree.add(*at->directory, name, EntryKind::directory);
    // What we have just made is empty: no LIST has to tell.
    node.directory->listed = true;
    node.directory->dots_shown = true;
    node.directory->fetched = Clock::now();
    directories.edited(node);
    directories.edited(*at->directory);
    remember_name(node, at->path.text());
    core.tree.looked_up(node);
    done(node.ino);
}

// ---- permission to write ----------------------------------------------------------------------

Result<void> Volume::Body::may_write(bool Capabilities::* needed) const {
    if (config.mount.read_only) {
        return fail(Errc::read_only, "mount.read-only is set");
    }
    if (core.link.capabilities) {
        if (!core.link.capabilities->store) {
            return fail(Errc::read_only, "the module cannot write");
        }
        if (needed != nullptr && !(*core.link.capabilities.*needed)) {
            return fail(Errc::not_supported, "the module has no such command");
        }
    }
    return {};
}

void Volume::Body::when_writable(bool Capabilities::* needed, const WaiterPtr& waiter,
                                 Done<void> done) {
    auto verdict = may_write(needed);
    if (!verdict || core.link.capabilities) {
        done(std::move(verdict));
        return;
    }
    const auto id = next_writer++;
    writers.push_back({id, needed, Clock::now() + config.link.timeout, std::move(done)});
    if (waiter) {
        waiter->on_interrupt(while_alive(core, [this, id] {
            const auto found = std::find_if(writers.begin(), writers.end(),
                                            [id](const Writer& one) { return one.id == id; });
            if (found != writers.end()) {
                auto interrupted = std::move(found->done);
                writers.erase(found);
                interrupted(fail(Errc::cancelled, "interrupted"));
            }
        }));
    }
}

/// Capabilities came, or (`expire`) time passed.
void Volume::Body::answer_writers(bool expire) {
    const auto now = Clock::now();
    std::list<Writer> ready;
    for (auto at = writers.begin(); at != writers.end();) {
        const auto next = std::next(at);
        if (core.link.capabilities || (expire && at->deadline <= now)) {
            ready.splice(ready.end(), writers, at);
        }
        at = next;
    }
    for (auto& writer : ready) {
        if (core.link.capabilities) {
            writer.done(may_write(writer.needed));
        } else {
            writer.done(fail(core.link.last_error.value_or(
                Error{Errc::link_down, 0, "the module has not been identified yet"})));
        }
    }
}

}  // namespace fusefs
