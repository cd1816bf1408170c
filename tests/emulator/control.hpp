// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/emulator/loop.hpp"

namespace emulator {

/// The control socket: one command a line, one line of answer each, any number of callers.
class Control {
public:
    Control() = default;
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    /// `unix:PATH`. Returns what went wrong.
    [[nodiscard]] std::optional<std::string> open(const std::string& where);
    std::function<std::string(const std::string&)> on_line;

    void prepare(Waiting& waiting) const;
    void service(const Waiting& waiting);

private:
    bool read_from(int fd, std::string& buffer);

    int listener_ = -1;
    std::string path_;
    std::map<int, std::string> callers_;
};

}  // namespace emulator
