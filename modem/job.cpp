// SPDX-License-Identifier: MIT
#include "modem/job.hpp"

namespace modem {

std::string_view name(JobKind kind) {
    switch (kind) {
        case JobKind::list:
            return "list";
        case JobKind::stat:
            return "stat";
        case JobKind::retrieve:
            return "retrieve";
        case JobKind::store:
            return "store";
        case JobKind::remove:
            return "remove";
        case JobKind::make_directory:
            return "make_directory";
        case JobKind::remove_directory:
            return "remove_directory";
        case JobKind::rename:
            return "rename";
    }
    return "unknown";
}

}  // namespace modem
