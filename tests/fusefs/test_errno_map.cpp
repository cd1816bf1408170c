// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>

#include "fusefs/errno_map.hpp"

namespace fusefs {
namespace {

using modem::Errc;

struct Row {
    Errc code;
    int expected;
};

constexpr Row table[] = {
    {Errc::cancelled, EINTR},
    {Errc::gave_way, EIO},
    {Errc::shutting_down, ENODEV},
    {Errc::line_lost, ENODEV},
    {Errc::timed_out, ETIMEDOUT},
    {Errc::garbled, EIO},
    {Errc::module_restarted, EIO},
    {Errc::refused, EIO},
    {Errc::not_supported, ENOTSUP},
    {Errc::link_down, EHOSTUNREACH},
    {Errc::sim_missing, EHOSTUNREACH},
    {Errc::pin_required, EHOSTUNREACH},
    {Errc::no_service, EHOSTUNREACH},
    {Errc::bearer_lost, EHOSTUNREACH},
    {Errc::dns_failed, EHOSTUNREACH},
    {Errc::connect_failed, EHOSTUNREACH},
    {Errc::module_memory, ENOMEM},
    {Errc::session_lost, EIO},
    {Errc::login_refused, EACCES},
    {Errc::data_connection, EIO},
    {Errc::server_busy, EIO},
    {Errc::not_found, ENOENT},
    {Errc::permission, EACCES},
    {Errc::exists, EEXIST},
    {Errc::not_empty, ENOTEMPTY},
    {Errc::is_directory, EISDIR},
    {Errc::not_directory, ENOTDIR},
    {Errc::no_space, ENOSPC},
    {Errc::rejected, EACCES},
    {Errc::size_mismatch, EIO},
    {Errc::changed, ESTALE},
    {Errc::invalid_name, EINVAL},
    {Errc::name_too_long, ENAMETOOLONG},
    {Errc::not_representable, EILSEQ},
    {Errc::local_io, EIO},
    {Errc::local_no_space, ENOSPC},
    {Errc::invalid_argument, EINVAL},
    {Errc::too_large, EFBIG},
    {Errc::read_only, EROFS},
    {Errc::cross_device, EXDEV},
};

TEST(ErrnoMap, SaysWhatTheManualPageSays) {
    for (const auto& row : table) {
        EXPECT_EQ(to_errno(row.code), row.expected) << modem::name(row.code);
    }
}

TEST(ErrnoMap, TableLeavesNoCodeOut) {
    // The codes are numbered without gaps and cross_device is the last one.
    EXPECT_EQ(std::size(table), static_cast<std::size_t>(Errc::cross_device) + 1);
    for (std::size_t i = 0; i < std::size(table); ++i) {
        EXPECT_EQ(static_cast<std::size_t>(table[i].code), i);
    }
}

}  // namespace
}  // namespace fusefs
