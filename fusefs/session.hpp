// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "config/config.hpp"
#include "fusefs/volume.hpp"
#include "modem/result.hpp"

namespace fusefs {

/// The FUSE mount: one fuse_session on libfuse's low-level API whose descriptor the owner's event
/// loop watches. Main thread.
class Session {
public:
    /// Mounts at config.mount.path as `fuse.modemftp`; a dead predecessor's mount there is
    /// unmounted lazily first. Errors: local_io with words on what to do.
    static modem::Result<std::unique_ptr<Session>> mount(Volume& volume,
                                                         const config::Config& config);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();  ///< unmount()

    [[nodiscard]] int fd() const;  ///< non-blocking; readable when a request waits
    /// Handles waiting requests, a bounded number; false when the file system was unmounted.
    bool process();
    /// Answers requests that still wait with ENODEV/EINTR and unmounts; lazily when busy.
    void unmount();
    [[nodiscard]] bool was_busy() const;  ///< unmount() had to be lazy

private:
    struct Body;
    explicit Session(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

}  // namespace fusefs
