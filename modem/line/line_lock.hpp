// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "modem/result.hpp"

namespace modem {

/// The lock file by which serial programs keep out of each other's way (LCK..ttyUSB2 with the
/// owner's pid, as of the Filesystem Hierarchy Standard section 5.9). Removed on destruction.
class LineLock {
public:
    /// `path` is the real device ("/dev/ttyUSB2"). A lock whose owner is dead is taken over.
    /// Errors: line_lost, with the owner's name, when a living process holds it. A directory that
    /// cannot be written is no error: see note().
    static Result<LineLock> take(const std::string& path, const std::string& lock_dir);

    LineLock() = default;
    LineLock(LineLock&& other) noexcept;
    LineLock& operator=(LineLock&& other) noexcept;
    LineLock(const LineLock&) = delete;
    LineLock& operator=(const LineLock&) = delete;
    ~LineLock();

    /// Why there is no lock file; empty when there is one.
    [[nodiscard]] const std::string& note() const { return note_; }

private:
    void release();
    std::string file_;
    std::string note_;
};

/// Takes the open device itself: flock() for those who ask, TIOCEXCL for those who only open.
/// Errors: line_lost, with the holder's name when /proc tells it.
Result<void> take_exclusively(int fd, const std::string& path);

/// "minicom (pid 123)": who has the device open, beside the `own` descriptors the caller knows of;
/// empty when nobody is to be seen.
[[nodiscard]] std::string find_holder(const std::string& path, int own);

/// The error for a device that somebody else has.
[[nodiscard]] Error in_use(const std::string& path, const std::string& holder);

}  // namespace modem
