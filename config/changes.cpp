// SPDX-License-Identifier: MIT
#include <type_traits>

#include "config/keys.hpp"

namespace config {
namespace {

/// The value behind a field.
template <typename Target>
auto& pointee(Target target) {
    if constexpr (std::is_pointer_v<Target>) {
        return *target;
    } else {
        return *target.value;
    }
}

bool same(const Field& a, const Field& b) {
    return std::visit(
        [&b](auto target) {
            return pointee(target) == pointee(*std::get_if<decltype(target)>(&b));
        },
        a);
}

void copy(const Field& from, const Field& to) {
    std::visit(
        [&to](auto target) { pointee(*std::get_if<decltype(target)>(&to)) = pointee(target); },
        from);
}

}  // namespace

Changes compare(Config running, Config loaded) {
    Changes changes;
    for (const Key& key : keys()) {
        if (!same(key.field(running), key.field(loaded))) {
            auto& names = key.effect == Effect::live ? changes.live : changes.restart;
            names.emplace_back(key.name);
        }
    }
    return changes;
}

void apply_live(Config& running, Config loaded) {
    for (const Key& key : keys()) {
        if (key.effect == Effect::live) {
            copy(key.field(loaded), key.field(running));
        }
    }
}

bool is_live(std::string_view name) {
    const Key* key = find_key(name);
    return key != nullptr && key->effect == Effect::live;
}

}  // namespace config
