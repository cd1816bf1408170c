// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "modem/result.hpp"

namespace modem {

/// What the modem said next.
struct Event {
    enum class Kind {
        line,  ///< an information line or URC that nobody claimed
        ok,
        error,       ///< ERROR, +CME ERROR, +CMS ERROR, BUSY etc.; `error` says which
        connect,     ///< CONNECT: data mode begins
        no_carrier,  ///< NO CARRIER: data mode has ended; `error` is data_connection
        prompt,      ///< '>' (only while expect_prompt() waits)
    };
    Kind kind{};
    std::string text;  ///< the line, blanks at its ends removed
    Error error;
};

/// How result codes are spelled (ITU-T V.250, ATV). Learnt from what comes: a bare "0" is OK until
/// the first verbose result has been seen, and a line like any other after it.
enum class ResultForm { unknown, numeric, verbose };

}  // namespace modem
