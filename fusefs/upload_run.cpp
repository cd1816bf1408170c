// SPDX-License-Identifier: MIT
#include "fusefs/upload_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "modem/at/parse.hpp"

namespace fusefs {

using modem::Answer;
using modem::Errc;
using modem::Result;

namespace {

/// Reads the spool for the modem thread.
class SpoolSource final : public modem::Source {
public:
    explicit SpoolSource(std::shared_ptr<LocalFile> file) : file_(std::move(file)) {}
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
        return file_->read(offset, into);
    }

private:
    std::shared_ptr<LocalFile> file_;
};

/// Answers of servers and modules that mean "no such file" or may mean it.
bool may_be_missing(Errc code) {
    return code == Errc::not_found || code == Errc::rejected || code == Errc::refused;
}

/// Answers with which a server may refuse a rename because the target exists.
bool may_be_occupied(Errc code) {
    return code == Errc::exists || code == Errc::rejected || code == Errc::refused ||
           code == Errc::permission;
}

}  // namespace

UploadRun::UploadRun(Core& core, UploadRow row, std::shared_ptr<LocalFile> file,
                     modem::Priority priority, Ended ended)
    : core_(core),
      row_(std::move(row)),
      file_(std::move(file)),
      priority_(priority),
      ended_(std::move(ended)) {}

Result<modem::RemotePath> UploadRun::final_path() const {
    TRY(auto below, modem::RemotePath::parse(row_.path));
    return core_.remote(below);
}

Result<modem::RemotePath> UploadRun::sibling(const std::string& name) const {
    TRY(auto path, final_path());
    return path.parent().child(name);
}

Result<modem::RemotePath> UploadRun::stored_path() const {
    return row_.remote_name.empty() ? final_path() : sibling(row_.remote_name);
}

std::uint64_t UploadRun::sent() const {
    return job_ ? job_->transferred() : 0;
}

void UploadRun::raise(modem::Priority priority) {
    priority_ = std::min(priority_, priority);
    if (ticket_ != 0) {
        core_.queue->raise(ticket_, priority_);
    }
}

void UploadRun::cancel() {
    cancelled_ = true;
    if (ticket_ != 0) {
        core_.queue->cancel(ticket_);
    }
}

void UploadRun::submit(modem::Request request, modem::Priority priority, Then then) {
    if (cancelled_) {
        end(modem::fail(Errc::cancelled, "the upload is no longer wanted"));
        return;
    }
    ticket_ = core_.queue->submit(
        std::move(request), priority,
        [self = shared_from_this(), then = std::move(then)](Result<Answer> answer) mutable {
            self->ticket_ = 0;
            then(std::move(answer));
        });
    job_ = core_.queue->job(ticket_);
}

/// Writes the step to the ledger, then goes on.
void UploadRun::save(UploadStep step, modem::UniqueFunction<void()> then) {
    row_.step = step;
    core_.storage->call(
        [ledger = core_.ledger, row = row_] { return ledger->put_upload(row); },
        [self = shared_from_this(), then = std::move(then)](Result<Ledger::Put> put) mutable {
            if (!put) {
                self->end(modem::fail(std::move(put).error()));
                return;
            }
            then();
        });
}

void UploadRun::end(Result<Verdict> verdict) {
    if (ended_) {
        auto ended = std::move(ended_);
        ended_ = {};
        ended(std::move(verdict));
    }
}

void UploadRun::begin() {
    ++row_.attempts;
    row_.state = UploadState::uploading;
    if (row_.first_attempt == 0) {
        row_.first_attempt = core_.now();
    }
    switch (row_.step) {
        case UploadStep::none:
            choose_name();
            save(UploadStep::storing, [this] { store(is_append() ? row_.base_size : 0); });
            break;
        case UploadStep::storing:
            ask_how_far();
            break;
        case UploadStep::stored:
            publish();
            break;
        case UploadStep::aside:
            rename_over_aside();
            break;
        case UploadStep::renamed:
            remove_aside();
            break;
    }
}

/// A new or replaced file appears under its final name only when it is complete.
void UploadRun::choose_name() {
    const bool hidden_first =
        core_.config->upload.atomic && core_.capabilities().rename && !is_append();
    row_.remote_name =
        hidden_first ? core_.config->upload.temporary_prefix + std::to_string(row_.id) : "";
}

/// An earlier attempt may have left a part on the server: continue there rather than pay again.
void UploadRun::ask_how_far() {
    if (!core_.capabilities().size) {
        store(is_append() ? row_.base_size : 0);
        return;
    }
    auto path = stored_path();
    if (!path) {
        end(modem::fail(path.error()));
        return;
    }
    submit(modem::StatRequest{*path}, priority_,
           [this](const Result<Answer>& answer) { answer_how_far(answer); });
}

void UploadRun::answer_how_far(const Result<Answer>& answer) {
    const std::uint64_t beginning = is_append() ? row_.base_size : 0;
    if (!answer) {
        if (!may_be_missing(answer.error().code) && answer.error().code != Errc::not_supported) {
            end(modem::fail(answer.error()));
        } else if (is_append() && answer.error().code == Errc::not_found) {
            end(modem::fail(Errc::changed, "the file to append to is gone from the server"));
        } else {
            store(beginning);
        }
        return;
    }
    const auto& stat = std::get<modem::Stat>(*answer);
    if (stat.size == row_.size && row_.size > beginning) {
        verdict_.mtime = stat.mtime;
        judge_size(stat.size);
    } else if (stat.size > row_.size || stat.size < beginning) {
        if (is_append()) {
            end(modem::fail(Errc::changed,
                            fmt::format("the file on the server is {} bytes long instead of {}: "
                                        "somebody else changed it",
                                        stat.size, row_.base_size)));
        } else {
            store(0);
        }
    } else {
        const auto& capabilities = core_.capabilities();
        const bool resumable = capabilities.store_offset || (is_append() && capabilities.append);
        store(resumable ? stat.size : beginning);
    }
}

void UploadRun::store(std::uint64_t from) {
    auto path = stored_path();
    if (!path) {
        end(modem::fail(path.error()));
        return;
    }
    from_ = from;
    modem::StoreRequest request{*path, modem::StoreMode::create, from, row_.size - from,
                                std::make_shared<SpoolSource>(file_)};
    if (is_append() && core_.capabilities().append) {
        request.mode = modem::StoreMode::append;
    } else if (from > 0) {
        request.mode = modem::StoreMode::at_offset;
    }
    if (row_.mismatches >= 2) {  // the usual way loses bytes on this line: try the other one
        const auto& capabilities = core_.capabilities();
        if (capabilities.store_paced && capabilities.store_stream) {
            request.way = row_.mismatches % 4 < 2 ? modem::Way::stream : modem::Way::paced;
        }
    }
    submit(std::move(request), priority_,
           [this](Result<Answer> answer) { stored(std::move(answer)); });
}

void UploadRun::stored(Result<Answer> answer) {
    if (!answer) {
        row_.resent += sent();
        end(modem::fail(std::move(answer).error()));
        return;
    }
    const auto& transferred = std::get<modem::Transferred>(*answer);
    row_.line_bytes += transferred.line_bytes;
    confirmed_ = transferred.confirmed;
    verify();
}

/// A serial line can lose bytes: the server's size decides, not the module's "OK".
void UploadRun::verify() {
    if (!core_.capabilities().size) {
        judge_size(confirmed_ ? from_ + *confirmed_ : row_.size);
        return;
    }
    auto path = stored_path();
    if (!path) {
        end(modem::fail(path.error()));
        return;
    }
    submit(modem::StatRequest{*path}, priority_,
           [this](const Result<Answer>& answer) { verified(answer); });
}

void UploadRun::verified(const Result<Answer>& answer) {
    if (!answer) {
        if (answer.error().code == Errc::not_supported) {  // this name cannot be asked about
            judge_size(confirmed_ ? from_ + *confirmed_ : row_.size);
        } else {
            end(modem::fail(answer.error()));
        }
        return;
    }
    const auto& stat = std::get<modem::Stat>(*answer);
    verdict_.verified = true;
    verdict_.mtime = stat.mtime;
    judge_size(stat.size);
}

void UploadRun::judge_size(std::uint64_t size) {
    if (size != row_.size) {
        ++row_.mismatches;
        row_.resent += row_.size - from_;
        row_.step = UploadStep::none;  // which bytes are missing is unknown: from the beginning
        end(modem::fail(Errc::size_mismatch,
                        fmt::format("the server has {} bytes of {}", size, row_.size)));
        return;
    }
    verdict_.size = size;
    if (row_.remote_name.empty()) {
        end(verdict_);
        return;
    }
    save(UploadStep::stored, [this] { publish(); });
}

void UploadRun::publish() {
    auto from = stored_path();
    auto to = final_path();
    if (!from || !to) {
        end(modem::fail(Errc::invalid_name, "the path cannot be sent to the server"));
        return;
    }
    verdict_.size = row_.size;
    submit(modem::RenameRequest{*from, *to}, priority_,
           [this](const Result<Answer>& answer) { published(answer); });
}

void UploadRun::published(const Result<Answer>& answer) {
    if (answer) {
        if (row_.aside_name.empty()) {
            end(verdict_);
        } else {
            remove_aside();
        }
    } else if (answer.error().code == Errc::not_found) {
        look_for_published();
    } else if (may_be_occupied(answer.error().code) && row_.aside_name.empty()) {
        put_old_aside(answer.error());
    } else {
        end(modem::fail(answer.error()));
    }
}

/// The temporary name is gone: either an earlier rename succeeded and its answer was lost, or
/// somebody removed it.
void UploadRun::look_for_published() {
    auto path = final_path();
    if (!path || !core_.capabilities().size) {
        row_.step = UploadStep::none;
        end(modem::fail(Errc::size_mismatch, "the temporary file is gone from the server"));
        return;
    }
    submit(modem::StatRequest{*path}, priority_, [this](const Result<Answer>& answer) {
        if (answer && std::get<modem::Stat>(*answer).size == row_.size) {
            verdict_.mtime = std::get<modem::Stat>(*answer).mtime;
            end(verdict_);
            return;
        }
        row_.step = UploadStep::none;
        end(modem::fail(Errc::size_mismatch, "the temporary file is gone from the server"));
    });
}

/// Some servers do not rename onto an existing file: the old one steps aside first.
void UploadRun::put_old_aside(modem::Error refusal) {
    row_.aside_name = row_.remote_name + "o";
    save(UploadStep::stored, [this, refusal = std::move(refusal)]() mutable {
        auto from = final_path();
        auto to = sibling(row_.aside_name);
        if (!from || !to) {
            end(modem::fail(std::move(refusal)));
            return;
        }
        submit(modem::RenameRequest{*from, *to}, priority_,
               [this, refusal = std::move(refusal)](const Result<Answer>& answer) mutable {
                   if (answer) {
                       save(UploadStep::aside, [this] { rename_over_aside(); });
                       return;
                   }
                   row_.aside_name.clear();
                   if (modem::is_transient(answer.error().code)) {
                       end(modem::fail(answer.error()));
                       return;
                   }
                   refusal.what +=
                       "; the server does not let files be renamed into place: if it "
                       "forbids renaming, set upload.atomic = false";
                   end(modem::fail(std::move(refusal)));
               });
    });
}

void UploadRun::rename_over_aside() {
    auto from = stored_path();
    auto to = final_path();
    if (!from || !to) {
        end(modem::fail(Errc::invalid_name, "the path cannot be sent to the server"));
        return;
    }
    verdict_.size = row_.size;
    submit(modem::RenameRequest{*from, *to}, priority_, [this](Result<Answer> answer) {
        if (answer) {
            save(UploadStep::renamed, [this] { remove_aside(); });
            return;
        }
        auto aside = sibling(row_.aside_name);
        auto back = final_path();
        if (modem::is_transient(answer.error().code) || !aside || !back) {
            end(modem::fail(std::move(answer).error()));
            return;
        }
        // Neither name must stay empty for long: the old file goes back where it was.
        submit(modem::RenameRequest{*aside, *back}, priority_,
               [this, error = std::move(answer).error()](const Result<Answer>&) mutable {
                   row_.step = UploadStep::stored;
                   row_.aside_name.clear();
                   end(modem::fail(std::move(error)));
               });
    });
}

void UploadRun::remove_aside() {
    auto path = sibling(row_.aside_name);
    if (!path) {
        end(modem::fail(path.error()));
        return;
    }
    verdict_.size = row_.size;
    submit(modem::RemoveRequest{*path}, priority_, [this](const Result<Answer>& answer) {
        if (!answer && modem::is_transient(answer.error().code)) {
            end(modem::fail(answer.error()));
            return;
        }
        end(verdict_);
    });
}

}  // namespace fusefs
