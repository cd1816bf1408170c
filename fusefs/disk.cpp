// SPDX-License-Identifier: MIT
#include "fusefs/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "fusefs/local_file.hpp"
#include "modem/fd.hpp"

namespace fusefs {

using modem::Errc;
using modem::Error;
using modem::fail;
using modem::Result;

bool is_full(int error_number) {
    return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

Error local_error(const std::filesystem::path& path, std::string_view doing, int error_number) {
    const auto words = std::error_code(error_number, std::generic_category()).message();
    if (is_full(error_number)) {
        return {Errc::local_no_space, error_number,
                fmt::format("{}: no room while {}: {}; make room in {}", path.string(), doing,
                            words, path.parent_path().string())};
    }
    return {Errc::local_io, error_number,
            fmt::format("{}: failed while {}: {}", path.string(), doing, words)};
}

Result<void> sync_directory(const std::filesystem::path& directory) {
    const auto& name = directory.empty() ? std::filesystem::path(".") : directory;
    const modem::Fd fd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) < 0) {
        return fail(local_error(name, "making the directory durable", errno));
    }
    return {};
}

Result<void> make_private_directory(const std::filesystem::path& directory) {
    std::error_code error;
    if (std::filesystem::is_directory(directory, error)) {
        return {};
    }
    if (directory.has_parent_path() && directory.parent_path() != directory) {
        CHECK(make_private_directory(directory.parent_path()));
    }
    if (::mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST) {
        return fail(local_error(directory, "creating the directory", errno));
    }
    return sync_directory(directory.parent_path());
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view content) {
    auto temporary = path;
    temporary += ".tmp";
    ::unlink(temporary.c_str());
    TRY(const auto file, LocalFile::create(temporary));
    auto written = file->write(0, content);
    if (written && ::fsync(file->fd()) < 0) {
        written = fail(local_error(temporary, "making it durable", errno));
    }
    if (written && ::rename(temporary.c_str(), path.c_str()) < 0) {
        written = fail(local_error(path, "putting it in place", errno));
    }
    if (!written) {
        file->remove();
        return written;
    }
    return sync_directory(path.parent_path());
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
    const modem::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    if (!fd) {
        return fail(local_error(path, "opening it", errno));
    }
    std::string content;
    std::array<char, 4096> buffer;
    while (true) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(local_error(path, "reading it", errno));
        }
        if (got == 0) {
            return content;
        }
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail(Errc::too_large,
                        fmt::format("{}: larger than the {} bytes that such a file can have",
                                    path.string(), limit));
        }
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace fusefs
