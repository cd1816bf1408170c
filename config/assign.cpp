// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "config/keys.hpp"

namespace config {
namespace {

/// The words of an enumeration, in its order.
std::span<const std::string_view> words(FlowControl /*unused*/) {
    static constexpr std::string_view list[] = {"none", "rts-cts", "xon-xoff"};
    return list;
}
std::span<const std::string_view> words(TransferWay /*unused*/) {
    static constexpr std::string_view list[] = {"auto", "stream", "paced"};
    return list;
}
std::span<const std::string_view> words(FtpMode /*unused*/) {
    static constexpr std::string_view list[] = {"passive", "active"};
    return list;
}
std::span<const std::string_view> words(Security /*unused*/) {
    static constexpr std::string_view list[] = {"none", "ftps", "sftp"};
    return list;
}
std::span<const std::string_view> words(UploadMode /*unused*/) {
    static constexpr std::string_view list[] = {"on-close", "background"};
    return list;
}
std::span<const std::string_view> words(LogLevel /*unused*/) {
    static constexpr std::string_view list[] = {"error", "warning", "notice", "info", "debug"};
    return list;
}

using Problem = std::string;  ///< follows the value: "is …; expected …"; empty: none

std::string kind_of(const Value& value) {
    static constexpr std::string_view kinds[] = {"a string", "an integer", "a boolean",
                                                 "an array", "a section",  ""};
    const auto* other = std::get_if<OtherValue>(&value);
    return other != nullptr ? other->kind : std::string(kinds[value.index()]);
}

/// The value as it was written, as far as it can be shown in a line.
std::string shown(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return in_quotes(*text);
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return fmt::format("{}", *integer);
    }
    if (const auto* boolean = std::get_if<bool>(&value)) {
        return *boolean ? "true" : "false";
    }
    return "the value";
}

Problem wrong_type(const Value& value, std::string_view expected) {
    return fmt::format("is {}; expected {}", kind_of(value), expected);
}

template <typename Number>
Problem set_number(const Key& key, Number* field, const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) {
        return wrong_type(value, "an integer");
    }
    if (*number < 0 || static_cast<std::uint64_t>(*number) < key.minimum ||
        static_cast<std::uint64_t>(*number) > key.maximum) {
        return fmt::format("is out of range; expected {} to {}", key.minimum, key.maximum);
    }
    *field = static_cast<Number>(*number);
    return {};
}

Problem set_text(const Key& key, std::string* field, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return wrong_type(value, "a string");
    }
    *field = *text;
    return key.check != nullptr ? key.check(*text) : std::string();
}

Problem set_list(const Key& key, std::vector<std::string>* field, const Value& value) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) {
        return wrong_type(value, "an array of strings");
    }
    for (const std::string& text : *list) {
        if (const Problem problem = key.check(text); !problem.empty()) {
            return fmt::format("has {} in it, which {}", in_quotes(text), problem);
        }
    }
    *field = *list;
    return {};
}

Problem set_duration(const Key& key, milliseconds* field, const Value& value) {
    constexpr std::string_view expected = "a duration such as \"60s\", \"2min\", \"1h\"";
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return wrong_type(value, expected);
    }
    const auto duration = parse_duration(*text);
    if (!duration) {
        return "is not a duration; expected e.g. \"60s\", \"2min\", \"1h\"";
    }
    if (static_cast<std::uint64_t>(duration->count()) < key.minimum) {
        return fmt::format("is too short; expected at least \"{}ms\"", key.minimum);
    }
    *field = *duration;
    return {};
}

Problem set_size(const Key& key, std::uint64_t* field, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return wrong_type(value, "a size such as \"64M\", \"1G\"");
    }
    const auto size = parse_size(*text);
    if (!size) {
        return "is not a size; expected e.g. \"300K\", \"64M\", \"1G\", or bytes as \"4096\"";
    }
    if (*size < key.minimum) {
        return fmt::format("is too small; expected at least \"{}\"", key.minimum);
    }
    *field = *size;
    return {};
}

Problem set_octal(unsigned* field, const Value& value) {
    constexpr std::string_view expected = "octal digits in quotation marks, such as \"022\"";
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return wrong_type(value, expected);
    }
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bits, 8);
    if (error != std::errc() || end != text->data() + text->size() || bits > 0777) {
        return fmt::format("is not a umask; expected {}", expected);
    }
    *field = bits;
    return {};
}

template <typename Enum>
Problem set_word(Enum* field, const Value& value) {
    const auto list = words(Enum{});
    const std::string expected = fmt::format("\"{}\"", fmt::join(list, "\", \""));
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return wrong_type(value, "one of " + expected);
    }
    const auto found = std::ranges::find(list, *text);
    if (found == list.end()) {
        return "is not known; expected one of " + expected;
    }
    *field = static_cast<Enum>(found - list.begin());
    return {};
}

Problem set_field(const Key& key, const Field& field, const Value& value) {
    return std::visit(
        [&](auto target) -> Problem {
            using Target = decltype(target);
            if constexpr (std::is_same_v<Target, std::string*>) {
                return set_text(key, target, value);
            } else if constexpr (std::is_same_v<Target, std::vector<std::string>*>) {
                return set_list(key, target, value);
            } else if constexpr (std::is_same_v<Target, milliseconds*>) {
                return set_duration(key, target, value);
            } else if constexpr (std::is_same_v<Target, SizeField>) {
                return set_size(key, target.value, value);
            } else if constexpr (std::is_same_v<Target, OctalField>) {
                return set_octal(target.value, value);
            } else if constexpr (std::is_same_v<Target, bool*>) {
                const auto* boolean = std::get_if<bool>(&value);
                *target = boolean != nullptr && *boolean;
                return boolean != nullptr ? Problem() : wrong_type(value, "true or false");
            } else if constexpr (std::is_enum_v<std::remove_pointer_t<Target>>) {
                return set_word(target, value);
            } else {
                return set_number(key, target, value);
            }
        },
        field);
}

}  // namespace

tl::expected<void, std::string> assign(const Key& key, const Value& value, Config& config) {
    const Problem problem = set_field(key, key.field(config), value);
    if (problem.empty()) {
        return {};
    }
    return tl::unexpected(
        fmt::format("{} {}", key.name == secret_key ? "the value" : shown(value), problem));
}

}  // namespace config
