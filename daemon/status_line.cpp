// SPDX-License-Identifier: MIT
#include "daemon/status_line.hpp"

#include <fmt/format.h>

#include <string_view>

namespace service {
namespace {

using modem::JobKind;
using modem::LinkState;

std::string_view doing(JobKind kind) {
    switch (kind) {
        case JobKind::list:
            return "listing";
        case JobKind::stat:
            return "asking for";
        case JobKind::retrieve:
            return "downloading";
        case JobKind::store:
            return "uploading";
        case JobKind::remove:
            return "deleting";
        case JobKind::make_directory:
            return "creating";
        case JobKind::remove_directory:
            return "removing";
        case JobKind::rename:
            return "renaming";
    }
    return "working on";
}

std::string progress(const Activity::Running& running) {
    if (running.total > 0) {
        const auto done = std::min(running.transferred, running.total);
        return fmt::format(" {} %", done * 100 / running.total);
    }
    return running.transferred > 0 ? fmt::format(" {} KiB", running.transferred / 1024) : "";
}

}  // namespace

std::string status_line(const modem::LinkStatus& link, const Activity& activity) {
    const bool up = link.state == LinkState::ready || link.state == LinkState::session;
    std::string line(up ? "ready" : name(link.state));
    std::string_view separator = ": ";
    const auto add = [&](const std::string& part) {
        line += separator;
        line += part;
        separator = ", ";
    };
    if (!link.recovering.empty()) {
        add("recovering (" + link.recovering + ")");
    }
    if (activity.queued > 0) {
        add(fmt::format("{} queued", activity.queued));
    }
    if (activity.failed > 0) {
        add(fmt::format("{} failed {}", activity.failed,
                        activity.failed == 1 ? "upload" : "uploads"));
    }
    if (activity.running) {
        const std::string name = activity.running->name.empty() ? "/" : activity.running->name;
        add(fmt::format("{} {}{}", doing(activity.running->kind), name,
                        progress(*activity.running)));
    }
    if (!up && link.last_error) {
        add(link.last_error->what);
    }
    if (up && separator == ": ") {
        add("idle");
    }
    return line;
}

}  // namespace service
