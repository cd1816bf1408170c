// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "modem/ftp/types.hpp"
#include "modem/interrupt.hpp"
#include "modem/result.hpp"

namespace modem {

/// Takes a download's payload. Called on the modem thread; must not wait for the main thread.
class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;
    /// `bytes` belong at `offset` of the file; offsets are consecutive. An error ends the download
    /// and is its result.
    virtual Result<void> write(std::uint64_t offset, std::span<const char> bytes) = 0;
    /// Whether more is wanted now. Any value may change at any time; whoever changes it to `more`
    /// or `stop` calls JobQueue::nudge().
    enum class Demand { more, pause, stop };
    [[nodiscard]] virtual Demand demand() const { return Demand::more; }
};

/// Gives an upload's payload. Called on the modem thread.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    /// Fills `into` from `offset` as far as the content goes; fewer bytes than asked means the end.
    virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
};

/// Where a new upload's bytes go.
enum class StoreMode {
    create,     ///< STOR from byte 0
    at_offset,  ///< REST + STOR: bytes from `offset` on
    append,     ///< APPE
};

/// One bulk transfer as a dialect sees it: what to move, in which way, and the shared duties
/// (progress, giving way, cancelling) behind five calls. Built by the worker; modem thread only.
class Transfer {
public:
    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    virtual ~Transfer() = default;

    [[nodiscard]] virtual Way way() const = 0;
    /// First byte to move: where a download starts, where an at_offset upload continues.
    [[nodiscard]] virtual std::uint64_t start() const = 0;
    /// Download: bytes expected from start() on, if the size is known. Upload: bytes to send.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
    [[nodiscard]] virtual StoreMode mode() const = 0;
    /// Payload bytes moved so far.
    [[nodiscard]] virtual std::uint64_t moved() const = 0;

    /// Download: the next payload bytes.
    virtual Result<void> deliver(std::span<const char> bytes) = 0;
    /// Upload: up to `most` next payload bytes (valid until the next call); empty at the end.
    virtual Result<std::span<const char>> fetch(std::size_t most) = 0;
    /// A point where the dialect can break off and a later transfer can resume. Errors: gave_way
    /// (another job is waiting and this one yields), cancelled (nobody wants the rest: also after
    /// Sink::Demand::stop): break off and return the error. Waits here while the sink pauses, at
    /// most `patience` (a module may discard its buffer), then gave_way.
    virtual Result<void> checkpoint(milliseconds patience) = 0;
};

}  // namespace modem
