// SPDX-License-Identifier: MIT
#include "fusefs/errno_map.hpp"

#include <cerrno>

namespace fusefs {

using modem::Errc;

int to_errno(Errc code) {
    switch (code) {
        case Errc::cancelled:
            return EINTR;
        case Errc::line_lost:
        case Errc::shutting_down:
            return ENODEV;
        case Errc::timed_out:
            return ETIMEDOUT;
        case Errc::link_down:
        case Errc::sim_missing:
        case Errc::pin_required:
        case Errc::no_service:
        case Errc::bearer_lost:
        case Errc::dns_failed:
        case Errc::connect_failed:
            return EHOSTUNREACH;
        case Errc::module_memory:
            return ENOMEM;
        case Errc::not_supported:
            return ENOTSUP;
        case Errc::not_found:
            return ENOENT;
        case Errc::login_refused:
        case Errc::permission:
        case Errc::rejected:  // 550 without words, after the listing had no better explanation
            return EACCES;
        case Errc::exists:
            return EEXIST;
        case Errc::not_empty:
            return ENOTEMPTY;
        case Errc::is_directory:
            return EISDIR;
        case Errc::not_directory:
            return ENOTDIR;
        case Errc::no_space:
        case Errc::local_no_space:
            return ENOSPC;
        case Errc::changed:
            return ESTALE;
        case Errc::invalid_name:
        case Errc::invalid_argument:
            return EINVAL;
        case Errc::name_too_long:
            return ENAMETOOLONG;
        case Errc::not_representable:
            return EILSEQ;
        case Errc::too_large:
            return EFBIG;
        case Errc::read_only:
            return EROFS;
        case Errc::cross_device:
            return EXDEV;
        case Errc::gave_way:
        case Errc::garbled:
        case Errc::module_restarted:
        case Errc::refused:
        case Errc::session_lost:
        case Errc::data_connection:
        case Errc::server_busy:
        case Errc::size_mismatch:
        case Errc::local_io:
            return EIO;
    }
    return EIO;
}

}  // namespace fusefs
