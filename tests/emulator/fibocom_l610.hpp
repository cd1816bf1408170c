// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/emulator/dle.hpp"
#include "tests/emulator/family.hpp"
#include "tests/emulator/modem.hpp"

namespace emulator {

/// The highest offset that FTPREST, FTPRETR, FTPSTOR and FTPGET take (1.2.17).
constexpr std::uint64_t l610_highest_offset = 0xFFFFFFFE;

/// Fibocom L610 ("AT Commands User Manual FOTA" V1.0.0), the module's side. Numbers in comments
/// are the manual's sections.
class FibocomL610 final : public Family {
public:
    explicit FibocomL610(Modem& modem) : Family(modem) {}

    [[nodiscard]] Identity identity() const override;
    bool execute(const Command& command) override;
    void data(std::string_view bytes) override;
    void escape() override { break_off(); }
    void dtr_dropped() override;
    void pump() override;
    void bearer_lost() override;
    void ftp_trace(const FtpTrace& trace) override;

private:
    /// The test form of the commands with a name, a type and an offset.
    static constexpr std::string_view offset_forms = "(\"file name\"),(0-1),(0-4294967294)";
    using Lead = Modem::Lead;
    enum class Session { closed, opening, open, closing };
    enum class Work { none, command, list, retrieve, store, get, put };

    bool link_command(const Command& command);
    bool session_command(const Command& command);
    bool file_command(const Command& command);
    bool transfer_command(const Command& command);
    void mipcall(const Command& command);
    void gtset(const Command& command);
    void open(const Command& command);
    void close(const Command& command);
    void opened(const FtpResult& result);
    void rename(const Command& command);
    void one_command(const Command& command, std::string_view ftp, bool argument);
    void text_command(const Command& command, std::string_view ftp);
    void rest(const Command& command);
    void list(const Command& command);
    void retrieve(const Command& command);
    void store(const Command& command);
    void get(const Command& command);
    void receive(const Command& command);
    void put(const Command& command);
    void put_begin(const std::string& name, bool ascii);
    void put_block(bool last, std::string_view bytes);
    void put_accept();
    void put_ended(bool good);
    void put_verdict(bool good);
    void fetch();
    void fetched(const FtpResult& result);
    void cache_available();
    void tell_cached();
    void begin_stream(Work work);
    void pump_stream();
    void pump_cache();
    void stream_ended();
    /// Starts the two minutes anew, or stops them when there is nothing left.
    void watch_cache();
    void break_off();
    void end_session();

    bool read_or_test(const Command& command, std::string_view read, std::string_view test);
    bool allowed();
    bool named(const Command& command, std::size_t index);
    std::optional<std::uint64_t> offset_of(const Command& command, std::size_t index);
    void verdict(std::string_view name, int value, Lead lead = Lead::crlf);
    void used_rest();

    Session session_ = Session::closed;
    Work work_ = Work::none;
    bool info_ = false;
    bool active_ = false;
    std::uint64_t limit_ = 50;
    std::uint64_t rest_ = 0;

    // The running stream (list, retrieve, store).
    bool head_sent_ = false;
    bool stream_done_ = false;
    bool stream_good_ = false;
    bool broken_off_ = false;
    DleDecoder decoder_;
    TimePoint next_block_{};

    // FTPGET.
    std::string cache_;
    std::string get_name_;
    bool get_ascii_ = false;
    std::uint64_t get_at_ = 0;  ///< the server's offset behind the last byte in the cache
    bool get_paused_ = false;   ///< the buffer was full, the data connection is closed
    bool get_fetching_ = false;
    bool get_eof_ = false;
    bool get_told_ = false;  ///< +FTPGET: 2 is out
    bool recv_flip_ = false;
    Timers::Id discard_timer_ = 0;

    // FTPPUT.
    std::string put_name_;
    bool put_done_ = false;  ///< the last block is here, the server's word is not
    bool put_over_ = false;  ///< the server has ended it
};

}  // namespace emulator
