// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/content_cache.hpp"
#include "fusefs/core.hpp"
#include "fusefs/files.hpp"
#include "fusefs/uploads.hpp"

namespace fusefs {

/// An open directory: a snapshot of its names, so that readdir neither skips nor repeats one.
struct DirectoryHandle {
    struct Item {
        std::string name;
        Ino ino = 0;
        modem::EntryKind kind = modem::EntryKind::file;
    };
    Ino ino = 0;
    std::uint64_t generation = 0;  ///< of the directory when the snapshot was taken
    std::vector<Item> items;       ///< "." and ".." first; the offset of an item is its index + 1
};

/// The file system without FUSE: directories, names, attributes, files. One instance a mount; main
/// thread. Functions that may wait take a Waiter and answer `done` exactly once.
class Volume {
public:
    struct Places {
        std::filesystem::path state;  ///< ledger.sqlite, spool/
        std::filesystem::path cache;  ///< content cache
    };
    /// Opens ledger, spool and cache (blocking, before the loop runs) and restores what an earlier
    /// run left. `config` must outlive the volume. Errors: local_io.
    static modem::Result<std::unique_ptr<Volume>> open(
        const config::Config& config, modem::JobQueue& queue, Storage& storage, Places places,
        std::function<void(int, const std::string&)> log);
    Volume(const Volume&) = delete;
    Volume& operator=(const Volume&) = delete;
    ~Volume();

    // ---- names ------------------------------------------------------------------------------
    /// On success the node's lookup count has been raised by one.
    void lookup(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<Ino> done);
    void forget(Ino ino, std::uint64_t count);
    void getattr(Ino ino, const WaiterPtr& waiter, Done<struct stat> done);
    struct SetAttributes {
        std::optional<std::uint64_t> size;
        std::optional<std::int64_t> mtime_ns;
        std::optional<unsigned> mode;
    };
    void setattr(Ino ino, const SetAttributes& set, HandlePtr handle, const WaiterPtr& waiter,
                 Done<struct stat> done);
    void opendir(Ino ino, const WaiterPtr& waiter, Done<std::shared_ptr<DirectoryHandle>> done);
    /// Takes the snapshot again if the directory has changed: rewinddir(3).
    void snapshot(DirectoryHandle& handle);
    void mkdir(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<Ino> done);
    void rmdir(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<void> done);
    void unlink(Ino parent, std::string_view name, const WaiterPtr& waiter, Done<void> done);
    /// `flags`: 0 or RENAME_NOREPLACE; anything else is invalid_argument.
    void rename(Ino parent, std::string_view name, Ino new_parent, std::string_view new_name,
                unsigned flags, const WaiterPtr& waiter, Done<void> done);
    modem::Result<std::string> readlink(Ino ino);
    modem::Result<std::string> getxattr(Ino ino, std::string_view name);
    modem::Result<std::vector<std::string>> listxattr(Ino ino);
    [[nodiscard]] struct statvfs statfs() const;
    /// Attributes as getattr() would give them now, without waiting (readdirplus, create).
    [[nodiscard]] struct stat attributes(const Node& node) const;
    [[nodiscard]] Node* node(Ino ino);

    // ---- files ------------------------------------------------------------------------------
    void open_file(Ino ino, int flags, const WaiterPtr& waiter, Done<HandlePtr> done);
    struct Created {
        Ino ino = 0;
        HandlePtr handle;
    };
    /// O_CREAT of a name that the kernel found missing; an existing one is opened, or `exists`
    /// with O_EXCL.
    void create(Ino parent, std::string_view name, int flags, unsigned mode,
                const WaiterPtr& waiter, Done<Created> done);
    /// files().release(); a file that was unlinked while it was open goes now.
    void release(const HandlePtr& handle);
    [[nodiscard]] Files& files();
    [[nodiscard]] Uploads& uploads();

    // ---- the owner --------------------------------------------------------------------------
    void link_changed(const modem::LinkStatus& status);
    void tick();                               ///< once a second
    void apply(const config::Config& config);  ///< live part of a reloaded config
    /// Drops cached listings at and below a path ("/" = everything).
    void refresh(const modem::RemotePath& path);
    /// What was learnt about the server in earlier runs.
    [[nodiscard]] std::optional<bool> hidden_listing() const;
    /// Before the end: makes open drafts durable, saves the cache index. Storage::close() follows.
    void close();

private:
    friend class Renaming;
    struct Body;
    explicit Volume(std::unique_ptr<Body> body);
    void open_existing(Node& node, int flags, const WaiterPtr& waiter, Done<Created> done);
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
