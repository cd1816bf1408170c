// SPDX-License-Identifier: MIT
#include "fusefs/capabilities_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace fusefs {

using modem::Capabilities;

namespace {

struct Flag {
    std::string_view name;
    bool Capabilities::* member;
};
struct Number {
    std::string_view name;
    std::uint64_t Capabilities::* member;
};
struct Length {
    std::string_view name;
    std::size_t Capabilities::* member;
};

constexpr std::array flags{
    Flag{"list", &Capabilities::list},
    Flag{"list_hidden_option", &Capabilities::list_hidden_option},
    Flag{"size", &Capabilities::size},
    Flag{"time", &Capabilities::time},
    Flag{"retrieve_offset", &Capabilities::retrieve_offset},
    Flag{"store", &Capabilities::store},
    Flag{"store_offset", &Capabilities::store_offset},
    Flag{"append", &Capabilities::append},
    Flag{"remove", &Capabilities::remove},
    Flag{"make_directory", &Capabilities::make_directory},
    Flag{"remove_directory", &Capabilities::remove_directory},
    Flag{"rename", &Capabilities::rename},
    Flag{"unknown_names_askable", &Capabilities::unknown_names_askable},
    Flag{"retrieve_stream", &Capabilities::retrieve_stream},
    Flag{"retrieve_paced", &Capabilities::retrieve_paced},
    Flag{"store_stream", &Capabilities::store_stream},
    Flag{"store_paced", &Capabilities::store_paced},
    Flag{"break_off_stream", &Capabilities::break_off_stream},
    Flag{"break_off_paced", &Capabilities::break_off_paced},
    Flag{"break_off_ends_session", &Capabilities::break_off_ends_session},
    Flag{"xon_xoff", &Capabilities::xon_xoff},
    Flag{"eight_bit_names", &Capabilities::eight_bit_names},
    Flag{"host_names", &Capabilities::host_names},
    Flag{"ftps", &Capabilities::ftps},
    Flag{"sftp", &Capabilities::sftp},
};
constexpr std::array lengths{
    Length{"max_name", &Capabilities::max_name},
    Length{"max_path", &Capabilities::max_path},
};
constexpr std::array numbers{
    Number{"max_offset", &Capabilities::max_offset},
    Number{"max_size", &Capabilities::max_size},
};

template <typename Table>
auto find(const Table& table, std::string_view name) {
    return std::find_if(table.begin(), table.end(),
                        [name](const auto& row) { return row.name == name; });
}

bool set_number(Capabilities& capabilities, std::string_view name, std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return false;
    }
    if (const auto length = find(lengths, name); length != lengths.end()) {
        capabilities.*length->member = static_cast<std::size_t>(value);
        return true;
    }
    const auto number = find(numbers, name);
    if (number == numbers.end()) {
        return false;
    }
    capabilities.*number->member = value;
    return true;
}

}  // namespace

std::string to_text(const Capabilities& capabilities) {
    std::string text;
    for (const auto& flag : flags) {
        if (capabilities.*flag.member) {
            text.append(flag.name).append(" ");
        }
    }
    for (const auto& length : lengths) {
        text.append(length.name).append("=");
        text.append(std::to_string(capabilities.*length.member)).append(" ");
    }
    for (const auto& number : numbers) {
        text.append(number.name).append("=");
        text.append(std::to_string(capabilities.*number.member)).append(" ");
    }
    text.pop_back();
    return text;
}

std::optional<Capabilities> capabilities_from_text(std::string_view text) {
    Capabilities capabilities;
    for (const auto& flag : flags) {
        capabilities.*flag.member = false;
    }
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto equals = word.find('=');
        if (equals != std::string_view::npos) {
            if (!set_number(capabilities, word.substr(0, equals), word.substr(equals + 1))) {
                return {};
            }
            continue;
        }
        const auto flag = find(flags, word);
        if (flag == flags.end()) {
            return {};
        }
        capabilities.*flag->member = true;
    }
    return capabilities;
}

}  // namespace fusefs
