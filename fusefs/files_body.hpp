// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "fusefs/file.hpp"
#include "fusefs/files.hpp"

namespace fusefs {

/// The inside of Files.
struct Files::Body {
    Body(Core& shared, ContentCache& contents, Uploads& deliveries)
        : core(shared), cache(contents), uploads(deliveries) {}

    /// The node's File, made if there is none.
    FilePtr file_of(Node& node);
    HandlePtr make_handle(const FilePtr& file, int flags);
    /// Makes sure that `file.download` exists. Errors: local_io, local_no_space.
    modem::Result<void> attach_content(File& file);
    void attach_cached(File& file);
    /// Lets go of a File that nobody uses and nothing waits for.
    void settle(const FilePtr& file);

    // ---- reading (files.cpp) ------------------------------------------------------------------
    /// Waits until [begin, end) is here.
    void fetch(const FilePtr& file, std::uint64_t begin, std::uint64_t end,
               modem::Priority priority, WaiterPtr waiter, Done<void> done);
    struct Reading;
    void read_on(const std::shared_ptr<Reading>& reading);

    // ---- writing (files_write.cpp) --------------------------------------------------------------
    Draft& draft_of(File& file);
    static void changed(File& file);
    void set_size(File& file, std::uint64_t size);
    void write(const FilePtr& file, std::uint64_t offset, std::vector<char> bytes,
               Done<std::size_t> done);
    void written(const FilePtr& file, const std::shared_ptr<Draft>& draft);

    // ---- committing (files_commit.cpp) ----------------------------------------------------------
    /// Makes the draft a durable upload; answers with its id, 0 when there is nothing to upload.
    void commit(const FilePtr& file, modem::Priority priority, Done<std::int64_t> done);
    struct Commit;
    void fill(const std::shared_ptr<Commit>& work);
    void freeze(const std::shared_ptr<Commit>& work);
    void enqueued(const std::shared_ptr<Commit>& work, const std::shared_ptr<Draft>& draft,
                  const modem::Result<std::int64_t>& id);
    void finish(const std::shared_ptr<Commit>& work, modem::Result<std::int64_t> id);
    /// commit(), then what `upload.mode` promises to the caller of close or fsync.
    void save(const FilePtr& file, WaiterPtr waiter, Done<void> done);
    /// Without a caller: what fails is tried again by tick().
    void save_later(const FilePtr& file);
    void outcome(const UploadRow& row, const Uploads::Outcome& outcome);
    void delivered(const FilePtr& file, const Uploads::Outcome& outcome);
    void keep_content(File& file, const Frozen& frozen, ContentVersion version);

    Core& core;
    ContentCache& cache;
    Uploads& uploads;
    std::map<const File*, std::weak_ptr<File>> all;
    std::map<std::int64_t, std::weak_ptr<File>> by_upload;
    std::set<FilePtr> unsaved;  ///< dirty without a writer: their base could not be fetched
    std::uint64_t handles = 0;
};

/// Marks which version of a node's content the kernel's pages belong to; never 0.
[[nodiscard]] std::uint64_t version_mark(ContentVersion version);
/// Nanoseconds since the epoch, now.
[[nodiscard]] std::int64_t now_ns();

}  // namespace fusefs
