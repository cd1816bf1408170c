// SPDX-License-Identifier: MIT
#include "modem/ftp/dialect.hpp"

namespace modem {
namespace {

// What a family cannot do is said by its capabilities; these answers are for a caller that asks
// all the same.
tl::unexpected<Error> absent(std::string_view operation) {
    return fail(Errc::not_supported, std::string("this module cannot ") + std::string(operation));
}

}  // namespace

Result<void> Dialect::list(const RemotePath&, ListOptions, const TextConsumer&) {
    return absent("list a directory");
}

Result<Stat> Dialect::stat(const RemotePath&) {
    return absent("ask for the size of a file");
}

Result<void> Dialect::retrieve(const RemotePath&, Transfer&) {
    return absent("download");
}

Result<std::optional<std::uint64_t>> Dialect::store(const RemotePath&, Transfer&) {
    return absent("upload");
}

Result<void> Dialect::remove(const RemotePath&) {
    return absent("delete a file");
}

Result<void> Dialect::make_directory(const RemotePath&) {
    return absent("make a directory");
}

Result<void> Dialect::remove_directory(const RemotePath&) {
    return absent("remove a directory");
}

Result<void> Dialect::rename(const RemotePath&, const RemotePath&) {
    return absent("rename");
}

Result<void> Dialect::soft_reset() {
    // 3GPP TS 27.007 section 8.2: full functionality after a reset.
    CHECK(channel_.command("AT+CFUN=1,1", milliseconds(10'000)));
    return {};
}

}  // namespace modem
