// SPDX-License-Identifier: MIT
#include "modem/result.hpp"

#include <array>
#include <cstddef>

namespace modem {

namespace {

struct Name {
    Errc code;
    std::string_view text;
};

// In the order of the enum, which is checked below.
constexpr auto names = std::to_array<Name>({
    {Errc::cancelled, "cancelled"},
    {Errc::gave_way, "gave_way"},
    {Errc::shutting_down, "shutting_down"},
    {Errc::line_lost, "line_lost"},
    {Errc::timed_out, "timed_out"},
    {Errc::garbled, "garbled"},
    {Errc::module_restarted, "module_restarted"},
    {Errc::refused, "refused"},
    {Errc::not_supported, "not_supported"},
    {Errc::link_down, "link_down"},
    {Errc::sim_missing, "sim_missing"},
    {Errc::pin_required, "pin_required"},
    {Errc::no_service, "no_service"},
    {Errc::bearer_lost, "bearer_lost"},
    {Errc::dns_failed, "dns_failed"},
    {Errc::connect_failed, "connect_failed"},
    {Errc::module_memory, "module_memory"},
    {Errc::session_lost, "session_lost"},
    {Errc::login_refused, "login_refused"},
    {Errc::data_connection, "data_connection"},
    {Errc::server_busy, "server_busy"},
    {Errc::not_found, "not_found"},
    {Errc::permission, "permission"},
    {Errc::exists, "exists"},
    {Errc::not_empty, "not_empty"},
    {Errc::is_directory, "is_directory"},
    {Errc::not_directory, "not_directory"},
    {Errc::no_space, "no_space"},
    {Errc::rejected, "rejected"},
    {Errc::size_mismatch, "size_mismatch"},
    {Errc::changed, "changed"},
    {Errc::invalid_name, "invalid_name"},
    {Errc::name_too_long, "name_too_long"},
    {Errc::not_representable, "not_representable"},
    {Errc::local_io, "local_io"},
    {Errc::local_no_space, "local_no_space"},
    {Errc::invalid_argument, "invalid_argument"},
    {Errc::too_large, "too_large"},
    {Errc::read_only, "read_only"},
    {Errc::cross_device, "cross_device"},
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (static_cast<std::size_t>(names[i].code) != i) {
            return false;
        }
    }
    return true;
}
static_assert(in_order());

}  // namespace

std::string_view name(Errc code) {
    const auto index = static_cast<std::size_t>(code);
    return index < names.size() ? names[index].text : "unknown";
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
