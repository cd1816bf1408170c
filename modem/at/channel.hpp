// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "modem/at/command.hpp"
#include "modem/at/error_codes.hpp"
#include "modem/at/event.hpp"
#include "modem/at/input.hpp"
#include "modem/at/parse.hpp"
#include "modem/at/trace.hpp"
#include "modem/interrupt.hpp"
#include "modem/line/byte_stream.hpp"
#include "modem/result.hpp"

namespace modem {

/// What the line has carried so far. Written by the modem thread, read by any.
struct LineCounters {
    std::atomic<std::uint64_t> bytes_sent{0};
    std::atomic<std::uint64_t> bytes_received{0};
    std::atomic<std::uint64_t> commands{0};
    std::atomic<std::uint64_t> payload_sent{0};
    std::atomic<std::uint64_t> payload_received{0};
};

/// One AT dialogue: the sole owner of CR, LF, echo, final result codes, URCs, prompts and raw
/// blocks. Understands echo on or off, verbose (V1) and numeric (V0) results. Blocking; modem
/// thread only.
///
/// A dialect never sees time-outs, tokens or the job it works for: begin() sets the job's
/// interrupt, every wait ends at its own time-out, and failures unwind as Results.
class Channel {
public:
    Channel(ByteStream& stream, Trace& trace, LineCounters& counters);

    /// Whatever interrupts the waits from now on; nullptr: nothing.
    void set_interrupt(const Interrupt* interrupt) { interrupt_ = interrupt; }
    /// Sees every line that is not an answer yet (URCs at any line boundary, also between
    /// commands); returns true when it has dealt with the line, which then goes no further. A line
    /// named like the command being answered (`+CREG: 0,1` after AT+CREG?) or like the prefix
    /// waited for is an answer. Must not use the channel.
    using UrcHandler = std::function<bool(std::string_view line)>;
    void set_urc_handler(UrcHandler handler) { urc_ = std::move(handler); }
    /// Called whenever the modem gave an answer or payload moved: the queue's proof of progress.
    void set_progress_handler(std::function<void()> handler) { progress_ = std::move(handler); }
    /// Time to leave between a final result and the next command (default 20 ms).
    void set_command_gap(milliseconds gap) { gap_ = gap; }
    /// How long command() and verdict() wait when not told otherwise (`link.command-timeout`).
    void set_default_timeout(milliseconds timeout) { default_timeout_ = timeout; }
    [[nodiscard]] milliseconds default_timeout() const { return default_timeout_; }
    /// The family's own +CME ERROR numbers, looked at before the shared table; static data.
    void set_error_codes(std::span<const ErrorCode> codes) { vendor_ = codes; }

    // ---- commands -------------------------------------------------------------------------
    /// Sends a command; what was received before it and never claimed is given to the URC handler
    /// and then forgotten. Errors: invalid_name when the command is bad (nothing is sent).
    Result<void> send(const Command& command);
    /// send() and everything up to the final result. OK → the information lines before it;
    /// anything else → its Error with the module's number and the command in its words; too_large
    /// beyond 256 KiB of lines.
    Result<std::vector<std::string>> command(const Command& command);
    Result<std::vector<std::string>> command(const Command& command, milliseconds timeout);
    /// send() and wait for OK *and* a line `prefix: …`, in either order (most FTP commands answer
    /// OK first and the verdict later as a URC). Other lines are kept for take_lines().
    Result<Fields> exchange(const Command& command, std::string_view prefix);
    Result<Fields> exchange(const Command& command, std::string_view prefix, milliseconds timeout);

    // ---- events ---------------------------------------------------------------------------
    /// The next thing the modem says that is not echo, blank or claimed by the URC handler.
    Result<Event> next(milliseconds timeout);
    /// The next line with this prefix (one kept since the last send() counts, so that a verdict
    /// may come before its OK); OK on the way is noted (see ok_seen()), ERROR is returned as its
    /// error, other lines are kept for take_lines().
    Result<Fields> expect(std::string_view prefix, milliseconds timeout);
    /// Waits for OK unless it has been seen since the last send().
    Result<void> expect_ok(milliseconds timeout);
    /// Waits for `prompt` at the start of a line (and swallows one blank after it if it is there).
    Result<void> expect_prompt(char prompt, milliseconds timeout);
    [[nodiscard]] bool ok_seen() const { return ok_seen_; }
    /// Lines kept since the last send() that nobody asked for, oldest first.
    std::vector<std::string> take_lines();

    // ---- raw data -------------------------------------------------------------------------
    using Consumer = std::function<Result<void>(std::span<const char>)>;
    /// Hands exactly `length` bytes on, as they come. `timeout` is for silence, not for all.
    Result<void> read_raw(std::uint64_t length, const Consumer& consumer, milliseconds timeout);
    /// Unescapes DLE (0x10) up to a bare ETX (0x03), which it consumes.
    Result<void> read_dle(const Consumer& consumer, milliseconds timeout);
    /// Hands on whatever arrives until the consumer's result is false or the silence lasts
    /// `timeout`; bytes the consumer did not take (it returns how many it took) stay for the
    /// next call. For data modes whose end only the dialect can tell.
    struct Taken {
        std::size_t bytes = 0;
        bool more = true;
    };
    using Scanner = std::function<Result<Taken>(std::span<const char>)>;
    Result<void> scan(const Scanner& scanner, milliseconds timeout);
    Result<void> write_raw(std::span<const char> bytes, milliseconds timeout);
    /// write_raw with DLE before DLE and ETX.
    Result<void> write_dle(std::span<const char> bytes, milliseconds timeout);
    /// `escape` before each byte that is in `escaped` (generic form of write_dle).
    Result<void> write_escaped(std::span<const char> bytes, char escape, std::string_view escaped,
                               milliseconds timeout);
    Result<void> write_byte(char byte, milliseconds timeout);

    // ---- keeping order --------------------------------------------------------------------
    /// Lets lines through to the URC handler until `wait` ends. Errors: cancelled (interrupt),
    /// line_lost; the deadline is success.
    Result<void> listen(Wait wait);
    /// Reads and drops everything until nothing has come for `quiet`, at most `limit`.
    Result<void> drain(milliseconds quiet, milliseconds limit);
    /// The rescue from data mode: `guard` of silence, "+++", `guard` of silence.
    Result<void> escape(milliseconds guard = milliseconds(1000));
    /// Time passing on the line without reading.
    Result<void> pause(milliseconds time);
    Result<void> pulse_dtr(milliseconds time) { return stream_.pulse_dtr(time); }

    [[nodiscard]] Trace& trace() { return trace_; }
    [[nodiscard]] ByteStream& stream() { return stream_; }
    [[nodiscard]] LineCounters& counters() { return counters_; }
    /// AT commands sent so far by name. Any thread.
    [[nodiscard]] std::map<std::string, std::uint64_t> commands_by_name() const;

private:
    /// One wait: its end, and whether it has read at all (a wait that is over may read once, and
    /// no flood of URCs makes it last longer).
    struct Waiting {
        Wait wait;
        bool has_read = false;
    };
    /// What is looked for beside results: lines that bypass the URC handler, a prompt.
    struct Look {
        std::string_view prefix;
        char prompt = '\0';
        bool listening = false;  ///< no line is an answer
    };
    struct Kept {
        std::string text;
        bool offered = false;  ///< the URC handler has seen it
    };

    [[nodiscard]] Waiting waiting(milliseconds timeout) const;
    Result<void> fill(Waiting& wait);
    Result<Event> wait_event(const Look& look, Waiting& wait);
    std::optional<Event> buffered_event(const Look& look);
    bool is_answer(std::string_view line, const Look& look) const;
    bool is_echo(std::string_view line);
    void keep(Event event);
    void keep(Kept line);
    std::optional<Fields> take_kept(std::string_view prefix);
    Result<void> forget_unclaimed();
    Result<void> leave_gap();
    void trace_outcome(Errc code);
    void trace_line(std::string_view line);
    [[nodiscard]] Error of_command(Error error) const;
    [[nodiscard]] Error unexpected(const Event& event) const;
    [[nodiscard]] Error explain(Error error, std::string_view awaited, milliseconds timeout) const;
    void progressed() const;

    Result<void> fill_raw(milliseconds timeout);
    Result<void> write_all(std::span<const char> bytes, milliseconds timeout);
    void count_received(std::size_t payload);

    ByteStream& stream_;
    Trace& trace_;
    LineCounters& counters_;
    const Interrupt* interrupt_ = nullptr;
    UrcHandler urc_;
    std::function<void()> progress_;
    milliseconds gap_{20};
    milliseconds default_timeout_{75000};
    std::span<const ErrorCode> vendor_;

    Input input_;
    ResultForm form_ = ResultForm::unknown;
    bool ok_seen_ = false;
    std::string asked_;                 ///< last command, masked, for messages
    std::string name_;                  ///< what its answers begin with: "+FTPLIST"
    std::deque<std::string> echoes_;    ///< commands whose echo may still come
    std::vector<std::string> secrets_;  ///< sent so far: never shown
    std::deque<Kept> kept_;
    std::size_t kept_bytes_ = 0;
    bool kept_overflowed_ = false;  ///< since the last send()
    Clock::time_point last_received_;
    mutable std::mutex names_mutex_;
    std::map<std::string, std::uint64_t> names_;
};

}  // namespace modem
