// SPDX-License-Identifier: MIT
#include "fusefs/content_cache.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "fusefs/content_cache_body.hpp"
#include "fusefs/content_index.hpp"
#include "fusefs/disk.hpp"

namespace fusefs {

using modem::Result;

ContentCache::ContentCache(Storage& storage, std::filesystem::path directory, std::uint64_t limit)
    : body_(std::make_shared<Body>(storage, std::move(directory), limit)) {}

ContentCache::~ContentCache() {
    body_->notice_changes();
    if (body_->dirty) {
        body_->save_now(body_);
    }
}

void ContentCache::load() {
    auto& body = *body_;
    if (!make_private_directory(body.directory)) {
        return;  // obtain() will say why
    }
    auto index = restore_index(body.directory);
    body.next = index.next;
    for (auto& entry : index.entries) {
        auto content = std::make_shared<CachedContent>();
        content->path = std::move(entry.path);
        content->version = entry.version;
        content->present = std::move(entry.present);
        const auto item = body.insert(std::move(content), entry.number);
        item->durable = entry.durable;
        item->listed = true;
    }
    body.dirty = false;
    body.evict(nullptr);
}

void ContentCache::save() {
    body_->notice_changes();
    body_->evict(nullptr);
    body_->wanted = true;
    body_->save_if_wanted(body_);
}

// ---- contents -------------------------------------------------------------------------------

std::shared_ptr<CachedContent> ContentCache::find(const std::string& path, ContentVersion version) {
    auto& body = *body_;
    const auto at = body.paths.find(path);
    if (at == body.paths.end()) {
        return nullptr;
    }
    const auto item = at->second;
    if (auto& own = item->content->version; own.mtime == 0 && own.size == version.size) {
        own = version;  // our own upload, whose time nobody had told yet
        body.dirty = true;
    }
    if (item->content->version != version || !body.reopen(item)) {
        body.detach(item);
        return nullptr;
    }
    body.touch(item);
    auto content = item->content;
    body.save_if_wanted(body_);
    return content;
}

Result<std::shared_ptr<CachedContent>> ContentCache::obtain(const std::string& path,
                                                            ContentVersion version) {
    if (auto content = find(path, version)) {
        return content;
    }
    TRY(auto created, body_->create_file());
    auto content = std::make_shared<CachedContent>();
    content->path = path;
    content->version = version;
    content->file = std::move(created.first);
    body_->note_open(body_->insert(content, created.second));
    body_->save_if_wanted(body_);
    return content;
}

void ContentCache::added(const std::shared_ptr<CachedContent>& content, std::uint64_t begin,
                         std::uint64_t end) {
    auto& body = *body_;
    content->present.add(begin, end);
    const auto item = body.lookup(*content);
    if (item == body.items.end()) {
        return;  // another version has taken its place: it lives as long as its users
    }
    body.recount(*item);
    body.touch(item);
    item->durable = false;
    ++item->changes;
    body.dirty = true;
    body.evict(content.get());
    body.save_if_wanted(body_);
}

void ContentCache::adopt(const std::string& path, ContentVersion version,
                         std::shared_ptr<LocalFile> file) {
    auto& body = *body_;
    body.detach_path(path);
    struct stat status{};
    if (::fstat(file->fd(), &status) < 0 ||
        static_cast<std::uint64_t>(status.st_size) != version.size) {
        return;
    }
    const auto number = body.next++;
    auto content = std::make_shared<CachedContent>();
    content->path = path;
    content->version = version;
    content->file = file;
    content->present.add(0, version.size);
    const auto item = body.insert(content, number);
    item->settled = false;
    body.note_open(item);
    body.evict(content.get());
    // Readable at once through the descriptor; the name follows.
    auto move = [source = std::move(file), size = version.size,
                 target = body.file_of(number)]() -> Result<std::shared_ptr<LocalFile>> {
        if (::rename(source->path().c_str(), target.c_str()) == 0) {
            return LocalFile::open(target);
        }
        TRY(auto copy, LocalFile::create(target));
        CHECK(copy->copy_from(*source, 0, size));
        return copy;
    };
    auto done = [weak = std::weak_ptr(body_), content,
                 number](Result<std::shared_ptr<LocalFile>> moved) {
        const auto self = weak.lock();
        const auto found = self ? self->lookup(*content) : Body::Items::iterator{};
        if (!self || found == self->items.end() || found->number != number) {
            return;
        }
        if (!moved) {
            self->detach(found);
            return;
        }
        found->settled = true;
        content->file = *std::move(moved);
        self->dirty = true;
    };
    body.storage.call(std::move(move), std::move(done));
}

bool ContentCache::extend(const std::string& path, ContentVersion from, ContentVersion to) {
    const auto at = body_->paths.find(path);
    if (at == body_->paths.end() || at->second->content->version != from) {
        return false;
    }
    at->second->content->version = to;
    body_->dirty = true;
    body_->save_if_wanted(body_);
    return true;
}

void ContentCache::drop(const std::string& path) {
    body_->detach_path(path);
    body_->save_if_wanted(body_);
}

void ContentCache::rename(const std::string& from, const std::string& to) {
    auto& body = *body_;
    if (from == to) {
        return;
    }
    body.detach_subtree(to);
    std::vector<Body::Items::iterator> moved;
    if (const auto at = body.paths.find(from); at != body.paths.end()) {
        moved.push_back(at->second);
    }
    for (auto at = body.paths.lower_bound(from + "/");
         at != body.paths.end() && at->first.starts_with(from + "/"); ++at) {
        moved.push_back(at->second);
    }
    for (const auto item : moved) {
        auto& path = item->content->path;
        body.paths.erase(path);
        path.replace(0, from.size(), to);
        body.paths[path] = item;
        body.dirty = true;
    }
    body.save_if_wanted(body_);
}

void ContentCache::set_limit(std::uint64_t bytes) {
    body_->limit = bytes;
    body_->evict(nullptr);
}

std::uint64_t ContentCache::used() const {
    return body_->used;
}

}  // namespace fusefs
