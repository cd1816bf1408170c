// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "tests/emulator/family.hpp"

namespace emulator {

FamilyEntry fibocom_l610();

std::span<const FamilyEntry> families() {
    static const std::array table{fibocom_l610()};
    return table;
}

const FamilyEntry* find_family(std::string_view name) {
    auto all = families();
    auto found = std::find_if(all.begin(), all.end(),
                              [name](const FamilyEntry& entry) { return entry.name == name; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace emulator
