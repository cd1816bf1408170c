// SPDX-License-Identifier: MIT
#include "fusefs/codec.hpp"

namespace fusefs {

namespace {

constexpr std::size_t checksum_size = 8;

/// FNV-1a, 64 bits: finds damage, not malice (the files are ours alone).
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = 0xcbf29ce484222325U;
    for (const char byte : bytes) {
        sum ^= static_cast<unsigned char>(byte);
        sum *= 0x100000001b3U;
    }
    return sum;
}

}  // namespace

void Encoder::number(std::uint64_t value) {
    while (value >= 0x80) {
        bytes_ += static_cast<char>(0x80U | (value & 0x7fU));
        value >>= 7U;
    }
    bytes_ += static_cast<char>(value);
}

void Encoder::signed_number(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value) << 1U;
    number(value < 0 ? ~bits : bits);
}

void Encoder::text(std::string_view value) {
    number(value.size());
    bytes_ += value;
}

std::string Encoder::finish() && {
    auto sum = checksum(bytes_);
    for (std::size_t i = 0; i < checksum_size; ++i, sum >>= 8U) {
        bytes_ += static_cast<char>(sum & 0xffU);
    }
    return std::move(bytes_);
}

Decoder::Decoder(std::string_view magic, std::string_view bytes) {
    if (bytes.size() < magic.size() + checksum_size || !bytes.starts_with(magic)) {
        give_up();
        return;
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < checksum_size; ++i) {
        sum = sum << 8U | static_cast<unsigned char>(bytes[bytes.size() - 1 - i]);
    }
    bytes.remove_suffix(checksum_size);
    if (sum != checksum(bytes)) {
        give_up();
        return;
    }
    rest_ = bytes.substr(magic.size());
}

void Decoder::give_up() {
    failed_ = true;
    rest_ = {};
}

std::uint64_t Decoder::number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    give_up();
    return 0;
}

std::int64_t Decoder::signed_number() {
    const auto bits = number();
    return static_cast<std::int64_t>((bits & 1U) != 0 ? ~(bits >> 1U) : bits >> 1U);
}

std::string_view Decoder::text() {
    const auto size = number();
    if (size > rest_.size()) {
        give_up();
        return {};
    }
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
}

}  // namespace fusefs
