// SPDX-License-Identifier: MIT
#include "modem/dialects/registry.hpp"

#include <algorithm>
#include <array>

namespace modem {

// Each family's file defines its own entry; nothing else of it is visible here.
DialectEntry fibocom_l610();

std::span<const DialectEntry> dialects() {
    static const std::array table{
        fibocom_l610(),
    };
    return table;
}

const DialectEntry* find_dialect(std::string_view name) {
    const auto families = dialects();
    const auto found = std::find_if(families.begin(), families.end(),
                                    [&](const DialectEntry& entry) { return entry.name == name; });
    return found == families.end() ? nullptr : &*found;
}

}  // namespace modem
