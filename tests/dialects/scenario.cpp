// SPDX-License-Identifier: MIT
#include "tests/dialects/scenario.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "tests/fakes/scripted_stream.hpp"

namespace modem::test {
namespace {

constexpr std::string_view mark = "#! ";

struct Word {
    std::string key;
    std::string text;
};

// One word of `line`, which begins with it: plain, key=plain, "quoted" or key="quoted".
Result<Word> take_word(std::string_view& line) {
    Word word;
    const std::size_t end = line.find_first_of(" \"");
    std::string_view plain = line.substr(0, end);
    line.remove_prefix(plain.size());
    if (const std::size_t equals = plain.find('='); equals != std::string_view::npos) {
        word.key = plain.substr(0, equals);
        plain.remove_prefix(equals + 1);
    }
    word.text = plain;
    if (line.starts_with('"')) {
        const std::size_t close = line.find('"', 1);
        if (close == std::string_view::npos) {
            return fail(Errc::invalid_argument, "a quotation mark is missing");
        }
        TRY(word.text, c_unescape(line.substr(1, close - 1)));
        line.remove_prefix(close + 1);
    }
    return word;
}

Result<Directive> parse_directive(std::string_view line, unsigned number) {
    Directive directive;
    directive.line = number;
    while (!line.empty()) {
        if (line.front() == ' ') {
            line.remove_prefix(1);
            continue;
        }
        TRY(Word word, take_word(line));
        if (!word.key.empty()) {
            directive.values[word.key] = word.text;
        } else if (directive.name.empty()) {
            directive.name = word.text;
        } else {
            directive.words.push_back(word.text);
        }
    }
    return directive;
}

Result<void> add(Scenario& scenario, Directive directive) {
    if (directive.name == "line" && directive.word(0) == "usb") {
        scenario.usb = true;
    } else if (directive.name == "covers") {
        scenario.covers.push_back(directive.word(0));
    } else if (directive.name != "expect") {
        scenario.steps.push_back({std::move(directive), {}});
    } else if (scenario.steps.empty() || !scenario.steps.back().expected.name.empty()) {
        return fail(Errc::invalid_argument, "nothing was called that this could expect");
    } else {
        scenario.steps.back().expected = std::move(directive);
    }
    return {};
}

}  // namespace

std::string Directive::value(std::string_view key, std::string_view otherwise) const {
    const auto found = values.find(std::string(key));
    return found == values.end() ? std::string(otherwise) : found->second;
}

std::uint64_t Directive::number(std::string_view key, std::uint64_t otherwise) const {
    const std::string text = value(key);
    std::from_chars(text.data(), text.data() + text.size(), otherwise);
    return otherwise;
}

const std::string& Directive::word(std::size_t index) const {
    static const std::string none;
    return index < words.size() ? words[index] : none;
}

Result<Scenario> parse_scenario(std::string_view text, std::string_view name) {
    Scenario scenario;
    for (unsigned number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (!line.starts_with(mark)) {
            continue;
        }
        auto directive = parse_directive(line.substr(mark.size()), number);
        auto added = directive ? add(scenario, *std::move(directive))
                               : Result<void>(fail(std::move(directive).error()));
        if (!added) {
            return fail(Errc::invalid_argument,
                        fmt::format("{}:{}: {}", name, number, added.error().what));
        }
    }
    for (const auto& step : scenario.steps) {
        if (step.expected.name.empty()) {
            return fail(Errc::invalid_argument,
                        fmt::format("{}:{}: nothing is expected", name, step.call.line));
        }
    }
    if (scenario.steps.empty()) {
        return fail(Errc::invalid_argument, fmt::format("{}: nothing is called", name));
    }
    return scenario;
}

std::string pattern(std::uint64_t length) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(length);
    while (text.size() < length) {
        text += digits[text.size() % digits.size()];
    }
    return text;
}

}  // namespace modem::test
