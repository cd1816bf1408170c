// SPDX-License-Identifier: MIT
#include "tests/fakes/memory_server.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fakes {

using modem::Answer;
using modem::EntryKind;
using modem::Errc;
using modem::fail;
using modem::JobKind;
using modem::JobPtr;
using modem::Result;

namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string describe(const modem::Request& request) {
    struct Words {
        std::string operator()(const modem::ListRequest& r) const {
            return "list " + r.directory.text();
        }
        std::string operator()(const modem::StatRequest& r) const {
            return "stat " + r.file.text();
        }
        std::string operator()(const modem::RetrieveRequest& r) const {
            return fmt::format("retrieve {} {}", r.file.text(), r.offset);
        }
        std::string operator()(const modem::StoreRequest& r) const {
            constexpr std::array<std::string_view, 3> modes{"create", "at_offset", "append"};
            return fmt::format("store {} {}+{} {}", r.file.text(), r.offset, r.length,
                               modes.at(static_cast<std::size_t>(r.mode)));
        }
        std::string operator()(const modem::RemoveRequest& r) const {
            return "remove " + r.file.text();
        }
        std::string operator()(const modem::MakeDirectoryRequest& r) const {
            return "mkdir " + r.directory.text();
        }
        std::string operator()(const modem::RemoveDirectoryRequest& r) const {
            return "rmdir " + r.directory.text();
        }
        std::string operator()(const modem::RenameRequest& r) const {
            return fmt::format("rename {} {}", r.from.text(), r.to.text());
        }
    };
    return std::visit(Words{}, request);
}

}  // namespace

MemoryServer::MemoryServer(modem::JobQueue& queue) : queue_(queue) {
    tree_["/"].kind = EntryKind::directory;
    thread_ = std::thread([this] { serve(); });
}

MemoryServer::~MemoryServer() {
    ending_ = true;
    wake_.raise();
    thread_.join();
}

void MemoryServer::serve() {
    while (!ending_) {
        std::array<pollfd, 2> fds{{{queue_.interrupt().fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), -1);
        while (!ending_) {
            const JobPtr job = queue_.take();
            if (!job) {
                break;
            }
            run(job);
        }
    }
}

void MemoryServer::run(const JobPtr& job) {
    note(job);
    if (hush(job)) {
        queue_.finish(job, fail(Errc::cancelled, "cancelled"));
        return;
    }
    auto answer = perform(job, fault(job));
    if (answer) {
        queue_.note_progress();
        queue_.finish(job, *std::move(answer));
    } else {
        queue_.put_back(job);
    }
}

void MemoryServer::note(const JobPtr& job) {
    const std::lock_guard lock(mutex_);
    ++counts_[job->kind()];
    log_.push_back(describe(job->request()));
}

/// Waits while the server is silent; true when the job is not wanted any more.
bool MemoryServer::hush(const JobPtr& job) {
    while (silent_ && !ending_) {
        if (const auto go_on = queue_.may_continue(job);
            !go_on && go_on.error().code != Errc::gave_way) {
            return true;
        }
        std::array<pollfd, 2> fds{{{queue_.interrupt().fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), 10);
    }
    return false;
}

std::optional<MemoryServer::Fault> MemoryServer::fault(const JobPtr& job) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& fault) {
        return fault.kind == job->kind() &&
               (fault.path.empty() || fault.path == job->path().text());
    });
    if (found == faults_.end()) {
        return {};
    }
    auto fault = *found;
    if (--found->times <= 0) {
        faults_.erase(found);
    }
    return fault;
}

MemoryServer::Answered MemoryServer::perform(const JobPtr& job, const std::optional<Fault>& fault) {
    if (const auto* retrieve_request = std::get_if<modem::RetrieveRequest>(&job->request())) {
        return retrieve(job, *retrieve_request, fault);
    }
    if (const auto* store_request = std::get_if<modem::StoreRequest>(&job->request())) {
        return store(job, *store_request, fault);
    }
    if (!fault) {
        return instant(job->request());
    }
    if (fault->done_anyway) {
        (void)instant(job->request()).has_value();
    }
    return fail(fault->error);
}

/// As the worker's: whether a bulk transfer goes on, waiting while its sink pauses.
Result<void> MemoryServer::checkpoint(const JobPtr& job, const modem::Sink* sink) {
    while (!ending_) {
        queue_.nudged().clear();
        CHECK(queue_.may_continue(job));
        const auto demand = sink != nullptr ? sink->demand() : modem::Sink::Demand::more;
        if (demand == modem::Sink::Demand::stop) {
            return fail(Errc::cancelled, "nobody wants the rest");
        }
        if (demand == modem::Sink::Demand::more && !silent_) {
            return {};
        }
        std::array<pollfd, 3> fds{{{queue_.nudged().fd(), POLLIN, 0},
                                   {queue_.interrupt().fd(), POLLIN, 0},
                                   {wake_.fd(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), silent_ ? 10 : -1);
    }
    return fail(Errc::shutting_down, "ending");
}

Result<std::string> MemoryServer::piece_of(const std::string& path, std::uint64_t offset,
                                           std::uint64_t most) const {
    const std::lock_guard lock(mutex_);
    const auto found = tree_.find(path);
    if (found == tree_.end() || found->second.kind != EntryKind::file) {
        return fail(plain_rejections_ ? Errc::rejected : Errc::not_found,
                    "the server said: 550 Failed to open file.", 550);
    }
    const auto& content = found->second.content;
    return content.substr(std::min<std::uint64_t>(offset, content.size()),
                          std::min<std::uint64_t>(chunk_, most));
}

MemoryServer::Answered MemoryServer::retrieve(const JobPtr& job,
                                              const modem::RetrieveRequest& request,
                                              const std::optional<Fault>& fault) {
    std::uint64_t moved = std::exchange(resume_[job->id()], 0);
    std::uint64_t passed = 0;
    while (!ending_) {
        if (auto go_on = checkpoint(job, request.sink.get()); !go_on) {
            if (go_on.error().code == Errc::gave_way) {
                resume_[job->id()] = moved;
                return {};
            }
            return fail(go_on.error());
        }
        if (fault && passed >= fault->after.value_or(0)) {
            return fail(fault->error);
        }
        const auto room = fault ? *fault->after - passed : UINT64_MAX;
        auto read = piece_of(request.file.text(), request.offset + moved, room);
        if (!read) {
            return fail(read.error());
        }
        const auto& piece = *read;
        if (piece.empty()) {
            return Answer{modem::Transferred{moved, moved, moved, modem::Way::stream}};
        }
        if (auto taken = request.sink->write(request.offset + moved, piece); !taken) {
            return fail(taken.error());
        }
        moved += piece.size();
        passed += piece.size();
        received_ += piece.size();
        queue_.note_progress();
    }
    return fail(Errc::shutting_down, "ending");
}

/// What the server does between STOR and its 150.
Result<void> MemoryServer::open_target(const modem::StoreRequest& request, std::uint64_t done) {
    const std::lock_guard lock(mutex_);
    const auto& path = request.file.text();
    if (!tree_.contains(parent_of(path)) ||
        (tree_.contains(path) && tree_[path].kind == EntryKind::directory)) {
        return fail(Errc::permission, "the server said: 553 Could not create file.", 553);
    }
    auto& item = tree_[path];
    item.mtime = now_;
    if (request.mode == modem::StoreMode::append) {
        return {};
    }
    const auto start = (request.mode == modem::StoreMode::create ? 0 : request.offset) + done;
    item.content.resize(start);
    return {};
}

std::size_t MemoryServer::chunk() const {
    const std::lock_guard lock(mutex_);
    return chunk_;
}

MemoryServer::Answered MemoryServer::store(const JobPtr& job, const modem::StoreRequest& request,
                                           const std::optional<Fault>& fault) {
    std::uint64_t moved = std::exchange(resume_[job->id()], 0);
    if (fault && !fault->after) {
        return fail(fault->error);
    }
    if (auto opened = open_target(request, moved); !opened) {
        return fail(opened.error());
    }
    std::vector<char> buffer;
    std::uint64_t passed = 0;
    while (moved < request.length) {
        if (ending_) {
            return fail(Errc::shutting_down, "ending");
        }
        if (auto go_on = checkpoint(job, nullptr); !go_on) {
            if (go_on.error().code == Errc::gave_way) {
                resume_[job->id()] = moved;
                return {};
            }
            return fail(go_on.error());
        }
        if (fault && passed >= *fault->after) {
            return fail(fault->error);
        }
        auto want = std::min<std::uint64_t>(chunk(), request.length - moved);
        if (fault) {
            want = std::min(want, *fault->after - passed);
        }
        buffer.resize(want);
        auto got = request.source->read(request.offset + moved, buffer);
        if (!got || *got == 0) {
            return fail(got ? modem::Error{Errc::local_io, 0, "the source ended early"}
                            : std::move(got).error());
        }
        {
            const std::lock_guard lock(mutex_);
            tree_[request.file.text()].content.append(buffer.data(), *got);
        }
        moved += *got;
        passed += *got;
        sent_ += *got;
        queue_.note_progress();
    }
    if (fault && fault->done_anyway) {
        return fail(fault->error);
    }
    return Answer{modem::Transferred{moved, moved, moved, modem::Way::stream}};
}

}  // namespace fakes
