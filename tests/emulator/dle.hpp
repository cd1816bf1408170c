// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace emulator {

constexpr char dle = 0x10;
constexpr char etx = 0x03;

/// Payload for a stream that ends with ETX: a DLE before each DLE and ETX.
std::string dle_escape(std::string_view bytes);

/// The other way, as the bytes come.
class DleDecoder {
public:
    /// Appends the payload to `plain`; the number of bytes used up when the ETX was among them.
    std::optional<std::size_t> decode(std::string_view bytes, std::string& plain);

private:
    bool escaped_ = false;
};

}  // namespace emulator
