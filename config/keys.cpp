// SPDX-License-Identifier: MIT
#include "config/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace config {
namespace {

constexpr auto live = Effect::live;
constexpr auto restart = Effect::restart;

constexpr Key table[] = {
    {"line.device", restart, [](Config& c) -> Field { return &c.line.device; }, check_device},
    {"line.baud", restart, [](Config& c) -> Field { return &c.line.baud; }, nullptr, 300,
     4'000'000},
    {"line.flow-control", restart, [](Config& c) -> Field { return &c.line.flow_control; }},

    {"modem.dialect", restart, [](Config& c) -> Field { return &c.modem.dialect; },
     check_line_name},
    {"modem.apn", restart, [](Config& c) -> Field { return &c.modem.apn; }, check_line_text},
    {"modem.apn-user", restart, [](Config& c) -> Field { return &c.modem.apn_user; },
     check_line_text},
    {"modem.apn-password-file", live, [](Config& c) -> Field { return &c.modem.apn_password_file; },
     check_optional_path},
    {"modem.pin-file", live, [](Config& c) -> Field { return &c.modem.pin_file; },
     check_optional_path},
    {"modem.init", restart, [](Config& c) -> Field { return &c.modem.init; }, check_at_command},
    {"modem.transfer", live, [](Config& c) -> Field { return &c.modem.transfer; }},
    {"modem.reset-unit", live, [](Config& c) -> Field { return &c.modem.reset_unit; }, check_unit},
    {"modem.reset-command", live, [](Config& c) -> Field { return &c.modem.reset_command; },
     check_program},

    {"ftp.host", restart, [](Config& c) -> Field { return &c.ftp.host; }, check_line_name},
    {"ftp.port", restart, [](Config& c) -> Field { return &c.ftp.port; }, nullptr, 1, 65535},
    {"ftp.user", restart, [](Config& c) -> Field { return &c.ftp.user; }, check_line_name},
    {secret_key, live, [](Config& c) -> Field { return &c.ftp.password; }, check_line_name},
    {"ftp.password-file", live, [](Config& c) -> Field { return &c.ftp.password_file; },
     check_optional_path},
    {"ftp.mode", restart, [](Config& c) -> Field { return &c.ftp.mode; }},
    {"ftp.security", restart, [](Config& c) -> Field { return &c.ftp.security; }},
    {"ftp.root", restart, [](Config& c) -> Field { return &c.ftp.root; }, check_remote_path},
    {"ftp.timezone", restart, [](Config& c) -> Field { return &c.ftp.timezone; }, check_timezone},
    {"ftp.encoding", restart, [](Config& c) -> Field { return &c.ftp.encoding; }, check_encoding},
    {"ftp.known-files", restart, [](Config& c) -> Field { return &c.ftp.known_files; },
     check_line_name},
    {"ftp.ask-unknown", restart, [](Config& c) -> Field { return &c.ftp.ask_unknown; }},
    {"ftp.index-file", restart, [](Config& c) -> Field { return &c.ftp.index_file; },
     check_line_text},
    {"ftp.idle-timeout", live, [](Config& c) -> Field { return &c.ftp.idle_timeout; }},

    {"mount.path", restart, [](Config& c) -> Field { return &c.mount.path; }, check_mount_path},
    {"mount.read-only", restart, [](Config& c) -> Field { return &c.mount.read_only; }},
    {"mount.allow-other", restart, [](Config& c) -> Field { return &c.mount.allow_other; }},
    {"mount.uid", restart, [](Config& c) -> Field { return &c.mount.uid; }, nullptr, 0,
     UINT32_MAX - 1},
    {"mount.gid", restart, [](Config& c) -> Field { return &c.mount.gid; }, nullptr, 0,
     UINT32_MAX - 1},
    {"mount.umask", restart, [](Config& c) -> Field { return OctalField{&c.mount.umask}; }},

    {"cache.directory-ttl", live, [](Config& c) -> Field { return &c.cache.directory_ttl; }},
    {"cache.size", live, [](Config& c) -> Field { return SizeField{&c.cache.size}; }},

    {"upload.mode", live, [](Config& c) -> Field { return &c.upload.mode; }},
    {"upload.atomic", live, [](Config& c) -> Field { return &c.upload.atomic; }},
    {"upload.temporary-prefix", restart,
     [](Config& c) -> Field { return &c.upload.temporary_prefix; }, check_temporary_prefix},
    {"upload.spool-size", restart,
     [](Config& c) -> Field { return SizeField{&c.upload.spool_size}; }, nullptr, 4096},

    {"link.timeout", live, [](Config& c) -> Field { return &c.link.timeout; }, nullptr, 1000},
    {"link.command-timeout", live, [](Config& c) -> Field { return &c.link.command_timeout; },
     nullptr, 1000},

    {"log.level", live, [](Config& c) -> Field { return &c.log.level; }},
    {"log.trace", live, [](Config& c) -> Field { return &c.log.trace; }, check_optional_path},
};

/// Levenshtein distance: how many letters have to be typed differently.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0U);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

std::string_view section_of(std::string_view name) {
    return name.substr(0, name.find('.'));
}

std::string_view last_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const Key& key : table) {
        if (names.empty() || names.back() != section_of(key.name)) {
            names.push_back(section_of(key.name));
        }
    }
    return names;
}

}  // namespace

std::span<const Key> keys() {
    return table;
}

const Key* find_key(std::string_view name) {
    const auto* const found = std::ranges::find(table, name, &Key::name);
    return found != std::end(table) ? found : nullptr;
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(table, [&](const Key& key) { return section_of(key.name) == name; });
}

std::string unknown_key(std::string_view name) {
    constexpr std::size_t typing_error = 3;
    const std::string_view section = section_of(name);
    const std::string_view last = last_of(name);
    if (!is_section(section)) {
        const auto names = section_names();
        const auto near = std::ranges::min(
            names, {}, [&](std::string_view other) { return distance(section, other); });
        if (distance(section, near) < typing_error && distance(section, near) < section.size()) {
            return fmt::format("unknown section; did you mean [{}]?", near);
        }
        return fmt::format("unknown section; expected one of [{}]", fmt::join(names, "], ["));
    }
    const Key* best = nullptr;
    std::vector<std::string_view> siblings;
    for (const Key& key : table) {
        if (section_of(key.name) == section) {
            siblings.push_back(last_of(key.name));
            if (best == nullptr ||
                distance(last, last_of(key.name)) < distance(last, last_of(best->name))) {
                best = &key;
            }
        } else if (last_of(key.name) == last) {
            return fmt::format("unknown key; `{}` belongs into [{}]", last, section_of(key.name));
        }
    }
    if (distance(last, last_of(best->name)) <= typing_error &&
        distance(last, last_of(best->name)) < last.size()) {
        return fmt::format("unknown key; did you mean `{}`?", last_of(best->name));
    }
    return fmt::format("unknown key; expected one of: {}", fmt::join(siblings, ", "));
}

}  // namespace config
