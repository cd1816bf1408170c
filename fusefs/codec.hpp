// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fusefs {

/// Writes a compact record: a magic word that carries kind and version, numbers as
/// variable-length integers, strings with their length, and a checksum at the end.
class Encoder {
public:
    explicit Encoder(std::string_view magic) : bytes_(magic) {}
    void number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void text(std::string_view value);
    [[nodiscard]] std::string finish() &&;

private:
    std::string bytes_;
};

/// Reads what Encoder wrote. Wrong magic, checksum or length make it failed(), after which every
/// value is 0 or empty: a loop over a count must ask.
class Decoder {
public:
    Decoder(std::string_view magic, std::string_view bytes);
    std::uint64_t number();
    std::int64_t signed_number();
    std::string_view text();  ///< part of the bytes given
    [[nodiscard]] bool failed() const { return failed_; }
    /// True when all was read and nothing is left over.
    [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }
    /// For loops over a count that was read: no record is shorter than a byte.
    [[nodiscard]] std::size_t left() const { return rest_.size(); }

private:
    void give_up();
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace fusefs
