// SPDX-License-Identifier: MIT
#include "tests/emulator/dle.hpp"

#include <utility>

namespace emulator {

std::string dle_escape(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (char c : bytes) {
        if (c == dle || c == etx) {
            out += dle;
        }
        out += c;
    }
    return out;
}

std::optional<std::size_t> DleDecoder::decode(std::string_view bytes, std::string& plain) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        char c = bytes[at];
        bool literal = std::exchange(escaped_, false);
        if (!literal && c == etx) {
            return at + 1;
        }
        escaped_ = !literal && c == dle;
        if (!escaped_) {
            plain += c;
        }
    }
    return std::nullopt;
}

}  // namespace emulator
