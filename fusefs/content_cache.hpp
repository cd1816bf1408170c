// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "fusefs/local_file.hpp"
#include "fusefs/range_set.hpp"
#include "fusefs/storage.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// What a cached content belongs to; when the listing says otherwise it is dropped.
struct ContentVersion {
    std::uint64_t size = 0;
    std::time_t mtime = 0;
    friend bool operator==(const ContentVersion&, const ContentVersion&) = default;
};

/// Downloaded bytes of one remote file at one version. Main thread; the bytes themselves are
/// written by the storage thread and then announced here.
struct CachedContent {
    std::string path;
    ContentVersion version;
    std::shared_ptr<LocalFile> file;
    RangeSet present;
    int users = 0;      ///< open handles and running transfers: never evicted while > 0
    bool racy = false;  ///< downloaded within two minutes of its listed time: this run only
    [[nodiscard]] bool complete() const { return present.contains(0, version.size); }
};

/// The content cache with its size limit (`cache.size`): least recently used first, never what is
/// open. Survives restarts through an index in the cache directory. Main thread; disk work goes to
/// the storage thread.
class ContentCache {
public:
    ContentCache(Storage& storage, std::filesystem::path directory, std::uint64_t limit);
    ContentCache(const ContentCache&) = delete;
    ContentCache& operator=(const ContentCache&) = delete;
    ~ContentCache();  ///< saves the index; the Storage must still be open

    /// Reads the index; cache files that it does not know are deleted. Called once, before use
    /// (blocking).
    void load();
    /// Saves the index (storage thread) if anything has changed, at most every two seconds: what
    /// comes too early is made up for by a later call of anything here, or by the destructor.
    /// Incomplete contents in use are left out, since no verdict on their bytes has come yet.
    void save();

    /// The content of this path at this version if there is one, else nothing; another version of
    /// the path that nobody uses is dropped.
    std::shared_ptr<CachedContent> find(const std::string& path, ContentVersion version);
    /// find(), or a new empty one. Errors: local_io, local_no_space. (Creates the file: one
    /// open() on the main thread, no sync.)
    modem::Result<std::shared_ptr<CachedContent>> obtain(const std::string& path,
                                                         ContentVersion version);
    /// Bytes [begin, end) of the content are on disk now; evicts others beyond the limit.
    void added(const std::shared_ptr<CachedContent>& content, std::uint64_t begin,
               std::uint64_t end);
    /// Adopts a delivered spool file as content (renamed or copied on the storage thread). Only
    /// for a whole content of `version.size` bytes that nobody writes any more, and only when the
    /// ledger no longer needs the file: it is not in the spool afterwards.
    void adopt(const std::string& path, ContentVersion version, std::shared_ptr<LocalFile> file);
    /// The same bytes and more: what is here of version `from` counts for version `to` (an append,
    /// or the first listing that tells the time of our own upload). False: `from` is not here.
    bool extend(const std::string& path, ContentVersion from, ContentVersion to);
    void drop(const std::string& path);
    void rename(const std::string& from, const std::string& to);  ///< and everything below
    void set_limit(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t used() const;

private:
    struct Body;
    std::shared_ptr<Body> body_;
};

}  // namespace fusefs
