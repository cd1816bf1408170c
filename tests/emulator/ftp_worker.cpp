// SPDX-License-Identifier: MIT
#include "tests/emulator/ftp_worker.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "tests/emulator/text.hpp"

namespace emulator {

namespace {

using std::chrono::milliseconds;

/// Anything that is not plainly safe goes as %XX, so that the path arrives byte for byte.
std::string url_path(std::string_view path) {
    std::string out;
    for (char c : path) {
        auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_') {
            out += c;
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
        }
    }
    return out;
}

/// 426, 451 and 552 come after data has moved; everything else before.
bool ends_transfer(int code) {
    return code == 426 || code == 451 || code == 552;
}

}  // namespace

std::string verb_of(std::string_view line) {
    return upper(line.substr(0, line.find_first_of(" \r\n")));
}

FtpWorker::FtpWorker(FtpClient& owner)
    : owner_(owner), easy_(curl_easy_init()), multi_(static_cast<CURLM*>(owner.multi_)) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
}

FtpWorker::~FtpWorker() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(before_);
    curl_slist_free_all(at_data_);
}

void FtpWorker::run() {
    while (true) {
        Request request;
        {
            std::unique_lock lock(owner_.mutex_);
            owner_.running_ = false;
            owner_.aborting_ = owner_.stopping_;
            owner_.changed_.wait(lock,
                                 [&] { return owner_.stopping_ || !owner_.requests_.empty(); });
            if (owner_.stopping_) {
                return;
            }
            request = std::move(owner_.requests_.front());
            owner_.requests_.pop_front();
            owner_.running_ = true;
            owner_.breaking_ = false;
            owner_.uploading_ = request.kind == Kind::store;
        }
        auto result = execute(request);
        {
            // The next operation may be asked for from within the callback.
            std::scoped_lock lock(owner_.mutex_);
            owner_.running_ = false;
        }
        owner_.post(request.generation, [done = std::move(request.done), result] {
            if (done) {
                done(result);
            }
        });
    }
}

FtpResult FtpWorker::execute(const Request& request) {
    request_ = &request;
    reply_ = {};
    reply_lines_.clear();
    moved_ = 0;
    cut_ = false;
    deaf_ = false;
    ready_told_ = false;
    if (auto fault = armed_fault(request)) {
        return *fault;
    }
    switch (request.kind) {
        case Kind::login:
            return log_in(request);
        case Kind::logout:
            return log_out();
        case Kind::command:
            prepare(request);
            return quote(request.first);
        case Kind::rename:
            return rename(request);
        case Kind::size:
            return size(request);
        case Kind::list:
        case Kind::retrieve:
        case Kind::store:
            return transfer(request);
    }
    return {};
}

std::optional<FtpFaults::Reply> FtpWorker::take_reply(const std::string& verb) {
    std::scoped_lock lock(owner_.mutex_);
    auto& armed = owner_.faults_.replies;
    for (auto at = armed.begin(); at != armed.end(); ++at) {
        if (at->command.empty() || at->command == verb) {
            auto found = *at;
            if (--at->count == 0) {
                armed.erase(at);
            }
            return found;
        }
    }
    return std::nullopt;
}

/// The verdicts that are made up on command: nothing of the operation reaches the server.
std::optional<FtpResult> FtpWorker::armed_fault(const Request& request) {
    static const std::map<Kind, std::string> verbs = {
        {Kind::login, "PASS"}, {Kind::logout, "QUIT"}, {Kind::rename, "RNFR"},
        {Kind::size, "SIZE"},  {Kind::list, "LIST"},   {Kind::retrieve, "RETR"}};
    auto verb = request.kind == Kind::command ? verb_of(request.first)
                : request.kind == Kind::store ? (request.transfer.append ? "APPE" : "STOR")
                                              : verbs.at(request.kind);
    if (request.kind == Kind::login) {
        std::scoped_lock lock(owner_.mutex_);
        for (auto [left, cause] : {std::pair{&owner_.faults_.dns, FtpResult::Cause::dns},
                                   std::pair{&owner_.faults_.connect, FtpResult::Cause::connect}}) {
            if (*left > 0) {
                --*left;
                return FtpResult{cause, 0, "fault on command"};
            }
        }
    }
    bool transfer =
        request.kind == Kind::list || request.kind == Kind::retrieve || request.kind == Kind::store;
    {
        // A reply that ends a transfer is used up in verdict().
        std::scoped_lock lock(owner_.mutex_);
        const auto& armed = owner_.faults_.replies;
        bool later = transfer && std::any_of(armed.begin(), armed.end(), [&](const auto& reply) {
                         return ends_transfer(reply.code) &&
                                (reply.command.empty() || reply.command == verb);
                     });
        if (later) {
            return std::nullopt;
        }
    }
    auto armed = take_reply(verb);
    if (!armed) {
        return std::nullopt;
    }
    trace(FtpTrace::Kind::command, verb);
    charge_round_trip();
    heard(fmt::format("{} fault on command\r\n", armed->code));
    if (armed->code == 421) {
        lose_control();
        return FtpResult{FtpResult::Cause::lost, armed->code, reply_.text};
    }
    return FtpResult{FtpResult::Cause::refused, armed->code, reply_.text};
}

void FtpWorker::lose_control() {
    std::scoped_lock lock(owner_.mutex_);
    if (owner_.control_fd_ >= 0) {
        shutdown(owner_.control_fd_, SHUT_RDWR);
    }
}

void FtpWorker::prepare(const Request& request) {
    curl_easy_reset(easy_);
    curl_slist_free_all(before_);
    curl_slist_free_all(at_data_);
    before_ = nullptr;
    at_data_ = nullptr;
    auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, &FtpWorker::debug);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_WRITEFUNCTION, &FtpWorker::write_function);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_READFUNCTION, &FtpWorker::read_function);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &FtpWorker::open_function);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, &FtpWorker::close_function);
    set(CURLOPT_CLOSESOCKETDATA, this);
    set(CURLOPT_SOCKOPTFUNCTION, &FtpWorker::option_function);
    set(CURLOPT_SOCKOPTDATA, this);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_NOCWD));
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_FTP_USE_EPSV, 0L);
    set(CURLOPT_FTP_USE_EPRT, 0L);
    // No SIZE before RETR, no second guess of what the server sends.
    set(CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
    set(CURLOPT_MAXAGE_CONN, 86400L);
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(owner_.settings_.patience.count()));
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(owner_.settings_.patience.count()));
    set(CURLOPT_USERNAME, login_.user.c_str());
    set(CURLOPT_PASSWORD, login_.password.c_str());
    if (!login_.account.empty()) {
        set(CURLOPT_FTP_ACCOUNT, login_.account.c_str());
    }
    if (login_.tls) {
        set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
        // Modules of this generation speak TLS 1.2. With 1.3 the server's session tickets lie
        // unread when an upload closes its data connection, which then ends in a reset.
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_2));
        set(CURLOPT_SSL_VERIFYPEER, 0L);
        set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (request.active) {
        auto where =
            request.data_port == 0 ? std::string("-") : fmt::format("-:{}", request.data_port);
        set(CURLOPT_FTPPORT, where.c_str());
    }
    set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_URL, base_url_.c_str());
}

FtpResult FtpWorker::log_in(const Request& request) {
    login_ = request.login;
    auto server = owner_.settings_.server.empty()
                      ? fmt::format("{}:{}", request.login.host, request.login.port)
                      : owner_.settings_.server;
    base_url_ = fmt::format("ftp://{}/", server);
    logging_in_ = true;
    greeted_ = false;
    binary_ = false;
    lose_control();
    prepare(request);
    curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
    if (request.login.source_port != 0) {
        curl_easy_setopt(easy_, CURLOPT_LOCALPORT, static_cast<long>(request.login.source_port));
    }
    auto result = verdict(perform());
    logging_in_ = false;
    return result;
}

FtpResult FtpWorker::log_out() {
    {
        std::scoped_lock lock(owner_.mutex_);
        if (owner_.control_fd_ < 0) {
            return {FtpResult::Cause::lost, 0, ""};
        }
    }
    // libcurl says QUIT by itself when it closes a connection that is not to be used again; the
    // operation before that is nothing.
    Request nothing;
    prepare(nothing);
    curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
    auto result = verdict(perform());
    result.cause = FtpResult::Cause::none;
    return result;
}

FtpResult FtpWorker::quote(const std::string& line) {
    before_ = curl_slist_append(before_, ("*" + line).c_str());
    curl_easy_setopt(easy_, CURLOPT_QUOTE, before_);
    return verdict(perform());
}

FtpResult FtpWorker::rename(const Request& request) {
    prepare(request);
    auto first = quote("RNFR " + request.first);
    if (!first.ok()) {
        return first;
    }
    if (auto armed = take_reply("RNTO")) {
        heard(fmt::format("{} fault on command\r\n", armed->code));
        return {FtpResult::Cause::refused, armed->code, reply_.text};
    }
    prepare(request);
    return quote("RNTO " + request.second);
}

FtpResult FtpWorker::size(const Request& request) {
    if (!binary_) {
        prepare(request);
        auto typed = quote("TYPE I");
        if (!typed.ok()) {
            return typed;
        }
    }
    prepare(request);
    return quote("SIZE " + request.first);
}

FtpResult FtpWorker::transfer(const Request& request) {
    const auto& transfer = request.transfer;
    bool list = request.kind == Kind::list;
    bool store = request.kind == Kind::store;
    if (!list && (transfer.path.empty() || transfer.path.back() == '/')) {
        // Such a URL would make libcurl list a directory.
        return {FtpResult::Cause::refused, 550, "550 not a file name"};
    }
    {
        std::scoped_lock lock(owner_.mutex_);
        owner_.capacity_ = list ? 65536 : transfer.capacity;
        if (!store) {
            owner_.down_.clear();
        }
    }
    prepare(request);
    // A trailing slash (after the path's own) makes it LIST; libcurl cuts it off again.
    auto path = url_path(transfer.path);
    auto url = base_url_ + (list && !path.empty() ? path + "/" : path);
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy_, CURLOPT_TRANSFERTEXT, transfer.ascii ? 1L : 0L);
    if (transfer.offset != 0) {
        at_data_ = curl_slist_append(at_data_, fmt::format("REST {}", transfer.offset).c_str());
        curl_easy_setopt(easy_, CURLOPT_PREQUOTE, at_data_);
    }
    if (store) {
        curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(-1));
        curl_easy_setopt(easy_, CURLOPT_APPEND, transfer.append ? 1L : 0L);
    }
    auto result = verdict(perform());
    if (cut_ && result.ok()) {
        result = {FtpResult::Cause::data, result.code, result.text};
    }
    std::string verb = list ? "LIST" : store ? (transfer.append ? "APPE" : "STOR") : "RETR";
    if (result.ok()) {
        if (auto armed = take_reply(verb)) {
            heard(fmt::format("{} fault on command\r\n", armed->code));
            result = {FtpResult::Cause::refused, armed->code, reply_.text};
        }
    }
    return result;
}

CURLcode FtpWorker::perform() {
    curl_multi_add_handle(multi_, easy_);
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    while (true) {
        int running = 0;
        curl_multi_perform(multi_, &running);
        int left = 0;
        while (auto* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg == CURLMSG_DONE) {
                result = message->data.result;
                running = 0;
            }
        }
        if (running == 0) {
            break;
        }
        {
            std::scoped_lock lock(owner_.mutex_);
            if (owner_.aborting_ || deaf_) {
                break;
            }
        }
        curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    curl_multi_remove_handle(multi_, easy_);
    return result;
}

FtpResult FtpWorker::verdict(CURLcode code) {
    using Cause = FtpResult::Cause;
    bool control = false;
    bool aborted = false;
    bool broken = false;
    {
        std::scoped_lock lock(owner_.mutex_);
        control = owner_.control_fd_ >= 0;
        aborted = owner_.aborting_;
        broken = owner_.breaking_;
    }
    auto result = reply_;
    trace(FtpTrace::Kind::remark,
          code == CURLE_OK ? "done" : fmt::format("ended: {}", curl_easy_strerror(code)));
    if (aborted || (broken && !deaf_)) {
        result.cause = Cause::aborted;
    } else if (deaf_) {
        result.cause = logging_in_ && !greeted_ ? Cause::connect : Cause::lost;
    } else if (code == CURLE_COULDNT_RESOLVE_HOST) {
        result.cause = Cause::dns;
    } else if (logging_in_ && !greeted_) {
        result.cause = Cause::connect;
    } else if (result.code >= 400) {
        result.cause = ends_transfer(result.code) && moved_ > 0 ? Cause::data : Cause::refused;
    } else if (code != CURLE_OK) {
        result.cause = control ? Cause::data : Cause::lost;
    }
    return result;
}

}  // namespace emulator
