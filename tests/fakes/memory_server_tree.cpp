// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "tests/fakes/memory_server.hpp"

namespace fakes {

using modem::Answer;
using modem::EntryKind;
using modem::Errc;
using modem::fail;
using modem::JobKind;
using modem::Result;

namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Answer> MemoryServer::verdict(Errc code, const std::string& path) {
    const auto shown = plain_rejections_ ? Errc::rejected : code;
    return fail(shown, fmt::format("the server said: 550 {} ({})", path, modem::name(code)), 550);
}

bool MemoryServer::has_children(const std::string& path) const {
    const auto prefix = path == "/" ? path : path + "/";
    const auto next = tree_.upper_bound(prefix);
    return next != tree_.end() && next->first.starts_with(prefix);
}

Result<Answer> MemoryServer::instant(const modem::Request& request) {
    const std::lock_guard lock(mutex_);
    struct Doer {
        MemoryServer& server;
        Result<Answer> operator()(const modem::ListRequest& r) const { return server.list(r); }
        Result<Answer> operator()(const modem::StatRequest& r) const { return server.stat(r); }
        Result<Answer> operator()(const modem::RemoveRequest& r) const { return server.remove(r); }
        Result<Answer> operator()(const modem::MakeDirectoryRequest& r) const {
            return server.make(r);
        }
        Result<Answer> operator()(const modem::RemoveDirectoryRequest& r) const {
            return server.remove(r);
        }
        Result<Answer> operator()(const modem::RenameRequest& r) const { return server.rename(r); }
        Result<Answer> operator()(const modem::RetrieveRequest&) const {
            return fail(Errc::invalid_argument, "a download takes its time");
        }
        Result<Answer> operator()(const modem::StoreRequest&) const {
            return fail(Errc::invalid_argument, "an upload takes its time");
        }
    };
    return std::visit(Doer{*this}, request);
}

Result<Answer> MemoryServer::list(const modem::ListRequest& request) {
    const auto& path = request.directory.text();
    const auto directory = tree_.find(path);
    if (directory == tree_.end() || directory->second.kind != EntryKind::directory) {
        return verdict(Errc::not_found, path);
    }
    modem::Listing listing;
    listing.shows_dot_entries = !hide_dot_files_;
    const auto prefix = path == "/" ? path : path + "/";
    for (auto at = tree_.upper_bound(prefix); at != tree_.end() && at->first.starts_with(prefix);
         ++at) {
        auto name = at->first.substr(prefix.size());
        if (name.find('/') != std::string::npos || (hide_dot_files_ && name.front() == '.')) {
            continue;
        }
        const auto& item = at->second;
        listing.entries.push_back(
            {std::move(name), item.kind, item.content.size(), item.mtime, item.target});
    }
    return Answer{std::move(listing)};
}

Result<Answer> MemoryServer::stat(const modem::StatRequest& request) {
    const auto found = tree_.find(request.file.text());
    if (found == tree_.end()) {
        return verdict(Errc::not_found, request.file.text());
    }
    return Answer{
        modem::Stat{found->second.content.size(), found->second.mtime, found->second.kind}};
}

Result<Answer> MemoryServer::remove(const modem::RemoveRequest& request) {
    const auto& path = request.file.text();
    const auto found = tree_.find(path);
    if (found == tree_.end()) {
        return verdict(Errc::not_found, path);
    }
    if (found->second.kind == EntryKind::directory) {
        return verdict(Errc::is_directory, path);
    }
    tree_.erase(found);
    return Answer{};
}

Result<Answer> MemoryServer::make(const modem::MakeDirectoryRequest& request) {
    const auto& path = request.directory.text();
    if (tree_.contains(path)) {
        return verdict(Errc::exists, path);
    }
    if (!tree_.contains(parent_of(path))) {
        return verdict(Errc::not_found, path);
    }
    tree_[path] = Item{EntryKind::directory, {}, now_, {}};
    return Answer{};
}

Result<Answer> MemoryServer::remove(const modem::RemoveDirectoryRequest& request) {
    const auto& path = request.directory.text();
    const auto found = tree_.find(path);
    if (found == tree_.end()) {
        return verdict(Errc::not_found, path);
    }
    if (found->second.kind != EntryKind::directory) {
        return verdict(Errc::not_directory, path);
    }
    if (has_children(path)) {
        return verdict(Errc::not_empty, path);
    }
    tree_.erase(found);
    return Answer{};
}

Result<Answer> MemoryServer::rename(const modem::RenameRequest& request) {
    const auto& from = request.from.text();
    const auto& to = request.to.text();
    if (!tree_.contains(from) || !tree_.contains(parent_of(to))) {
        return verdict(Errc::not_found, from);
    }
    if (tree_.contains(to) && (refuse_to_replace_ || has_children(to))) {
        return verdict(Errc::exists, to);
    }
    std::map<std::string, Item> moved;
    for (auto at = tree_.begin(); at != tree_.end();) {
        if (at->first == from || at->first.starts_with(from + "/")) {
            moved[to + at->first.substr(from.size())] = std::move(at->second);
            at = tree_.erase(at);
        } else {
            ++at;
        }
    }
    tree_.erase(to);
    tree_.merge(moved);
    return Answer{};
}

void MemoryServer::put_file(const std::string& path, std::string content, std::time_t mtime) {
    const std::lock_guard lock(mutex_);
    tree_[path] = Item{EntryKind::file, std::move(content), mtime != 0 ? mtime : now_, {}};
}

void MemoryServer::put_directory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    tree_[path] = Item{EntryKind::directory, {}, now_, {}};
}

void MemoryServer::put_symlink(const std::string& path, std::string target) {
    const std::lock_guard lock(mutex_);
    tree_[path] = Item{EntryKind::symlink, {}, now_, std::move(target)};
}

void MemoryServer::erase(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::erase_if(tree_, [&](const auto& entry) {
        return entry.first == path || entry.first.starts_with(path + "/");
    });
}

std::optional<std::string> MemoryServer::content(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = tree_.find(path);
    if (found == tree_.end() || found->second.kind != EntryKind::file) {
        return {};
    }
    return found->second.content;
}

bool MemoryServer::exists(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return tree_.contains(path);
}

std::vector<std::string> MemoryServer::paths() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [path, item] : tree_) {
        if (path != "/") {
            all.push_back(path);
        }
    }
    return all;
}

void MemoryServer::set_mtime(const std::string& path, std::time_t mtime) {
    const std::lock_guard lock(mutex_);
    tree_[path].mtime = mtime;
}

void MemoryServer::set_clock(std::time_t now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
}

void MemoryServer::hide_dot_files(bool hide) {
    const std::lock_guard lock(mutex_);
    hide_dot_files_ = hide;
}

void MemoryServer::refuse_to_replace(bool refuse) {
    const std::lock_guard lock(mutex_);
    refuse_to_replace_ = refuse;
}

void MemoryServer::plain_rejections(bool plain) {
    const std::lock_guard lock(mutex_);
    plain_rejections_ = plain;
}

void MemoryServer::set_silent(bool silent) {
    silent_ = silent;
}

void MemoryServer::set_chunk(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    chunk_ = bytes;
}

void MemoryServer::inject(Fault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(std::move(fault));
}

int MemoryServer::count(JobKind kind) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(kind);
    return found == counts_.end() ? 0 : found->second;
}

int MemoryServer::jobs() const {
    const std::lock_guard lock(mutex_);
    int sum = 0;
    for (const auto& [kind, times] : counts_) {
        sum += times;
    }
    return sum;
}

std::vector<std::string> MemoryServer::log() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

void MemoryServer::clear_log() {
    const std::lock_guard lock(mutex_);
    log_.clear();
    counts_.clear();
}

}  // namespace fakes
