// SPDX-License-Identifier: MIT
#include "modem/result.hpp"

namespace modem {

std::string_view name(Errc code) {
    switch (code) {
        case Errc::cancelled:
            return "cancelled";
        case Errc::gave_way:
            return "gave_way";
        case Errc::shutting_down:
            return "shutting_down";
        case Errc::line_lost:
            return "line_lost";
        case Errc::timed_out:
            return "timed_out";
        case Errc::garbled:
            return "garbled";
        case Errc::module_restarted:
            return "module_restarted";
        case Errc::refused:
            return "refused";
        case Errc::not_supported:
            return "not_supported";
        case Errc::link_down:
            return "link_down";
        case Errc::sim_missing:
            return "sim_missing";
        case Errc::pin_required:
            return "pin_required";
        case Errc::no_service:
            return "no_service";
        case Errc::bearer_lost:
            return "bearer_lost";
        case Errc::dns_failed:
            return "dns_failed";
        case Errc::connect_failed:
            return "connect_failed";
        case Errc::module_memory:
            return "module_memory";
        case Errc::session_lost:
            return "session_lost";
        case Errc::login_refused:
            return "login_refused";
        case Errc::data_connection:
            return "data_connection";
        case Errc::server_busy:
            return "server_busy";
        case Errc::not_found:
            return "not_found";
        case Errc::permission:
            return "permission";
        case Errc::exists:
            return "exists";
        case Errc::not_empty:
            return "not_empty";
        case Errc::is_directory:
            return "is_directory";
        case Errc::not_directory:
            return "not_directory";
        case Errc::no_space:
            return "no_space";
        case Errc::rejected:
            return "rejected";
        case Errc::size_mismatch:
            return "size_mismatch";
        case Errc::changed:
            return "changed";
        case Errc::invalid_name:
            return "invalid_name";
        case Errc::name_too_long:
            return "name_too_long";
        case Errc::not_representable:
            return "not_representable";
        case Errc::local_io:
            return "local_io";
        case Errc::local_no_space:
            return "local_no_space";
        case Errc::invalid_argument:
            return "invalid_argument";
        case Errc::too_large:
            return "too_large";
        case Errc::read_only:
            return "read_only";
        case Errc::cross_device:
            return "cross_device";
    }
    return "unknown";
}

bool is_transient(Errc code) {
    switch (code) {
        // Ours: whoever was waiting went away, the bytes still have to go.
        case Errc::cancelled:
        case Errc::gave_way:
        case Errc::shutting_down:
        // The link: it is brought up again without anybody's help.
        case Errc::line_lost:
        case Errc::timed_out:
        case Errc::garbled:
        case Errc::module_restarted:
        case Errc::link_down:
        case Errc::sim_missing:
        case Errc::no_service:
        case Errc::bearer_lost:
        case Errc::dns_failed:
        case Errc::connect_failed:
        case Errc::module_memory:
        // The server, for now.
        case Errc::session_lost:
        case Errc::data_connection:
        case Errc::server_busy:
        case Errc::no_space:
        case Errc::size_mismatch:
            return true;

        case Errc::refused:
        case Errc::not_supported:
        case Errc::pin_required:
        case Errc::login_refused:
        case Errc::not_found:
        case Errc::permission:
        case Errc::exists:
        case Errc::not_empty:
        case Errc::is_directory:
        case Errc::not_directory:
        case Errc::rejected:
        case Errc::changed:
        case Errc::invalid_name:
        case Errc::name_too_long:
        case Errc::not_representable:
        case Errc::local_io:
        case Errc::local_no_space:
        case Errc::invalid_argument:
        case Errc::too_large:
        case Errc::read_only:
        case Errc::cross_device:
            return false;
    }
    return false;
}

bool is_transient(const Error& error) {
    constexpr int quota_exceeded = 552;  // no_space as well, but for good (RFC 959)
    return error.number != quota_exceeded && is_transient(error.code);
}

}  // namespace modem
