// SPDX-License-Identifier: MIT
// The L610's commands on names: one FTP command, one verdict.
#include <fmt/format.h>

#include <map>

#include "tests/emulator/fibocom_l610.hpp"

namespace emulator {

namespace {

using Kind = Command::Kind;

/// Commands that are one FTP command and a verdict.
struct Simple {
    std::string_view ftp;
    bool argument;
};
const std::map<std::string_view, Simple> simple_commands = {
    {"+FTPCWD", {"CWD", true}},  {"+FTPMKD", {"MKD", true}},    {"+FTPRMD", {"RMD", true}},
    {"+FTPDEL", {"DELE", true}}, {"+FTPCDUP", {"CDUP", false}}, {"+FTPNOOP", {"NOOP", false}},
};

/// The text of a reply as the module hands it on: without the code, a directory without quotes.
std::string reply_text(std::string_view ftp, std::string_view reply) {
    auto text = reply.size() > 4 ? reply.substr(4) : std::string_view{};
    if (ftp != "PWD") {
        return std::string(ftp == "STAT" ? reply : text);
    }
    auto from = text.find('"');
    std::string name;
    for (auto at = from + 1; from != std::string_view::npos && at < text.size(); ++at) {
        if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) {
            return name;
        }
        at += text[at] == '"' ? 1 : 0;
        name += text[at];
    }
    return std::string(text);
}

}  // namespace

// ---- one command, one verdict ----------------------------------------------------------------

bool FibocomL610::file_command(const Command& command) {
    if (auto found = simple_commands.find(command.name); found != simple_commands.end()) {
        one_command(command, found->second.ftp, found->second.argument);
    } else if (command.is("+FTPREN")) {
        rename(command);
    } else if (command.is("+FTPPWD")) {
        text_command(command, "PWD");
    } else if (command.is("+FTPSYST")) {
        text_command(command, "SYST");
    } else if (command.is("+FTPSTAT")) {
        text_command(command, "STAT");
    } else if (command.is("+FTPREST")) {
        rest(command);
    } else {
        return false;
    }
    return true;
}

void FibocomL610::one_command(const Command& command, std::string_view ftp, bool argument) {
    if (read_or_test(command, "", argument ? "(\"name\")" : "") || !allowed()) {
        return;
    }
    if (argument && !named(command, 0)) {
        return;
    }
    modem_.ok();
    work_ = Work::command;
    auto line = argument ? fmt::format("{} {}", ftp, command.at(0).text) : std::string(ftp);
    modem_.ftp().command(line, [this, name = command.name](const FtpResult& result) {
        work_ = Work::none;
        verdict(name, result.ok() ? 1 : 0);
    });
}

void FibocomL610::rename(const Command& command) {
    if (read_or_test(command, "", "(\"file name from\"), (\"file name to\")") || !allowed() ||
        !named(command, 0) || !named(command, 1)) {
        return;
    }
    modem_.ok();
    work_ = Work::command;
    modem_.ftp().rename(command.at(0).text, command.at(1).text, [this](const FtpResult& result) {
        work_ = Work::none;
        verdict("+FTPREN", result.ok() ? 1 : 0);
    });
}

void FibocomL610::text_command(const Command& command, std::string_view ftp) {
    bool stat = ftp == "STAT";
    if (read_or_test(command, "", stat ? "(\"file/directory name\")" : "") || !allowed()) {
        return;
    }
    std::string line(ftp);
    if (stat && command.kind == Kind::set) {
        if (!named(command, 0)) {
            return;
        }
        line += " " + command.at(0).text;
    }
    modem_.ok();
    work_ = Work::command;
    modem_.ftp().command(line, [this, name = command.name, ftp](const FtpResult& result) {
        work_ = Work::none;
        if (!result.ok()) {
            verdict(name, 0);
            return;
        }
        auto text = reply_text(ftp, result.text);
        if (ftp == "PWD" && modem_.quirks().is("ftppwd", "quoted")) {
            text = fmt::format("\"{}\"", text);
        }
        modem_.urc(fmt::format("{}2,{}", modem_.tag(name), text));
        if (modem_.quirks().is("text-verdict", "twice")) {
            verdict(name, 1);
        }
    });
}

void FibocomL610::rest(const Command& command) {
    if (read_or_test(command, std::to_string(rest_), fmt::format("(0-{})", l610_highest_offset)) ||
        !allowed()) {
        return;
    }
    auto value = command.number_at(0, 0, l610_highest_offset);
    if (!value) {
        modem_.error(cme::bad_parameters);
        return;
    }
    rest_ = *value;
    modem_.ok();
}

}  // namespace emulator
