// SPDX-License-Identifier: MIT
#include "modem/at/final_result.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "modem/at/parse.hpp"

namespace modem {

namespace {

using Kind = Event::Kind;

struct Row {
    std::string_view words;
    char number;  ///< its ATV0 form, NUL: none
    Kind kind;
    Errc code;
};

// ITU-T V.250 section 5.7.1, and the refusals that modules print beside ERROR.
constexpr auto rows = std::to_array<Row>({
    {"OK", '0', Kind::ok, {}},
    {"CONNECT", '1', Kind::connect, {}},
    {"NO CARRIER", '3', Kind::no_carrier, Errc::data_connection},
    {"ERROR", '4', Kind::error, Errc::refused},
    {"NO DIALTONE", '6', Kind::error, Errc::refused},
    {"NO DIAL TONE", '\0', Kind::error, Errc::refused},
    {"BUSY", '7', Kind::error, Errc::refused},
    {"NO ANSWER", '8', Kind::error, Errc::refused},
    {"ABORTED", '\0', Kind::error, Errc::refused},
    {"COMMAND NOT SUPPORT", '\0', Kind::error, Errc::not_supported},
    {"COMMAND NOT SUPPORTED", '\0', Kind::error, Errc::not_supported},
    {"TOO MANY PARAMETERS", '\0', Kind::error, Errc::refused},
});

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "CONNECT 115200", but not "CONNECT OK" or "CONNECT FAIL", which are URCs of TCP commands.
bool is_connect_with_rate(std::string_view line) {
    constexpr std::string_view head = "CONNECT ";
    return line.size() > head.size() && line.starts_with(head) && is_digit(line[head.size()]);
}

/// `+CME ERROR: 10`, `+CME ERROR:10`, `+CME ERROR: SIM not inserted`, and the same for CMS.
std::optional<Error> equipment_error(std::string_view line, std::span<const ErrorCode> vendor) {
    const bool cme = has_prefix(line, "+CME ERROR");
    if (!cme && !has_prefix(line, "+CMS ERROR")) {
        return {};
    }
    const auto fields = parse_fields(line);
    const auto number = fields.number(0);
    if (!number || *number < 0 || *number > 0xffff) {
        return cme ? cme_error(fields.rest, vendor)
                   : Error{Errc::refused, 0, fields.rest + " (+CMS ERROR)"};
    }
    const auto code = static_cast<int>(*number);
    return cme ? cme_error(code, vendor) : cms_error(code);
}

Event event_of(const Row& row, std::string_view line) {
    Event event{row.kind, std::string(line), {}};
    if (row.kind == Kind::error || row.kind == Kind::no_carrier) {
        event.error = Error{row.code, 0, std::string(row.words)};
    }
    return event;
}

}  // namespace

Event classify(std::string_view line, ResultForm& form, std::span<const ErrorCode> vendor) {
    const auto first = line.find_first_not_of(" \t");
    line = first == std::string_view::npos
               ? std::string_view()
               : line.substr(first, line.find_last_not_of(" \t") - first + 1);
    for (const auto& row : rows) {
        const bool words =
            line == row.words || (row.kind == Kind::connect && is_connect_with_rate(line));
        const bool number = line.size() == 1 && row.number != '\0' && line[0] == row.number &&
                            form != ResultForm::verbose;
        if (words || number) {
            form = words ? ResultForm::verbose : ResultForm::numeric;
            return event_of(row, line);
        }
    }
    if (auto error = equipment_error(line, vendor)) {
        // ATV0 does not change these, so they tell nothing about the form.
        return Event{Kind::error, std::string(line), *std::move(error)};
    }
    return Event{Kind::line, std::string(line), {}};
}

}  // namespace modem
