// SPDX-License-Identifier: MIT
#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

// The one place that compiles toml++: without exceptions and formatters, for the sake of size.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

namespace config {
namespace {

Position position(const toml::source_region& region, const std::filesystem::path& file) {
    return {file, region.begin.line, region.begin.column};
}

std::string kind_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "an array";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a floating-point number";
        case toml::node_type::boolean:
            return "a boolean";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time:
            return "a date or time";
        case toml::node_type::none:
            break;
    }
    return "nothing";
}

Value array_value(const toml::array& array) {
    std::vector<std::string> texts;
    for (const toml::node& element : array) {
        const auto* text = element.as_string();
        if (text == nullptr) {
            return OtherValue{
                fmt::format("an array with {} as element {}", kind_of(element), texts.size() + 1)};
        }
        texts.push_back(text->get());
    }
    return texts;
}

Value value_of(const toml::node& node) {
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    if (const auto* integer = node.as_integer()) {
        return integer->get();
    }
    if (const auto* boolean = node.as_boolean()) {
        return boolean->get();
    }
    if (const auto* array = node.as_array()) {
        return array_value(*array);
    }
    return OtherValue{kind_of(node)};
}

void add_section(std::vector<Setting>& settings, std::string_view section, const toml::table& table,
                 const std::filesystem::path& file) {
    for (const auto& [key, node] : table) {
        settings.push_back({fmt::format("{}.{}", section, key.str()), position(key.source(), file),
                            position(node.source(), file), value_of(node)});
    }
}

}  // namespace

Result<std::vector<Setting>> read_toml(std::string_view text, const std::filesystem::path& file) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const Position at = position(parsed.error().source(), file);
        return tl::unexpected(
            ConfigError{file, at.line, at.column,
                        fmt::format("not valid TOML: {}", parsed.error().description())});
    }
    std::vector<Setting> settings;
    for (const auto& [key, node] : parsed.table()) {
        const auto* table = node.as_table();
        const Position at = position(table != nullptr ? node.source() : key.source(), file);
        settings.push_back({std::string(key.str()), at, position(node.source(), file),
                            table != nullptr ? Value(SectionValue{}) : value_of(node)});
        if (table != nullptr) {
            add_section(settings, key.str(), *table, file);
        }
    }
    std::ranges::stable_sort(settings, {}, [](const Setting& setting) {
        return std::pair(setting.key_at.line, setting.key_at.column);
    });
    return settings;
}

}  // namespace config
