// SPDX-License-Identifier: MIT
#include "modem/interrupt.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace modem {

Interrupt::Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) {
        std::abort();  // out of descriptors at start-up: nothing could ever be cancelled
    }
}

void Interrupt::raise() const {
    const std::uint64_t one = 1;
    // EAGAIN means the counter is at its limit: raised already.
    while (::write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void Interrupt::clear() const {
    std::uint64_t value = 0;
    // EAGAIN means that it was not raised.
    while (::read(fd_.get(), &value, sizeof value) < 0 && errno == EINTR) {
    }
}

}  // namespace modem
