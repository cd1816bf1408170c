// SPDX-License-Identifier: MIT
#include "fusefs/content_cache_body.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "fusefs/disk.hpp"
#include "modem/fd.hpp"

namespace fusefs {

using modem::fail;
using modem::Result;

namespace {

/// Descriptors kept open for contents that nobody uses; the others are opened when found.
constexpr std::size_t idle_descriptors = 64;
/// How many contents in use one call passes over: they go to the front, so that the next call goes
/// on behind them and no call is slow.
constexpr int passes = 16;
constexpr std::chrono::seconds save_interval{2};
constexpr int name_attempts = 100;

}  // namespace

// ---- the index in memory --------------------------------------------------------------------

ContentCache::Body::Items::iterator ContentCache::Body::insert(
    std::shared_ptr<CachedContent> content, std::uint64_t number) {
    items.emplace_front();
    const auto item = items.begin();
    item->content = std::move(content);
    item->number = number;
    paths[item->content->path] = item;
    recount(*item);
    dirty = true;
    return item;
}

void ContentCache::Body::recount(Item& item) {
    used -= item.counted;
    item.counted = item.content->present.total();
    used += item.counted;
}

void ContentCache::Body::detach(Items::iterator item) {
    used -= item->counted;
    note_closed(*item);
    paths.erase(item->content->path);
    // By name and behind whatever still brings it there; descriptors live on.
    storage.run([file = file_of(item->number)] { ::unlink(file.c_str()); });
    items.erase(item);
    dirty = true;
}

void ContentCache::Body::detach_path(const std::string& path) {
    if (const auto at = paths.find(path); at != paths.end()) {
        detach(at->second);
    }
}

void ContentCache::Body::detach_subtree(const std::string& path) {
    detach_path(path);
    for (auto at = paths.lower_bound(path + "/");
         at != paths.end() && at->first.starts_with(path + "/");) {
        detach((at++)->second);
    }
}

void ContentCache::Body::evict(const CachedContent* keep) {
    for (int passed = 0; used > limit && !items.empty() && passed < passes;) {
        const auto oldest = std::prev(items.end());
        recount(*oldest);
        if (used <= limit) {
            break;
        }
        if (oldest->content->users > 0 || !oldest->settled || oldest->content.get() == keep) {
            touch(oldest);
            ++passed;
        } else {
            detach(oldest);
        }
    }
}

void ContentCache::Body::note_open(Items::iterator item) {
    open.push_front(item);
    item->open = open.begin();
    for (int passed = 0; open.size() > idle_descriptors && passed < passes;) {
        auto& oldest = *open.back();
        if (oldest.content->users == 0 && oldest.content.use_count() == 1 && oldest.settled) {
            oldest.content->file.reset();
            note_closed(oldest);
        } else {
            open.splice(open.begin(), open, std::prev(open.end()));
            ++passed;
        }
    }
}

void ContentCache::Body::note_closed(Item& item) {
    if (item.open) {
        open.erase(*item.open);
        item.open.reset();
    }
}

bool ContentCache::Body::reopen(Items::iterator item) {
    if (item->content->file) {
        return true;
    }
    auto file = LocalFile::open(file_of(item->number));
    if (!file) {
        return false;  // somebody has emptied the cache directory
    }
    item->content->file = *std::move(file);
    note_open(item);
    return true;
}

ContentCache::Body::Items::iterator ContentCache::Body::lookup(const CachedContent& content) {
    const auto at = paths.find(content.path);
    return at != paths.end() && at->second->content.get() == &content ? at->second : items.end();
}

Result<std::pair<std::shared_ptr<LocalFile>, std::uint64_t>> ContentCache::Body::create_file() {
    for (int attempt = 0;; ++attempt) {
        const auto number = next++;
        auto file = LocalFile::create(file_of(number));
        if (file) {
            return std::pair(*std::move(file), number);
        }
        const bool missing = file.error().number == ENOENT;
        const bool taken = file.error().number == EEXIST;
        if (attempt == name_attempts || (!missing && !taken)) {
            return fail(std::move(file).error());
        }
        if (missing) {
            CHECK(make_private_directory(directory));
        }
    }
}

// ---- the index on the disk ------------------------------------------------------------------

bool ContentCache::Body::is_listable(const Item& item) {
    const auto& content = *item.content;
    return !content.racy && item.settled && !content.present.empty() &&
           (content.users == 0 || content.complete());
}

/// What users of a content do to it (ranges taken back, last handle closed) is not told here.
void ContentCache::Body::notice_changes() {
    for (auto& item : items) {
        if (item.counted != item.content->present.total()) {
            recount(item);
            dirty = true;
        }
        dirty = dirty || item.listed != is_listable(item);
    }
}

ContentIndex ContentCache::Body::snapshot() {
    ContentIndex index{boot, next, {}};
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
        item->listed = is_listable(*item);
        if (item->listed) {
            const auto& content = *item->content;
            index.entries.push_back({content.path, content.version, item->number, item->durable,
                                     content.present, item->changes});
        }
    }
    return index;
}

void ContentCache::Body::save_now(const std::shared_ptr<Body>& self) {
    dirty = false;
    wanted = false;
    saving = true;
    auto index = std::make_shared<ContentIndex>(snapshot());
    auto write = [index, at = directory]() -> Result<void> {
        for (auto& entry : index->entries) {
            if (!entry.durable) {
                const modem::Fd fd(
                    ::open((at / content_name(entry.number)).c_str(), O_RDWR | O_CLOEXEC));
                entry.durable = fd && ::fdatasync(fd.get()) == 0;
            }
        }
        return write_index(at, *index);  // whose directory sync makes the files' names durable
    };
    auto done = [index, weak = std::weak_ptr(self)](const Result<void>& written) {
        if (const auto body = weak.lock()) {
            body->saving = false;
            body->saved = modem::Clock::now();
            if (written) {
                body->mark_durable(*index);
            } else {
                body->dirty = true;
            }
        }
    };
    storage.call(std::move(write), std::move(done));
}

void ContentCache::Body::save_if_wanted(const std::shared_ptr<Body>& self) {
    if (wanted && dirty && !saving && modem::Clock::now() - saved >= save_interval) {
        save_now(self);
    }
}

void ContentCache::Body::mark_durable(const ContentIndex& index) {
    for (const auto& entry : index.entries) {
        const auto found = paths.find(entry.path);
        if (entry.durable && found != paths.end() && found->second->number == entry.number &&
            found->second->changes == entry.changes) {
            found->second->durable = true;
        }
    }
}

}  // namespace fusefs
