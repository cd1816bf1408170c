// SPDX-License-Identifier: MIT
#pragma once

// Every dialect is tested by transcripts alone: tests/transcripts/<dialect>/*.at. To add a modem,
// record its dialogues (`log.trace` writes this very syntax), put the files into a directory named
// like the dialect in the registry, and say in each file what is called and what must come out:
//
//   #! retrieve /pub/a.bin way=paced offset=3
//   #! expect ok data="lo"
//   > AT+FTPGET="/pub/a.bin",1,3
//   < OK
//   ...
//   #! remove /pub/a.bin
//   #! expect error not_found number=550
//   > AT+FTPDEL="/pub/a.bin"
//   ...
//
// The lines of the dialogue are described in tests/fakes/scripted_stream.hpp. Calls run in order on
// one dialect, so what it learns in one call shows in the next; a call must send what stands
// between its own directive and the next one, no more and no less. Words are separated by blanks;
// "…" holds blanks and C escapes (\r \n \t \\ \xNN, a quotation mark is \x22).
//
//   identify [manufacturer=] [model=] [ati=]       told: family (name in the registry, or none)
//   prepare | soft_reset | session_gone | log_out | keep_alive | close_bearer
//   open_bearer APN [user=] [password=]            told: address
//   log_in HOST [port=] [user=] [password=] [mode=active] [security=sftp|ftps] [encoding=]
//   list PATH [hidden]                             told: text (lines joined, each with \n)
//   stat PATH                                      told: size, kind
//   retrieve PATH [way=paced] [offset=] [length=] [stop=N|yield=N]    told: data, moved
//   store PATH data=|pattern=N [way=paced] [mode=at_offset|append] [offset=] [yield=N] [fail=N]
//                                                  told: moved
//   remove PATH | make_directory PATH | remove_directory PATH | rename FROM TO
//   recover                                        told: stands (yes, no)
//   urc "LINE"                                     told: meaning
//
// `way=stream` and `mode=create` are what is meant when nothing is said. `stop` and `yield` make
// the first checkpoint after N bytes answer cancelled or gave_way; `fail` makes the source fail.
//
//   expect ok [key=value]...                       each key is one of the call's "told"; pattern=N
//                                                  stands for data; heard= lists the URCs with a
//                                                  meaning that came during the call
//   expect error NAME [number=N] [words="…"] ...   NAME as in modem/result.hpp; words: a part
//
// Before the first call: `#! line usb` (the line is a USB tty); `#! covers CAPABILITY` where no
// call can show a capability (xon_xoff). tests/transcripts/<dialect>/errors.list has a line
// `NUMBER NAME` for each row of the family's error tables.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "modem/result.hpp"

namespace modem::test {

/// One `#!` line.
struct Directive {
    unsigned line = 0;
    std::string name;
    std::vector<std::string> words;
    std::map<std::string, std::string> values;

    [[nodiscard]] bool has(std::string_view key) const { return values.contains(std::string(key)); }
    [[nodiscard]] std::string value(std::string_view key, std::string_view otherwise = "") const;
    [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t otherwise = 0) const;
    [[nodiscard]] const std::string& word(std::size_t index) const;
};

/// The directives of one transcript.
struct Scenario {
    struct Step {
        Directive call;
        Directive expected;
    };
    bool usb = false;
    std::vector<std::string> covers;
    std::vector<Step> steps;
};

/// Errors: invalid_argument, with the line.
Result<Scenario> parse_scenario(std::string_view text, std::string_view name);

/// N bytes of readable payload for transcripts that need many: 0123456789abcdef, over and over.
[[nodiscard]] std::string pattern(std::uint64_t length);

}  // namespace modem::test
