// SPDX-License-Identifier: MIT
#include "fusefs/core.hpp"

#include <algorithm>

namespace fusefs {

modem::Result<modem::RemotePath> Core::remote(const modem::RemotePath& below) const {
    if (root.is_root()) {
        return below;
    }
    if (below.is_root()) {
        return root;
    }
    return modem::RemotePath::parse(root.text() + below.text());
}

const modem::Capabilities& Core::capabilities() const {
    static const modem::Capabilities unknown;
    return link.capabilities ? *link.capabilities : unknown;
}

bool Core::link_up() const {
    return link.state == modem::LinkState::ready || link.state == modem::LinkState::session;
}

bool Core::hides_dots() const {
    return !link.hidden_listing.value_or(false);
}

bool Core::is_ours(std::string_view name) const {
    const std::string& prefix = config->upload.temporary_prefix;
    if (prefix.empty() || !name.starts_with(prefix)) {
        return false;
    }
    name.remove_prefix(prefix.size());
    if (name.starts_with('u')) {
        name.remove_prefix(1);
    }
    if (name.ends_with('o')) {
        name.remove_suffix(1);
    }
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace fusefs
