// SPDX-License-Identifier: MIT
#include "fusefs/download.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <utility>
#include <vector>

namespace fusefs {

namespace {

/// A reader this close behind or before a running transfer waits for it; one farther away is worth
/// a new transfer (where the module can break off and start at an offset).
constexpr std::uint64_t worth_waiting = 64U << 10U;
/// Content downloaded this soon after its listed time may still change within the same minute.
constexpr std::time_t racy_seconds = 120;

}  // namespace

/// Carries payload from the modem thread to the cache file: each piece is written on the storage
/// thread and then announced on the main thread.
class FetchSink final : public modem::Sink {
public:
    using Arrived = std::function<void(std::uint64_t, std::uint64_t, const modem::Result<void>&)>;

    FetchSink(Storage& storage, std::shared_ptr<LocalFile> file, std::uint64_t start,
              std::uint64_t size, Arrived arrived)
        : storage_(storage),
          file_(std::move(file)),
          size_(size),
          position_(start),
          arrived_(std::make_shared<Arrived>(std::move(arrived))) {}

    modem::Result<void> write(std::uint64_t offset, std::span<const char> bytes) override {
        if (full_) {
            return modem::fail(modem::Errc::local_no_space, "the content cache is full");
        }
        if (offset + bytes.size() > size_) {
            return modem::fail(modem::Errc::changed,
                               "the server sends more than the listing said: the file has grown");
        }
        position_ = offset + bytes.size();
        storage_.call(
            [file = file_, offset, piece = std::vector<char>(bytes.begin(), bytes.end())] {
                return file->write(offset, piece);
            },
            [arrived = arrived_, offset, end = offset + bytes.size()](modem::Result<void> result) {
                (*arrived)(offset, end, result);
            });
        return {};
    }

    [[nodiscard]] Demand demand() const override {
        if (stopped_) {
            return Demand::stop;
        }
        // At the end only the verdict is missing.
        return position_ < wanted_ || position_ >= size_ ? Demand::more : Demand::pause;
    }

    [[nodiscard]] std::uint64_t position() const { return position_; }
    void want(std::uint64_t end) { wanted_ = std::max<std::uint64_t>(wanted_, end); }
    void stop() { stopped_ = true; }
    void set_full() { full_ = true; }

private:
    Storage& storage_;
    std::shared_ptr<LocalFile> file_;
    std::uint64_t size_;
    std::atomic<std::uint64_t> position_;
    std::atomic<std::uint64_t> wanted_{0};
    std::atomic<bool> stopped_{false};
    std::atomic<bool> full_{false};
    std::shared_ptr<Arrived> arrived_;
};

struct Download::Body {
    struct Want {
        std::uint64_t id = 0;
        std::uint64_t begin = 0, end = 0, ahead = 0;
        bool all = false;
        modem::Priority priority{};
        Done<void> done;
    };
    std::list<Want> wants;
    std::uint64_t next_want = 1;
    modem::JobQueue::Ticket ticket = 0;
    std::shared_ptr<FetchSink> sink;
    std::uint64_t start = 0;       ///< of the running transfer
    bool moved = false;            ///< the running transfer asks for a name that is gone
    std::uint64_t ahead = 0;       ///< of the last who asked
    std::uint64_t generation = 0;  ///< raised when bytes already handed out proved wrong
};

Download::Download(Core& core, ContentCache& cache, modem::RemotePath path,
                   std::shared_ptr<CachedContent> content)
    : core_(core),
      cache_(cache),
      path_(std::move(path)),
      content_(std::move(content)),
      body_(std::make_unique<Body>()) {
    ++content_->users;
}

Download::~Download() {
    stop();
    --content_->users;
}

void Download::moved(modem::RemotePath path) {
    path_ = std::move(path);
    if (active()) {
        body_->moved = true;
        break_off();
    }
}

bool Download::active() const {
    return body_->ticket != 0;
}

std::uint64_t Download::generation() const {
    return body_->generation;
}

bool Download::satisfied(std::uint64_t begin, std::uint64_t end, bool all) const {
    return all ? content_->present.contains(begin, end) : content_->present.run_at(begin) > 0;
}

void Download::need(std::uint64_t begin, std::uint64_t end, std::uint64_t ahead, bool all,
                    modem::Priority priority, WaiterPtr waiter, Done<void> done) {
    end = std::min(end, content_->version.size);
    if (begin >= end || satisfied(begin, end, all)) {
        done({});
        return;
    }
    body_->ahead = ahead;
    const auto id = body_->next_want++;
    body_->wants.push_back({id, begin, end, ahead, all, priority, std::move(done)});
    if (waiter) {
        waiter->on_interrupt([weak = weak_from_this(), id] {
            if (auto self = weak.lock()) {
                self->forget_want(id);
            }
        });
    }
    pump();
}

/// An interrupted reader goes at once; the transfer itself ends when its handle is closed.
void Download::forget_want(std::uint64_t id) {
    auto& wants = body_->wants;
    auto found = std::find_if(wants.begin(), wants.end(),
                              [id](const Body::Want& want) { return want.id == id; });
    if (found == wants.end()) {
        return;
    }
    auto done = std::move(found->done);
    wants.erase(found);
    if (wants.empty()) {
        stop();
    }
    done(modem::fail(modem::Errc::cancelled, "interrupted"));
}

/// Makes the running transfer serve the most urgent reader, or starts one that does.
void Download::pump() {
    auto& wants = body_->wants;
    if (wants.empty()) {
        return;
    }
    const auto first = std::min_element(
        wants.begin(), wants.end(),
        [](const Body::Want& a, const Body::Want& b) { return a.priority < b.priority; });
    const auto gap = content_->present.first_gap(first->begin, first->end).value_or(first->begin);
    if (!active()) {
        start(gap, first->priority);
        return;
    }
    const auto& capabilities = core_.capabilities();
    const bool ahead_of_start = gap >= body_->start;
    const bool near = gap <= body_->sink->position() + worth_waiting;
    const bool can_switch = capabilities.retrieve_offset &&
                            (capabilities.break_off_paced || capabilities.break_off_stream);
    if (ahead_of_start && (near || !can_switch)) {
        for (const auto& want : wants) {
            body_->sink->want(want.end + want.ahead);
        }
        core_.queue->raise(body_->ticket, first->priority);
        core_.queue->nudge();
    } else if (can_switch) {
        break_off();
    }  // else: it has to run to its end, and the rest is fetched after it
}

void Download::start(std::uint64_t gap, modem::Priority priority) {
    body_->start = core_.capabilities().retrieve_offset ? gap : 0;
    auto remote = core_.remote(path_);
    if (!remote) {
        fail_all(remote.error());
        return;
    }
    const std::weak_ptr<Download> weak = weak_from_this();
    body_->sink = std::make_shared<FetchSink>(
        *core_.storage, content_->file, body_->start, content_->version.size,
        [weak](std::uint64_t begin, std::uint64_t end, const modem::Result<void>& written) {
            if (auto self = weak.lock()) {
                self->arrived(begin, end, written);
            }
        });
    for (const auto& want : body_->wants) {
        body_->sink->want(want.end + want.ahead);
    }
    if (core_.now() - content_->version.mtime < racy_seconds) {
        content_->racy = true;
    }
    modem::RetrieveRequest request{*remote, body_->start, content_->version.size, body_->sink};
    body_->ticket =
        core_.queue->submit(std::move(request), priority,
                            [weak, storage = core_.storage](modem::Result<modem::Answer> answer) {
                                // Behind the last piece's write, so that all that came is known
                                // when the end is judged.
                                storage->run({}, [weak, answer = std::move(answer)] {
                                    if (auto self = weak.lock()) {
                                        self->ended(answer);
                                    }
                                });
                            });
}

void Download::arrived(std::uint64_t begin, std::uint64_t end, const modem::Result<void>& written) {
    if (!written) {
        if (body_->sink) {
            body_->sink->set_full();
        }
        fail_all(written.error());
        break_off();
        return;
    }
    cache_.added(content_, begin, end);
    auto& wants = body_->wants;
    std::list<Body::Want> ready;
    for (auto want = wants.begin(); want != wants.end();) {
        const auto next = std::next(want);
        if (satisfied(want->begin, want->end, want->all)) {
            ready.splice(ready.end(), wants, want);
        }
        want = next;
    }
    for (auto& want : ready) {
        want.done({});
    }
    if (content_->complete()) {
        return;  // the verdict follows by itself
    }
    if (wants.empty() && body_->ahead == 0) {
        break_off();  // nobody reads on from here
    }
    pump();
}

void Download::ended(const modem::Result<modem::Answer>& answer) {
    const auto start_offset = body_->start;
    const bool reached_end =
        body_->sink != nullptr && body_->sink->position() >= content_->version.size;
    body_->ticket = 0;
    body_->sink.reset();
    if (std::exchange(body_->moved, false)) {
        pump();
        return;
    }
    if (!answer) {
        const auto code = answer.error().code;
        if (code == modem::Errc::cancelled || code == modem::Errc::gave_way) {
            pump();  // we broke it off ourselves, or made room: go on where somebody waits
        } else {
            fail_all(answer.error());
        }
        return;
    }
    if (!reached_end) {
        ended_short(start_offset);
        return;
    }
    pump();
}

/// The module reported success before the listed size was reached: either the line lost bytes or
/// the file has shrunk. What this transfer brought cannot be trusted, and who has read it must
/// know.
void Download::ended_short(std::uint64_t start_offset) {
    content_->present.remove(start_offset, content_->version.size);
    ++body_->generation;
    core_.log(4, "download of " + path_.text() + " ended before the size that the listing says");
    fail_all({modem::Errc::size_mismatch, 0,
              "fewer bytes arrived than the listing says: lost on the line, or the file shrank"});
}

void Download::fail_all(const modem::Error& error) {
    auto wants = std::move(body_->wants);
    body_->wants.clear();
    for (auto& want : wants) {
        want.done(modem::fail(error));
    }
}

void Download::break_off() {
    if (active()) {
        body_->sink->stop();
        core_.queue->cancel(body_->ticket);
        core_.queue->nudge();
    }
}

void Download::stop() {
    if (body_->wants.empty()) {
        break_off();
    }
}

}  // namespace fusefs
