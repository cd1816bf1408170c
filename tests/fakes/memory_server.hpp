// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "modem/job_queue.hpp"

namespace fakes {

/// A modem and its FTP server in one: takes jobs from a JobQueue on a thread of its own and does
/// them on a tree in memory, as the worker would with a real module. Public functions may be
/// called from any thread.
class MemoryServer {
public:
    struct Item {
        modem::EntryKind kind = modem::EntryKind::file;
        std::string content;
        std::time_t mtime = 0;
        std::string target;
    };
    /// What the next matching job meets.
    struct Fault {
        modem::JobKind kind{};
        modem::Error error;
        std::string path = {};  ///< empty: any
        /// Transfers only: payload bytes that still pass before it breaks.
        std::optional<std::uint64_t> after = {};
        int times = 1;
        bool done_anyway = false;  ///< the server does it and only the answer is lost
    };

    /// Begins at once. The queue must outlive the server.
    explicit MemoryServer(modem::JobQueue& queue);
    MemoryServer(const MemoryServer&) = delete;
    MemoryServer& operator=(const MemoryServer&) = delete;
    ~MemoryServer();

    // ---- the remote tree --------------------------------------------------------------------
    void put_file(const std::string& path, std::string content, std::time_t mtime = 0);
    void put_directory(const std::string& path);
    void put_symlink(const std::string& path, std::string target);
    void erase(const std::string& path);  ///< and everything below
    [[nodiscard]] std::optional<std::string> content(const std::string& path) const;
    [[nodiscard]] bool exists(const std::string& path) const;
    [[nodiscard]] std::vector<std::string> paths() const;  ///< all but "/", sorted
    void set_mtime(const std::string& path, std::time_t mtime);

    // ---- manners ----------------------------------------------------------------------------
    void set_clock(std::time_t now);      ///< mtime of what is written from now on
    void hide_dot_files(bool hide);       ///< LIST leaves them out (as vsftpd does)
    void refuse_to_replace(bool refuse);  ///< RNTO onto an existing file: 550
    void plain_rejections(bool plain);    ///< 550 without words instead of exists, not_found …
    void set_silent(bool silent);         ///< takes a job and answers nothing
    void set_chunk(std::size_t bytes);    ///< payload between two checkpoints
    void inject(Fault fault);

    // ---- what was asked ---------------------------------------------------------------------
    [[nodiscard]] int count(modem::JobKind kind) const;  ///< jobs begun
    [[nodiscard]] int jobs() const;                      ///< of every kind
    /// "list /", "store /a 0+100 create", "rename /a /b", in the order begun.
    [[nodiscard]] std::vector<std::string> log() const;
    void clear_log();
    [[nodiscard]] std::uint64_t bytes_sent() const { return sent_; }          ///< to the server
    [[nodiscard]] std::uint64_t bytes_received() const { return received_; }  ///< from it

private:
    using Answered = std::optional<modem::Result<modem::Answer>>;  ///< nothing: put back
    void serve();
    void run(const modem::JobPtr& job);
    void note(const modem::JobPtr& job);
    [[nodiscard]] std::optional<Fault> fault(const modem::JobPtr& job);
    bool hush(const modem::JobPtr& job);
    Answered perform(const modem::JobPtr& job, const std::optional<Fault>& fault);
    modem::Result<modem::Answer> instant(const modem::Request& request);
    modem::Result<modem::Answer> list(const modem::ListRequest& request);
    modem::Result<modem::Answer> stat(const modem::StatRequest& request);
    modem::Result<modem::Answer> remove(const modem::RemoveRequest& request);
    modem::Result<modem::Answer> make(const modem::MakeDirectoryRequest& request);
    modem::Result<modem::Answer> remove(const modem::RemoveDirectoryRequest& request);
    modem::Result<modem::Answer> rename(const modem::RenameRequest& request);
    Answered retrieve(const modem::JobPtr& job, const modem::RetrieveRequest& request,
                      const std::optional<Fault>& fault);
    Answered store(const modem::JobPtr& job, const modem::StoreRequest& request,
                   const std::optional<Fault>& fault);
    [[nodiscard]] modem::Result<std::string> piece_of(const std::string& path, std::uint64_t offset,
                                                      std::uint64_t most) const;
    modem::Result<void> open_target(const modem::StoreRequest& request, std::uint64_t done);
    modem::Result<void> checkpoint(const modem::JobPtr& job, const modem::Sink* sink);
    [[nodiscard]] modem::Result<modem::Answer> verdict(modem::Errc code, const std::string& path);
    [[nodiscard]] std::size_t chunk() const;
    [[nodiscard]] bool has_children(const std::string& path) const;

    modem::JobQueue& queue_;
    mutable std::mutex mutex_;
    std::map<std::string, Item> tree_;
    std::deque<Fault> faults_;
    std::map<modem::JobKind, int> counts_;
    std::vector<std::string> log_;
    std::map<std::uint64_t, std::uint64_t> resume_;  ///< job → payload bytes done before
    std::time_t now_ = 1'700'000'040;
    std::size_t chunk_ = 1024;
    bool hide_dot_files_ = false;
    bool refuse_to_replace_ = false;
    bool plain_rejections_ = false;
    std::atomic<bool> silent_{false};
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> received_{0};
    std::atomic<bool> ending_{false};
    modem::Interrupt wake_;
    std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace fakes
