// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "modem/ftp/dialect.hpp"
#include "tests/dialects/scenario.hpp"

namespace modem::test {

/// What a call came to.
struct Outcome {
    std::optional<Error> error;
    std::map<std::string, std::string> told;
};

/// Makes the call that a directive names. Errors: invalid_argument when there is no such call or it
/// cannot be made as written.
Result<Outcome> play(Dialect& dialect, const Directive& call);

/// What is wrong with an outcome; empty when it is as expected.
[[nodiscard]] std::string mismatch(const Outcome& outcome, const Directive& expected);

/// The capabilities that a call shows, if its outcome was as expected. `before` is the call before
/// it, which may have been broken off.
[[nodiscard]] std::set<std::string> shown_by(const Directive& call, const Directive& expected,
                                             const Directive* before);

/// Every capability that is a yes or a no, by name.
[[nodiscard]] std::map<std::string, bool> yes_or_no(const Capabilities& capabilities);

}  // namespace modem::test
