// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "modem/line/byte_stream.hpp"
#include "modem/result.hpp"

namespace modem::test {

/// A recorded dialogue, one item a line:
///
///   > AT+FTPPWD         the host sends this and CR
///   < +FTPPWD: "/"      the modem sends CR LF, this, CR LF
///   = hello\r\n\x00     raw bytes with C escapes (\r \n \t \\ \xNN). Who sends them is whoever
///   does
///                       so at that point: compared when the driver writes, delivered when it reads
///   >> AT\x08T\r        the host sends exactly these bytes, with C escapes
///   << > \x10           the modem sends exactly these bytes (prompts, echo, numeric results)
///   ! silence           the next read times out at once
///   ! hangup            the line is gone from here on
///   ! cancel            the next read is interrupted
///   ! dtr               the driver drops DTR here; without such a line pulse_dtr() is
///   not_supported ~ 1000              the driver pauses here, for at least so many milliseconds #
///   comment           ignored, as are blank lines
///
/// Where the host is due, at the end, and where bytes of a `=` line are not known to be the modem's
/// and the driver only looks (its deadline has passed), a read times out at once: the modem is
/// silent.
class Transcript {
public:
    /// `name` is for messages. Errors: invalid_argument, with the line.
    static Result<Transcript> parse(std::string_view text, std::string name = "transcript");
    static Result<Transcript> load(const std::string& path);

    [[nodiscard]] const std::string& name() const { return name_; }

private:
    friend class ScriptedStream;
    enum class Kind { host, modem, raw, silence, hangup, cancel, dtr, pause };
    struct Item {
        Kind kind{};
        std::string bytes;     ///< of host, modem, raw
        milliseconds time{0};  ///< of pause
        unsigned line = 0;
        std::string shown;  ///< as written
        /// Who sent a raw item, once known. Remembered in the transcript, so that a second replay
        /// can glue the modem's raw bytes to the line before them in one read.
        enum class Sender { unknown, host, modem } sender = Sender::unknown;
        bool framed = false;  ///< a `<` line: noise may come before it
    };
    static Result<Item> parse_line(std::string_view line);

    std::string name_;
    std::vector<Item> items_;
};

/// How the modem's bytes are cut into reads, and the host's into writes.
enum class Chunking { bytes, whole, random };
inline constexpr Chunking all_chunkings[] = {Chunking::bytes, Chunking::whole, Chunking::random};

/// A line that plays one transcript and fails on the first byte that is not as written. No thread,
/// no clock: pauses return at once. Replay `bytes` first: that teaches the transcript who sends its
/// raw bytes.
class ScriptedStream final : public ByteStream {
public:
    /// The transcript has to outlive the stream. `seed` is for Chunking::random.
    explicit ScriptedStream(Transcript& transcript, Chunking chunking = Chunking::whole,
                            unsigned seed = 1);

    /// The modem echoes every `>` line.
    void set_echo(bool on) { echo_ = on; }
    /// This line comes before every `<` line.
    void set_noise(std::string line) { noise_ = std::move(line); }
    void set_usb(bool usb) { usb_ = usb; }

    /// What went wrong first, with the transcript's line, or what was never reached; empty when
    /// the whole transcript was played as written.
    [[nodiscard]] std::string failure() const;
    /// The transcript's line that the host is to send next, as far as is known; 0: none.
    [[nodiscard]] unsigned next_host_line() const;

    Result<std::size_t> read(std::span<char> into, Wait wait) override;
    Result<std::size_t> write(std::span<const char> bytes, Wait wait) override;
    Result<void> flush(Wait wait) override;
    Result<void> pause(milliseconds time, const Interrupt* interrupt) override;
    Result<void> pulse_dtr(milliseconds time) override;
    [[nodiscard]] std::string describe() const override { return transcript_.name(); }
    [[nodiscard]] bool is_usb() const override { return usb_; }

private:
    using Item = Transcript::Item;
    using Kind = Transcript::Kind;

    [[nodiscard]] Item* current();
    void advance();
    std::size_t chunk(std::size_t most);
    bool gather(bool looking);
    [[nodiscard]] std::string_view unread() const {
        return std::string_view(ready_).substr(taken_);
    }
    Result<std::size_t> event_instead_of_bytes();
    Error wrong(const std::string& what);

    Transcript& transcript_;
    Chunking chunking_;
    std::mt19937 random_;
    std::string noise_;
    bool echo_ = false;
    bool usb_ = false;

    std::size_t item_ = 0;
    std::size_t offset_ = 0;  ///< bytes of a host or raw item that went over the line
    std::string ready_;       ///< the modem's bytes that a read may take
    std::size_t taken_ = 0;   ///< so many of them were
    bool hung_up_ = false;
    std::string failure_;
};

/// `text` with its C escapes resolved. Errors: invalid_argument.
Result<std::string> c_unescape(std::string_view text);

}  // namespace modem::test
