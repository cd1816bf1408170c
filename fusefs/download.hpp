// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "fusefs/content_cache.hpp"
#include "fusefs/core.hpp"

namespace fusefs {

/// Fetches ranges of one remote file into its cached content and wakes readers as bytes arrive. One
/// transfer at a time; it starts at the first missing byte asked for, runs as far ahead as readers
/// want, and is broken off when nobody does. Main thread.
class Download : public std::enable_shared_from_this<Download> {
public:
    Download(Core& core, ContentCache& cache, modem::RemotePath path,
             std::shared_ptr<CachedContent> content);
    Download(const Download&) = delete;
    Download& operator=(const Download&) = delete;
    ~Download();

    [[nodiscard]] const std::shared_ptr<CachedContent>& content() const { return content_; }
    /// Answers when [begin, end) is here (`all`) or as soon as its first byte is (not `all`).
    /// `ahead`: how far beyond `end` the transfer may run on while nobody asks.
    void need(std::uint64_t begin, std::uint64_t end, std::uint64_t ahead, bool all,
              modem::Priority priority, WaiterPtr waiter, Done<void> done);
    /// No reader any more: the transfer ends at its next break-off point.
    void stop();
    /// Where later transfers fetch from (the file was renamed on the server).
    void moved(modem::RemotePath path);
    [[nodiscard]] bool active() const;
    /// Raised when bytes that readers may have seen proved wrong; they then get an error.
    [[nodiscard]] std::uint64_t generation() const;

private:
    struct Body;
    [[nodiscard]] bool satisfied(std::uint64_t begin, std::uint64_t end, bool all) const;
    void forget_want(std::uint64_t id);
    void pump();
    void start(std::uint64_t gap, modem::Priority priority);
    void arrived(std::uint64_t begin, std::uint64_t end, const modem::Result<void>& written);
    void ended(const modem::Result<modem::Answer>& answer);
    void ended_short(std::uint64_t start_offset);
    void fail_all(const modem::Error& error);
    void break_off();
    Core& core_;
    ContentCache& cache_;
    modem::RemotePath path_;
    std::shared_ptr<CachedContent> content_;
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
