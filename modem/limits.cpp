// SPDX-License-Identifier: MIT
#include "modem/limits.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace modem {
namespace {

Result<void> need(bool can, const char* operation) {
    if (!can) {
        return fail(Errc::not_supported, fmt::format("this module cannot {}", operation));
    }
    return {};
}

Result<void> check_path(const RemotePath& path, const Capabilities& can) {
    const std::string& text = path.text();
    if (can.max_path != 0 && text.size() > can.max_path) {
        return fail(Errc::name_too_long,
                    fmt::format("the remote path has {} bytes, this module takes {}", text.size(),
                                can.max_path));
    }
    if (path.name().size() > can.max_name) {
        return fail(Errc::name_too_long, fmt::format("the name has {} bytes, this module takes {}",
                                                     path.name().size(), can.max_name));
    }
    if (!can.eight_bit_names &&
        std::any_of(text.begin(), text.end(), [](char byte) { return (byte & 0x80) != 0; })) {
        return fail(Errc::not_representable, "this module takes names of plain ASCII only");
    }
    return {};
}

Result<void> check_offset(std::uint64_t offset, const Capabilities& can) {
    if (offset > can.max_offset) {
        return fail(Errc::not_supported,
                    fmt::format("this module cannot start a transfer at byte {}, only up to {}",
                                offset, can.max_offset));
    }
    return {};
}

struct Check {
    const Capabilities& can;

    Result<void> operator()(const ListRequest& r) const {
        CHECK(need(can.list, "list a directory"));
        return check_path(r.directory, can);
    }
    Result<void> operator()(const StatRequest& r) const {
        CHECK(need(can.size || can.time, "ask for the size of a file"));
        return check_path(r.file, can);
    }
    Result<void> operator()(const RetrieveRequest& r) const {
        CHECK(need(can.retrieve_stream || can.retrieve_paced, "download"));
        if (r.offset > 0) {
            CHECK(need(can.retrieve_offset, "download from an offset"));
            CHECK(check_offset(r.offset, can));
        }
        return check_path(r.file, can);
    }
    Result<void> operator()(const StoreRequest& r) const {
        CHECK(need(can.store && (can.store_stream || can.store_paced), "upload"));
        if (r.mode == StoreMode::append) {
            CHECK(need(can.append, "append to a file"));
        }
        if (r.mode == StoreMode::at_offset) {
            CHECK(need(can.store_offset, "store at an offset"));
            CHECK(check_offset(r.offset, can));
        }
        if (r.length > can.max_size) {
            return fail(Errc::not_supported,
                        fmt::format("this module uploads {} bytes at most, the file has {}",
                                    can.max_size, r.length));
        }
        return check_path(r.file, can);
    }
    Result<void> operator()(const RemoveRequest& r) const {
        CHECK(need(can.remove, "delete a file"));
        return check_path(r.file, can);
    }
    Result<void> operator()(const MakeDirectoryRequest& r) const {
        CHECK(need(can.make_directory, "make a directory"));
        return check_path(r.directory, can);
    }
    Result<void> operator()(const RemoveDirectoryRequest& r) const {
        CHECK(need(can.remove_directory, "remove a directory"));
        return check_path(r.directory, can);
    }
    Result<void> operator()(const RenameRequest& r) const {
        CHECK(need(can.rename, "rename"));
        CHECK(check_path(r.from, can));
        return check_path(r.to, can);
    }
};

}  // namespace

Result<void> check_limits(const Request& request, const Capabilities& capabilities) {
    return std::visit(Check{capabilities}, request);
}

}  // namespace modem
