// SPDX-License-Identifier: MIT
#pragma once

#include <curl/curl.h>
#include <sys/socket.h>

#include <optional>

#include "tests/emulator/ftp_client.hpp"

namespace emulator {

/// The FTP verb that a command line begins with, in capitals.
std::string verb_of(std::string_view line);

/// Resets the connection behind a socket that libcurl reads from, and puts an ended stream in its
/// place: libcurl has no way to end a download and keep the control connection, but a peer that
/// has closed is an ordinary thing for it. (shutdown() alone would let the kernel answer what still
/// arrives with an error.)
void cut_socket(int fd);

/// The thread behind FtpClient: libcurl, one operation after the other.
///
/// What is asked of libcurl is literal. Paths are absolute or relative as the host gave them
/// (CURLFTPMETHOD_NOCWD, percent-encoded, so no CWD is ever added); REST is a prequote, because
/// libcurl's own resume turns an offset upload into APPE and asks for SIZE before a download;
/// commands go as `*COMMAND` quotes, whose refusal leaves the connection open; replies are read
/// off the debug callback. A control connection that was lost is never silently replaced: the
/// module would know.
class FtpWorker {
public:
    explicit FtpWorker(FtpClient& owner);
    FtpWorker(const FtpWorker&) = delete;
    FtpWorker& operator=(const FtpWorker&) = delete;
    ~FtpWorker();

    void run();

private:
    using Request = FtpClient::Request;
    using Kind = FtpClient::Kind;

    FtpResult execute(const Request& request);
    FtpResult log_in(const Request& request);
    FtpResult log_out();
    FtpResult rename(const Request& request);
    FtpResult size(const Request& request);
    FtpResult quote(const std::string& line);
    FtpResult transfer(const Request& request);

    void prepare(const Request& request);
    void set_path(const std::string& path);
    CURLcode perform();
    FtpResult verdict(CURLcode code);
    std::optional<FtpResult> armed_fault(const Request& request);
    void lose_control();
    [[nodiscard]] std::optional<FtpFaults::Reply> take_reply(const std::string& verb);

    /// Waits; false when the operation is to end instead.
    bool pause(std::chrono::milliseconds time);
    void charge_round_trip();
    void trace(FtpTrace::Kind kind, std::string text);
    void heard(std::string_view line);
    void said(std::string_view line);

    std::size_t write_down(const char* data, std::size_t size);
    std::size_t read_up(char* data, std::size_t size);
    curl_socket_t open_socket(curl_sockaddr* address);
    int close_socket(curl_socket_t fd);
    void accepted(curl_socket_t fd);

    // What libcurl calls.
    static int debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self);
    static std::size_t write_function(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t read_function(char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t open_function(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int close_function(void* self, curl_socket_t fd);
    static int option_function(void* self, curl_socket_t fd, curlsocktype purpose);

    FtpClient& owner_;
    CURL* easy_ = nullptr;
    CURLM* multi_ = nullptr;
    curl_slist* before_ = nullptr;   ///< QUOTE
    curl_slist* at_data_ = nullptr;  ///< PREQUOTE
    const Request* request_ = nullptr;
    std::string base_url_;
    FtpClient::Login login_;
    bool logging_in_ = false;
    bool greeted_ = false;
    bool ready_told_ = false;
    bool deaf_ = false;    ///< nothing was heard for as long as the module waits
    bool cut_ = false;     ///< a fault has ended this transfer's data
    bool binary_ = false;  ///< the server's TYPE is I
    std::uint64_t moved_ = 0;
    sockaddr_storage control_peer_{};
    FtpResult reply_;
    std::string reply_lines_;
};

}  // namespace emulator
