// SPDX-License-Identifier: MIT
#include <utility>

#include "fusefs/files_body.hpp"

namespace fusefs {

using modem::Result;

namespace {

/// An appended piece up to this size is copied from page cache to page cache at once, so that who
/// reads it right after the close finds it; a larger one goes through the storage thread.
constexpr std::uint64_t copied_at_once = 256U << 10U;

}  // namespace

/// What Uploads tells about an upload reaches the File that it came from.
void Files::Body::outcome(const UploadRow& row, const Uploads::Outcome& outcome) {
    const auto found = by_upload.find(row.id);
    auto file = found == by_upload.end() ? nullptr : found->second.lock();
    if (outcome.delivered && found != by_upload.end()) {
        by_upload.erase(found);
    }
    if (outcome.delivered && file && file->frozen && file->frozen->id == row.id) {
        delivered(file, outcome);
    }
}

void Files::Body::delivered(const FilePtr& file, const Uploads::Outcome& outcome) {
    const ContentVersion version{outcome.size, outcome.mtime};
    const auto frozen = *std::exchange(file->frozen, std::nullopt);
    core.spool->release(frozen.reserved);
    keep_content(*file, frozen, version);
    file->download.reset();
    file->base = version;
    file->on_server = true;
    if (auto* node = file->node; node != nullptr) {
        node->on_server = true;
        node->listed_size = version.size;
        node->listed_mtime = version.mtime;
        if (!node->set_mtime_ns && file->mtime_ns != 0) {
            node->set_mtime_ns = file->mtime_ns;  // what programs saw goes on being what they see
        }
        if (node->kernel_version != 0) {
            node->kernel_version = version_mark(version);
        }
    }
    settle(file);
}

/// What was just sent need never be fetched.
void Files::Body::keep_content(File& file, const Frozen& frozen, ContentVersion version) {
    const auto& path = file.path.text();
    if (frozen.kind == UploadKind::replace) {
        cache.adopt(path, version, frozen.file);
        return;
    }
    cache.extend(path, {frozen.base_size, file.base.mtime}, version);
    auto obtained = cache.obtain(path, version);
    if (!obtained) {
        return;
    }
    auto content = *std::move(obtained);
    if (frozen.size - frozen.base_size <= copied_at_once) {
        if (content->file->copy_from(*frozen.file, frozen.base_size, frozen.size)) {
            cache.added(content, frozen.base_size, frozen.size);
        }
        return;
    }
    ++content->users;
    core.storage->call(
        [content, source = frozen.file, begin = frozen.base_size, end = frozen.size] {
            return content->file->copy_from(*source, begin, end);
        },
        [this, alive = std::weak_ptr<bool>(core.alive), content, begin = frozen.base_size,
         end = frozen.size](const Result<void>& copied) {
            if (alive.expired()) {
                return;
            }
            --content->users;
            if (copied) {
                cache.added(content, begin, end);
            }
        });
}

void Files::unlinked(Node& node) {
    auto file = std::exchange(node.file, nullptr);
    if (!file) {
        return;
    }
    file->node = nullptr;
    body_->unsaved.erase(file);
    if (file->frozen) {
        body_->uploads.discard(file->frozen->id, [](const Result<void>&) {});
    }
    if (file->handles == 0 && file->download) {
        file->download->stop();
    }
}

void Files::renamed(const std::string& from, const std::string& to) {
    for (const auto& [key, weak] : body_->all) {
        auto file = weak.lock();
        if (!file) {
            continue;
        }
        const auto& path = file->path.text();
        if (path != from && !path.starts_with(from + "/")) {
            continue;
        }
        if (auto moved = modem::RemotePath::parse(to + path.substr(from.size()))) {
            file->path = *std::move(moved);
            if (file->download) {
                file->download->moved(file->path);
            }
        }
    }
}

bool Files::when_committed(const modem::RemotePath& path, modem::UniqueFunction<void()> then) {
    for (const auto& [key, weak] : body_->all) {
        const auto file = weak.lock();
        if (file && file->committing && file->node != nullptr && file->path.is_within(path)) {
            file->after_commit.push_back(std::move(then));
            return true;
        }
    }
    return false;
}

/// Who has the old content open goes on with it (a resume that finds another file is ESTALE); who
/// opens it now gets the new one. A file that is being written keeps its base.
void Files::listed_changed(Node& node) {
    auto file = node.file;
    if (!file || !file->clean()) {
        return;
    }
    if (file->writers > 0) {
        file->base = {node.listed_size, node.listed_mtime};
        file->download.reset();
        return;
    }
    file->node = nullptr;
    node.file.reset();
}

void Files::restore(Node& node, const UploadRow& row) {
    auto file = body_->file_of(node);
    auto local = body_->core.spool->open_file(row.spool_name);
    if (!local) {
        return;  // Uploads has marked the row failed and says why
    }
    file->frozen = Frozen{row.id, *std::move(local), row.kind, row.base_size, row.size, 0};
    file->mtime_ns = static_cast<std::int64_t>(row.mtime) * 1'000'000'000;
    if (row.kind == UploadKind::append) {
        file->on_server = true;
        file->base = {row.base_size, node.listed_mtime};
    }
    body_->by_upload[row.id] = file;
}

}  // namespace fusefs
