// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "modem/ftp/transfer.hpp"
#include "modem/ftp/types.hpp"
#include "modem/function.hpp"
#include "modem/interrupt.hpp"
#include "modem/result.hpp"

namespace modem {

/// What is done first. Within one priority: first come, first served.
enum class Priority { metadata, read, upload, background, prefetch };

enum class JobKind {
    list,
    stat,
    retrieve,
    store,
    remove,
    make_directory,
    remove_directory,
    rename
};
[[nodiscard]] std::string_view name(JobKind kind);

struct ListRequest {
    RemotePath directory;
};
struct StatRequest {
    RemotePath file;
};
struct RetrieveRequest {
    RemotePath file;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> size;  ///< of the whole file, as listed
    std::shared_ptr<Sink> sink;
    std::optional<Way> way = {};  ///< {}: as `modem.transfer` and flow control say
};
struct StoreRequest {
    RemotePath file;
    StoreMode mode = StoreMode::create;
    std::uint64_t offset = 0;  ///< first byte of the source to send; for at_offset also
                               ///< where it goes in the remote file
    std::uint64_t length = 0;  ///< bytes to send
    std::shared_ptr<Source> source;
    std::optional<Way> way = {};
};
struct RemoveRequest {
    RemotePath file;
};
struct MakeDirectoryRequest {
    RemotePath directory;
};
struct RemoveDirectoryRequest {
    RemotePath directory;
};
struct RenameRequest {
    RemotePath from;
    RemotePath to;
};
using Request = std::variant<ListRequest, StatRequest, RetrieveRequest, StoreRequest, RemoveRequest,
                             MakeDirectoryRequest, RemoveDirectoryRequest, RenameRequest>;

/// What a transfer did. A download that ended early (Sink asked to stop) reports cancelled instead.
struct Transferred {
    std::uint64_t payload = 0;               ///< bytes moved in all, resumed parts included
    std::optional<std::uint64_t> confirmed;  ///< count told by module or server
    std::uint64_t line_bytes = 0;            ///< both directions, this job alone
    Way way = Way::stream;
};
using Answer = std::variant<std::monostate, Listing, Stat, Transferred>;
using Completion = UniqueFunction<void(Result<Answer>)>;

/// One operation in the queue. Its public part may be read by any thread; the queue owns the rest.
class Job {
public:
    enum class State { queued, running, done };

    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] JobKind kind() const { return kind_; }
    [[nodiscard]] const RemotePath& path() const { return path_; }
    [[nodiscard]] Priority priority() const { return priority_; }
    [[nodiscard]] State state() const { return state_; }
    /// What was asked; never changes.
    [[nodiscard]] const Request& request() const { return request_; }
    [[nodiscard]] std::uint64_t transferred() const { return transferred_; }
    [[nodiscard]] std::uint64_t total() const { return total_; }  ///< 0: unknown

private:
    friend class JobQueue;
    friend class JobRunner;
    friend class TransferRun;
    std::uint64_t id_ = 0;
    JobKind kind_{};
    RemotePath path_;
    std::atomic<Priority> priority_{};
    Request request_;
    std::atomic<State> state_{State::queued};
    std::atomic<std::uint64_t> transferred_{0};
    std::atomic<std::uint64_t> total_{0};
    // Under the queue's mutex.
    std::vector<std::uint64_t> tickets_;
    bool cancelled_ = false;
    // The modem thread's, from try to try.
    std::uint64_t line_bytes_ = 0;
    int attempts_ = 0;           ///< failed tries since payload last moved
    std::uint64_t settled_ = 0;  ///< upload: source bytes known to be in the remote file
    bool ask_settled_ = false;   ///< upload: it broke off; ask how much arrived
};
using JobPtr = std::shared_ptr<Job>;

}  // namespace modem
