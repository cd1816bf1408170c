// SPDX-License-Identifier: MIT
#include "fusefs/files.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "fusefs/files_body.hpp"

namespace fusefs {

using modem::Errc;
using modem::Priority;
using modem::Result;

namespace {

/// A read is answered with fewer bytes than it asks for only above this.
constexpr std::uint64_t least_answer = 4096;
constexpr std::uint64_t first_window = 16U << 10U;
constexpr std::uint64_t widest_window = 1U << 20U;

/// A sequential reader is read ahead for, further each time; one that jumps is not.
std::uint64_t widen_window(Handle& handle, std::uint64_t offset, std::uint64_t end) {
    handle.window = offset == handle.read_end && handle.window > 0
                        ? std::min(handle.window * 2, widest_window)
                        : first_window;
    handle.read_end = end;
    return handle.window;
}

}  // namespace

std::uint64_t version_mark(ContentVersion version) {
    auto mark = version.size * 0x9E3779B97F4A7C15U;
    mark ^= static_cast<std::uint64_t>(version.mtime) + 0x165667B19E3779F9U + (mark << 6U);
    return mark | 1U;
}

std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Files::Files(Core& core, ContentCache& cache, Uploads& uploads)
    : body_(std::make_unique<Body>(core, cache, uploads)) {
    uploads.add_listener(
        [body = body_.get()](const UploadRow& row, const Uploads::Outcome& outcome) {
            body->outcome(row, outcome);
        });
}
Files::~Files() = default;

FilePtr Files::Body::file_of(Node& node) {
    if (node.file) {
        return node.file;
    }
    auto file = std::make_shared<File>();
    file->node = &node;
    file->path = core.tree.path(node).value_or(modem::RemotePath());
    file->on_server = node.on_server;
    file->base = {node.listed_size, node.listed_mtime};
    node.file = file;
    std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
    all[file.get()] = file;
    return file;
}

HandlePtr Files::Body::make_handle(const FilePtr& file, int flags) {
    auto handle = std::make_shared<Handle>();
    handle->file = file;
    handle->readable = (flags & O_ACCMODE) != O_WRONLY;
    handle->writable = (flags & O_ACCMODE) != O_RDONLY;
    ++file->handles;
    file->writers += handle->writable ? 1 : 0;
    ++handles;
    return handle;
}

Result<void> Files::Body::attach_content(File& file) {
    if (file.download || !file.on_server) {
        return {};
    }
    TRY(auto content, cache.obtain(file.path.text(), file.base));
    file.download = std::make_shared<Download>(core, cache, file.path, std::move(content));
    return {};
}

/// As attach_content(), but only when something of the content is here already.
void Files::Body::attach_cached(File& file) {
    if (file.download || !file.on_server) {
        return;
    }
    if (auto content = cache.find(file.path.text(), file.base)) {
        file.download = std::make_shared<Download>(core, cache, file.path, std::move(content));
    }
}

void Files::Body::settle(const FilePtr& file) {
    if (file->handles > 0) {
        return;
    }
    if (file->download) {
        file->download->stop();
    }
    if (file->clean() && file->node != nullptr) {
        auto* node = std::exchange(file->node, nullptr);
        node->file.reset();
        core.tree.settle(*node);
    }
}

void Files::Body::fetch(const FilePtr& file, std::uint64_t begin, std::uint64_t end,
                        Priority priority, WaiterPtr waiter, Done<void> done) {
    if (auto attached = attach_content(*file); !attached) {
        done(modem::fail(attached.error()));
        return;
    }
    for (auto at = begin; at < end;) {
        const auto piece = piece_at(*file, at, end);
        if (piece.kind == Piece::Kind::missing) {
            file->download->need(at, at + piece.length, 0, true, priority, waiter,
                                 [this, file, from = at + piece.length, end, priority, waiter,
                                  done = std::move(done)](Result<void> got) mutable {
                                     if (!got) {
                                         done(std::move(got));
                                     } else {
                                         fetch(file, from, end, priority, waiter, std::move(done));
                                     }
                                 });
            return;
        }
        at += piece.length;
    }
    done({});
}

void Files::open(Node& node, int flags, WaiterPtr waiter, Done<HandlePtr> done) {
    auto& body = *body_;
    auto file = body.file_of(node);
    auto handle = body.make_handle(file, flags);
    if ((flags & O_TRUNC) != 0 && handle->writable) {
        body.set_size(*file, 0);
    }
    body.attach_cached(*file);
    auto finish = [file, handle, &node, done = std::move(done)](Result<void> ready) mutable {
        if (!ready) {
            done(modem::fail(std::move(ready).error()));
            return;
        }
        handle->direct_io = !is_complete(*file);
        if (!handle->direct_io) {
            const auto mark = file->clean() ? version_mark(file->base) : node.kernel_version;
            handle->keep_cache = mark != 0 && node.kernel_version == mark;
            node.kernel_version = mark != 0 ? mark : 1;
        }
        handle->generation = file->download ? file->download->generation() : 0;
        done(handle);
    };
    // A shared mapping needs page-cached reads, and those need the whole content.
    if (handle->readable && handle->writable && !is_complete(*file)) {
        body.fetch(file, 0, file->size(), Priority::read, std::move(waiter),
                   [this, handle, finish = std::move(finish)](Result<void> ready) mutable {
                       if (!ready) {
                           release(handle);
                       }
                       finish(std::move(ready));
                   });
        return;
    }
    finish({});
}

HandlePtr Files::create(Node& node, int flags) {
    auto file = body_->file_of(node);
    file->on_server = false;
    body_->set_size(*file, 0);
    node.kernel_version = 1;  // the kernel's pages are what this handle writes
    return body_->make_handle(file, flags);
}

/// One read in the making: pieces gathered so far.
struct Files::Body::Reading {
    HandlePtr handle;
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
    bool whole = false;
    std::uint64_t ahead = 0;
    WaiterPtr waiter;
    Done<ReadResult> done;
};

void Files::read(const HandlePtr& handle, std::uint64_t offset, std::size_t size, bool whole,
                 WaiterPtr waiter, Done<ReadResult> done) {
    const auto end = std::min<std::uint64_t>(handle->file->size(), offset + size);
    if (offset >= end) {
        done(ReadResult{});
        return;
    }
    auto reading = std::make_shared<Body::Reading>();
    reading->handle = handle;
    reading->offset = offset;
    reading->end = end;
    reading->whole = whole;
    reading->ahead = widen_window(*handle, offset, end);
    reading->waiter = std::move(waiter);
    reading->done = std::move(done);
    body_->read_on(reading);
}

namespace {

/// Copies what is here into one buffer, as far as it goes without a gap.
Result<ReadResult> gather(const File& file, std::uint64_t offset, std::uint64_t end) {
    const auto first = piece_at(file, offset, end);
    ReadResult result;
    result.offset = offset;
    if (first.kind == Piece::Kind::local && first.length == end - offset) {
        result.file = first.source;
        result.length = first.length;
        return result;
    }
    result.bytes.resize(end - offset);
    auto at = offset;
    while (at < end) {
        const auto piece = piece_at(file, at, end);
        if (piece.kind == Piece::Kind::missing) {
            break;
        }
        if (piece.kind == Piece::Kind::local) {
            const std::span<char> into(result.bytes.data() + (at - offset), piece.length);
            TRY(const auto got, piece.source->read(at, into));
            // Behind the end of a sparse spool file there are only zeros.
            std::memset(into.data() + got, 0, into.size() - got);
        }
        at += piece.length;
    }
    result.bytes.resize(at - offset);
    result.length = result.bytes.size();
    return result;
}

}  // namespace

void Files::Body::read_on(const std::shared_ptr<Reading>& reading) {
    auto& file = reading->handle->file;
    attach_cached(*file);
    if (file->download && file->download->generation() != reading->handle->generation) {
        reading->done(modem::fail(Errc::changed, "bytes of this file that were read proved wrong"));
        return;
    }
    auto result = gather(*file, reading->offset, reading->end);
    // Few programs expect a short count before the end of a file, so small reads are whole; of
    // large ones what is here is given at once.
    const auto least_end =
        reading->whole ? reading->end : std::min(reading->end, reading->offset + least_answer);
    const bool enough = result && reading->offset + result->length >= least_end;
    if (!result || enough) {
        reading->done(std::move(result));
        return;
    }
    if (auto attached = attach_content(*file); !attached) {
        reading->done(modem::fail(attached.error()));
        return;
    }
    const auto from = reading->offset + result->length;
    const auto piece = piece_at(*file, from, reading->end);
    file->download->need(from, std::min(from + piece.length, least_end), reading->ahead, true,
                         Priority::read, reading->waiter, [this, reading](Result<void> ready) {
                             if (!ready) {
                                 reading->done(modem::fail(std::move(ready).error()));
                                 return;
                             }
                             read_on(reading);
                         });
}

std::uint64_t Files::size(const Node& node) const {
    return node.file ? node.file->size() : node.listed_size;
}

std::optional<std::int64_t> Files::local_mtime_ns(const Node& node) const {
    if (node.file && !node.file->clean() && node.file->mtime_ns != 0) {
        return node.file->mtime_ns;
    }
    return {};
}

void Files::set_mtime(Node& node, std::int64_t mtime_ns) {
    if (node.file && !node.file->clean()) {
        node.file->mtime_ns = mtime_ns;
    }
}

bool Files::busy(const Node& node) const {
    return node.file && (node.file->handles > 0 || !node.file->clean());
}

bool Files::needs_remote(const Node& node) const {
    return node.file && node.file->handles > 0 && !is_complete(*node.file);
}

std::string_view Files::state(const Node& node) const {
    const auto* row =
        node.file && node.file->frozen ? body_->uploads.find(node.file->path.text()) : nullptr;
    if (row != nullptr) {
        if (row->state == UploadState::failed) {
            return "failed";
        }
        return body_->uploads.running(row->path) ? "uploading" : "queued";
    }
    if (node.file && !node.file->clean()) {
        return "dirty";
    }
    const auto cached = cached_bytes(node);
    return cached > 0 && cached < node.listed_size ? "partial" : "clean";
}

std::string Files::error(const Node& node) const {
    const auto* row =
        node.file && node.file->frozen ? body_->uploads.find(node.file->path.text()) : nullptr;
    return row != nullptr ? row->error_text : std::string();
}

std::uint64_t Files::cached_bytes(const Node& node) const {
    if (node.file && !node.file->clean()) {
        return node.file->size();
    }
    const auto path = body_->core.tree.path(node);
    const auto content =
        path ? body_->cache.find(path->text(), {node.listed_size, node.listed_mtime}) : nullptr;
    return content ? content->present.total() : 0;
}

}  // namespace fusefs
