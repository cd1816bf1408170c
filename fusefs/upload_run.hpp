// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "fusefs/core.hpp"

namespace fusefs {

/// One attempt at one upload: store, compare sizes, rename into place; each step is in the ledger
/// before the next one begins, and an attempt that follows a broken one asks the server how far it
/// got. Main thread; ends by calling `ended` exactly once.
class UploadRun : public std::enable_shared_from_this<UploadRun> {
public:
    struct Verdict {
        std::uint64_t size = 0;            ///< of the remote file now
        std::optional<std::time_t> mtime;  ///< as the server lists it, if it was asked
        bool verified = false;             ///< the server (not only the module) confirmed the size
    };
    using Ended = modem::UniqueFunction<void(modem::Result<Verdict>)>;

    UploadRun(Core& core, UploadRow row, std::shared_ptr<LocalFile> file, modem::Priority priority,
              Ended ended);

    void begin();
    void cancel();
    /// The row as it stands (steps, counters), also after the end.
    [[nodiscard]] const UploadRow& row() const { return row_; }
    [[nodiscard]] std::uint64_t sent() const;
    /// More urgent from now on.
    void raise(modem::Priority priority);

private:
    using Then = modem::UniqueFunction<void(modem::Result<modem::Answer>)>;
    void submit(modem::Request request, modem::Priority priority, Then then);
    void save(UploadStep step, modem::UniqueFunction<void()> then);
    void end(modem::Result<Verdict> verdict);

    void choose_name();
    void ask_how_far();
    void answer_how_far(const modem::Result<modem::Answer>& answer);
    void store(std::uint64_t from);
    void stored(modem::Result<modem::Answer> answer);
    void verify();
    void verified(const modem::Result<modem::Answer>& answer);
    void judge_size(std::uint64_t size);
    void publish();
    void published(const modem::Result<modem::Answer>& answer);
    void look_for_published();
    void put_old_aside(modem::Error refusal);
    void rename_over_aside();
    void remove_aside();

    [[nodiscard]] modem::Result<modem::RemotePath> final_path() const;
    [[nodiscard]] modem::Result<modem::RemotePath> sibling(const std::string& name) const;
    [[nodiscard]] modem::Result<modem::RemotePath> stored_path() const;
    [[nodiscard]] bool is_append() const { return row_.kind == UploadKind::append; }

    Core& core_;
    UploadRow row_;
    std::shared_ptr<LocalFile> file_;
    modem::Priority priority_;
    Ended ended_;
    Verdict verdict_;
    std::optional<std::uint64_t> confirmed_;
    std::uint64_t from_ = 0;  ///< first byte of this attempt
    modem::JobQueue::Ticket ticket_ = 0;
    modem::JobPtr job_;
    bool cancelled_ = false;
};

}  // namespace fusefs
