// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "modem/ftp/dialect.hpp"
#include "modem/ftp/file_answer.hpp"
#include "modem/ftp/verdicts.hpp"

namespace modem {

/// Fibocom L610. Section numbers are those of "FIBOCOM L610 AT Commands User Manual FOTA" V1.0.0.
/// Which command is used for what, and why some are not: modemftp-dialects(7). Known to its own
/// files alone; everybody else goes through the registry.
class FibocomL610 final : public Dialect {
public:
    explicit FibocomL610(Channel& channel);

    [[nodiscard]] const Capabilities& capabilities() const override;
    [[nodiscard]] std::span<const ErrorCode> error_codes() const override;

    // fibocom_l610.cpp: the link and the session
    Result<void> prepare() override;
    Result<std::string> open_bearer(const Bearer& bearer) override;
    Result<void> close_bearer() override;
    Result<void> log_in(const Server& server) override;
    Result<void> log_out() override;
    Result<void> keep_alive() override;
    [[nodiscard]] UrcMeaning urc(std::string_view line) const override;
    Result<bool> recover() override;
    void session_gone() override;

    // fibocom_l610_names.cpp: directories and names
    Result<void> list(const RemotePath& directory, ListOptions options,
                      const TextConsumer& text) override;
    Result<Stat> stat(const RemotePath& file) override;
    Result<void> remove(const RemotePath& file) override;
    Result<void> make_directory(const RemotePath& directory) override;
    Result<void> remove_directory(const RemotePath& directory) override;
    Result<void> rename(const RemotePath& from, const RemotePath& to) override;

    // fibocom_l610_transfer.cpp: content
    Result<void> retrieve(const RemotePath& file, Transfer& transfer) override;
    Result<std::optional<std::uint64_t>> store(const RemotePath& file, Transfer& transfer) override;

private:
    Result<bool> session_stands();
    Result<void> await_owed();
    Result<void> leave_upload();
    Result<std::string> bearer_address();
    Result<void> define_context(const Bearer& bearer);
    Result<void> set_mode(bool passive);

    struct ListingEnd {
        std::optional<std::int64_t> verdict;
        bool ok = false;
        std::optional<Error> refused;  ///< ERROR instead of the rest
    };
    Result<void> list_with(const Command& command, const TextConsumer& text);
    Result<void> read_listing(std::string_view first, const TextConsumer& text, ListingEnd& end);
    Result<bool> listing_line(std::string_view line, const TextConsumer& text, ListingEnd& end);
    struct Status {
        std::optional<std::int64_t> verdict;
        bool ok = false;
        bool text = false;
    };
    Result<bool> status_of(const RemotePath& file, FileAnswer& answer);
    Result<bool> status_refused(tl::unexpected<Error> error);
    void status_line(std::string_view line, FileAnswer& answer, Status& status);
    [[nodiscard]] bool complete(const Status& status, const FileAnswer& answer) const;

    Result<void> retrieve_stream(const RemotePath& file, Transfer& transfer);
    Result<void> retrieve_paced(const RemotePath& file, Transfer& transfer);
    Result<std::uint64_t> receive(Transfer& transfer);
    Result<void> await_news(milliseconds pause);
    Result<void> ask_for_end();
    Result<bool> buffer_is_empty();
    Result<void> note_news();
    tl::unexpected<Error> break_off(Error error);
    void note(std::string_view line);
    Result<void> store_stream(const RemotePath& file, Transfer& transfer, std::uint64_t start);
    Result<bool> gave_up();
    Result<void> store_paced(const RemotePath& file, Transfer& transfer);
    Result<bool> put(const RemotePath& file, std::span<const char> bytes, bool last);
    Result<void> await_put_ready();
    Result<void> await_early_ok();
    [[nodiscard]] milliseconds put_doubt(bool last) const;
    Result<bool> put_confirmed(bool last);
    Result<void> check_stored(const RemotePath& file, std::uint64_t size);

    Verdicts verdicts_;
    // What a broken-off transfer leaves behind, for recover().
    enum class DataMode { none, receiving, sending } data_mode_ = DataMode::none;
    std::string unsent_;      ///< what must follow before a broken-off upload can be ended
    bool put_ready_ = false;  ///< +FTPPUT: 2 has come: the module counts the block's bytes
    struct Download {
        bool buffered = false;  ///< +FTPGET: 2
        bool complete = false;  ///< +FTPGET: 1
        bool broken = false;    ///< +FTPGET: 0
        bool begun = false;     ///< some of it has been read
        bool news = false;
    } download_;

    // Readings of the manual learnt from this firmware, so that no time-out is paid twice.
    std::optional<bool> mode_differs_;       ///< after FTPOPEN, FTPMODE is not what we want
    std::optional<bool> status_useful_;      ///< FTPSTAT of a file tells its size
    std::optional<bool> status_has_end_;     ///< +FTPSTAT: 1 follows the text
    std::optional<bool> announces_buffer_;   ///< +FTPGET: 2 comes
    std::optional<bool> put_ok_first_;       ///< OK comes before the data of FTPPUT
    std::optional<bool> confirms_each_put_;  ///< +FTPPUT: 1 comes for every block
    std::optional<bool> confirms_last_put_;  ///< … and for the last one
};

}  // namespace modem
