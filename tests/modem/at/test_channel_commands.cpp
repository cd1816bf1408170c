// SPDX-License-Identifier: MIT
// Channel: commands, results, echo, URCs, prompts.
#include <gmock/gmock.h>

#include <thread>

#include "tests/modem/at/scripted.hpp"

namespace modem::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Lines = std::vector<std::string>;
constexpr milliseconds soon{60'000};  ///< a script never lets anybody wait

TEST(channel_command, returns_information_lines) {
    replay("> ATI\n< Fibocom\n< L610\n< OK\n", [](Dialogue& d) {
        ASSERT_OK(const auto lines, d.channel.command("ATI"));
        EXPECT_THAT(lines, ElementsAre("Fibocom", "L610"));
        EXPECT_TRUE(d.channel.ok_seen());
        EXPECT_EQ(d.counters.commands, 1U);
        EXPECT_EQ(d.counters.bytes_sent, 4U);
        EXPECT_GE(d.counters.bytes_received, 11U + 8U + 5U);
    });
}

TEST(channel_command, echo_with_two_carriage_returns) {
    replay(
        "> AT+FTPLIST=2,1024\n"
        "<< AT+FTPLIST=2,1024\\r\\r\\n+FTPLIST: 2,4\\r\\n\n"
        "= \\nabc\n"
        "<< \\r\\nOK\\r\\n\n",
        [](Dialogue& d) {
            ASSERT_DONE(d.channel.send(Command("AT+FTPLIST").number(2).number(1024)));
            ASSERT_OK(const auto answer, d.channel.expect("+FTPLIST", soon));
            EXPECT_EQ(answer.number(1), 4);
            std::string data;
            ASSERT_DONE(d.channel.read_raw(
                4,
                [&](std::span<const char> bytes) {
                    data.append(bytes.data(), bytes.size());
                    return Result<void>();
                },
                soon));
            EXPECT_EQ(data, "\nabc");
            ASSERT_DONE(d.channel.expect_ok(soon));
            EXPECT_THAT(d.channel.take_lines(), IsEmpty());
        });
}

TEST(channel_command, echo_on_and_off_give_the_same) {
    for (const bool echo : {false, true}) {
        replay("> AT+CSQ\n< +CSQ: 17,99\n< OK\n> AT\n< OK\n", [&](Dialogue& d) {
            d.stream.set_echo(echo);
            ASSERT_OK(const auto lines, d.channel.command("AT+CSQ"));
            EXPECT_THAT(lines, ElementsAre("+CSQ: 17,99"));
            ASSERT_OK(const auto none, d.channel.command("AT"));
            EXPECT_THAT(none, IsEmpty());
        });
    }
}

TEST(channel_command, late_echoes_of_commands_given_up) {
    replay("> AT\n! silence\n> ATE0\n<< AT\\rATE0\\r\n< OK\n", [](Dialogue& d) {
        EXPECT_FAILS(d.channel.command("AT"), Errc::timed_out);
        ASSERT_OK(const auto lines, d.channel.command("ATE0"));
        EXPECT_THAT(lines, IsEmpty());
    });
}

TEST(channel_command, echo_behind_a_prompt_nobody_waited_for) {
    replay("<< > \n> AT+CSQ\n<< AT+CSQ\\r\n< +CSQ: 1,99\n< OK\n", [](Dialogue& d) {
        ASSERT_OK(const auto lines, d.channel.command("AT+CSQ"));
        EXPECT_THAT(lines, ElementsAre("+CSQ: 1,99"));
    });
}

TEST(channel_command, numeric_results) {
    replay(
        "> AT\n<< AT\\r0\\r\n> AT+CSQ\n<< +CSQ: 3,99\\r\\n0\\r\n> AT+X\n<< 4\\r\n> ATD\n<< 1\\r\n= "
        "\\nraw\n",
        [](Dialogue& d) {
            ASSERT_DONE(d.channel.command("AT"));
            ASSERT_OK(const auto lines, d.channel.command("AT+CSQ"));
            EXPECT_THAT(lines, ElementsAre("+CSQ: 3,99"));
            EXPECT_FAILS(d.channel.command("AT+X"), Errc::refused);
            ASSERT_DONE(d.channel.send("ATD"));
            ASSERT_OK(const auto connect, d.channel.next(soon));
            EXPECT_EQ(connect.kind, Event::Kind::connect);
            std::string data;
            ASSERT_DONE(d.channel.read_raw(
                4,
                [&](std::span<const char> bytes) {
                    data.append(bytes.data(), bytes.size());
                    return Result<void>();
                },
                soon));
            EXPECT_EQ(data, "\nraw");
        });
}

TEST(channel_command, a_digit_is_a_line_once_results_are_verbose) {
    replay("> AT\n< OK\n> AT+X\n< 0\n< 4\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.command("AT"));
        ASSERT_OK(const auto lines, d.channel.command("AT+X"));
        EXPECT_THAT(lines, ElementsAre("0", "4"));
    });
}

TEST(channel_command, errors_say_command_and_reason) {
    replay(
        "> AT+CPIN?\n< +CME ERROR: 10\n"
        "> AT+CPIN?\n< +CME ERROR:11\n"
        "> AT+CPIN?\n< +CME ERROR: sim pin required\n"
        "> AT+CMGF=1\n< +CMS ERROR: 302\n"
        "> AT+X\n< +CME ERROR: 999\n"
        "> AT+X\n< COMMAND NOT SUPPORT\n",
        [](Dialogue& d) {
            const auto missing = d.channel.command("AT+CPIN?");
            ASSERT_FALSE(missing);
            EXPECT_EQ(missing.error().code, Errc::sim_missing);
            EXPECT_EQ(missing.error().number, 10);
            EXPECT_EQ(missing.error().what, "AT+CPIN?: SIM not inserted (+CME ERROR: 10)");
            EXPECT_FAILS(d.channel.command("AT+CPIN?"), Errc::pin_required);
            const auto words = d.channel.command("AT+CPIN?");
            ASSERT_FALSE(words);
            EXPECT_EQ(words.error().number, 11);
            EXPECT_FAILS(d.channel.command(Command("AT+CMGF").number(1)), Errc::refused);
            const auto unknown = d.channel.command("AT+X");
            ASSERT_FALSE(unknown);
            EXPECT_EQ(unknown.error().number, 999);
            EXPECT_FAILS(d.channel.command("AT+X"), Errc::not_supported);
        });
}

TEST(channel_command, vendor_numbers_come_first) {
    static constexpr ErrorCode vendor[] = {{10, Errc::dns_failed, "no such host"}};
    replay("> AT+X\n< +CME ERROR: 10\n", [](Dialogue& d) {
        d.channel.set_error_codes(vendor);
        EXPECT_FAILS(d.channel.command("AT+X"), Errc::dns_failed);
    });
}

TEST(channel_command, a_bad_command_is_never_sent) {
    replay("> AT\n< OK\n", [](Dialogue& d) {
        EXPECT_FAILS(d.channel.command(Command("AT+FTPDELE").quoted("a\rAT+CFUN=0")),
                     Errc::invalid_name);
        EXPECT_EQ(d.counters.commands, 0U);
        ASSERT_DONE(d.channel.command("AT"));
    });
}

TEST(channel_command, counts_by_name_without_arguments) {
    replay(
        "> AT+FTPDELE=\"a\"\n< OK\n> AT+FTPDELE=\"b\"\n< OK\n> AT+CPIN?\n< OK\n", [](Dialogue& d) {
            ASSERT_DONE(d.channel.command(Command("AT+FTPDELE").quoted("a")));
            ASSERT_DONE(d.channel.command(Command("AT+FTPDELE").quoted("b")));
            ASSERT_DONE(d.channel.command("AT+CPIN?"));
            const std::map<std::string, std::uint64_t> expected{{"AT+CPIN", 1}, {"AT+FTPDELE", 2}};
            EXPECT_EQ(d.channel.commands_by_name(), expected);
        });
}

TEST(channel_exchange, verdict_before_or_after_ok) {
    for (const auto* const text :
         {"> AT+FTPMKD=\"d\"\n< OK\n< +FTPMKD: 1\n", "> AT+FTPMKD=\"d\"\n< +FTPMKD:1\n< OK\n",
          "> AT+FTPMKD=\"d\"\n<< \\r\\nOK\\r\\n\\n+FTPMKD: 1\\r\\n\n",
          "> AT+FTPMKD=\"d\"\n< +CREG: 1\n< OK\n< something\n< + FTPMKD : 1\n"}) {
        SCOPED_TRACE(text);
        replay(text, [](Dialogue& d) {
            ASSERT_OK(const auto verdict,
                      d.channel.exchange(Command("AT+FTPMKD").quoted("d"), "+FTPMKD"));
            EXPECT_EQ(verdict.number(0), 1);
        });
    }
}

TEST(channel_exchange, verdict_and_then_ok_by_single_calls) {
    replay("> AT+FTPGET=\"a\"\n< +FTPGET: 2\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send(Command("AT+FTPGET").quoted("a")));
        ASSERT_DONE(d.channel.expect_ok(soon));
        ASSERT_OK(const auto verdict, d.channel.expect("+FTPGET", soon));
        EXPECT_EQ(verdict.number(0), 2);
    });
}

TEST(channel_exchange, error_and_silence) {
    replay(
        "> AT+A\n< ERROR\n> AT+A\n< OK\n< +CME ERROR: 3\n> AT+A\n< OK\n! silence\n> AT+A\n< +A: "
        "1\n! silence\n",
        [](Dialogue& d) {
            EXPECT_FAILS(d.channel.exchange("AT+A", "+A"), Errc::refused);
            EXPECT_FAILS(d.channel.exchange("AT+A", "+A"), Errc::refused);
            const auto silent = d.channel.exchange("AT+A", "+A", milliseconds(1500));
            ASSERT_FALSE(silent);
            EXPECT_EQ(silent.error().code, Errc::timed_out);
            EXPECT_EQ(silent.error().what, "AT+A: no +A within 1.5 s");
            EXPECT_FAILS(d.channel.exchange("AT+A", "+A"), Errc::timed_out);
        });
}

TEST(channel_urc, between_command_and_answer) {
    replay("> AT+CREG?\n< +CIEV: 1,2\n< +CREG: 0,1\n<< \\n+FTPCLOSED\\r\\n\n< OK\n",
           [](Dialogue& d) {
               Lines seen;
               d.channel.set_urc_handler([&](std::string_view line) {
                   seen.emplace_back(line);
                   return true;
               });
               ASSERT_OK(const auto lines, d.channel.command("AT+CREG?"));
               EXPECT_THAT(lines, ElementsAre("+CREG: 0,1"));
               EXPECT_THAT(seen, ElementsAre("+CIEV: 1,2", "+FTPCLOSED"));
           });
}

TEST(channel_urc, registration_is_answered_by_another_name) {
    replay("> AT+CEREG?\n< +CREG: 0,5\n< OK\n", [](Dialogue& d) {
        d.channel.set_urc_handler([](std::string_view) { return true; });
        ASSERT_OK(const auto lines, d.channel.command("AT+CEREG?"));
        EXPECT_THAT(lines, ElementsAre("+CREG: 0,5"));
    });
}

TEST(channel_urc, what_came_before_a_command_is_offered_once_and_forgotten) {
    replay("< +MIPCALL: 0\n<< \\r\\nOK\\r\\n\n> AT\n< +LATE\n< OK\n< +AFTER\n> AT\n< OK\n",
           [](Dialogue& d) {
               Lines seen;
               d.channel.set_urc_handler([&](std::string_view line) {
                   seen.emplace_back(line);
                   return line != "+LATE";
               });
               ASSERT_OK(const auto lines, d.channel.command("AT"));
               EXPECT_THAT(lines, ElementsAre("+LATE"));
               ASSERT_OK(const auto none, d.channel.command("AT"));
               EXPECT_THAT(none, IsEmpty());
               EXPECT_THAT(seen, ElementsAre("+MIPCALL: 0", "+LATE", "+AFTER"));
           });
}

TEST(channel_urc, an_answer_nobody_took_is_offered_at_the_next_command) {
    replay("> AT+A\n< OK\n< +A: 9\n< +B: 1\n> AT\n< OK\n", [](Dialogue& d) {
        Lines seen;
        ASSERT_DONE(d.channel.command("AT+A"));
        d.channel.set_urc_handler([&](std::string_view line) {
            seen.emplace_back(line);
            return false;
        });
        ASSERT_DONE(d.channel.expect("+B", soon));
        EXPECT_THAT(seen, IsEmpty());
        ASSERT_DONE(d.channel.command("AT"));
        EXPECT_THAT(seen, ElementsAre("+A: 9"));
    });
}

TEST(channel_urc, listen_sees_everything) {
    replay("> AT+MIPCALL?\n< OK\n< +MIPCALL: 0\n< RDY\n! silence\n< +X\n! cancel\n! hangup\n",
           [](Dialogue& d) {
               Lines seen;
               ASSERT_DONE(d.channel.command("AT+MIPCALL?"));
               d.channel.set_urc_handler([&](std::string_view line) {
                   seen.emplace_back(line);
                   return true;
               });
               ASSERT_DONE(d.channel.listen({Clock::now() + soon}));
               EXPECT_THAT(seen, ElementsAre("+MIPCALL: 0", "RDY"));
               EXPECT_FAILS(d.channel.listen({Clock::now() + soon}), Errc::cancelled);
               EXPECT_FAILS(d.channel.listen({Clock::now() + soon}), Errc::line_lost);
               EXPECT_EQ(seen.back(), "+X");
           });
}

TEST(channel_prompt, with_and_without_line_end) {
    for (const auto* const text :
         {"> AT+P=3\n<< \\r\\n> \n= abc\n< OK\n", "> AT+P=3\n<< >\n= abc\n< OK\n",
          "> AT+P=3\n<< AT+P=3\\r\\r\\n>\\r\\n\n= abc\n<< \\r\\nOK\\r\\n\n",
          "> AT+P=3\n<< \\r\\n> \n= abc\n<<  OK\\r\\n\n"}) {
        SCOPED_TRACE(text);
        replay(text, [](Dialogue& d) {
            ASSERT_DONE(d.channel.send(Command("AT+P").number(3)));
            ASSERT_DONE(d.channel.expect_prompt('>', soon));
            ASSERT_DONE(d.channel.write_raw(std::string_view("abc"), soon));
            ASSERT_DONE(d.channel.expect_ok(soon));
        });
    }
}

TEST(channel_prompt, error_instead) {
    replay("> AT+P=3\n< +X: >\n< ERROR\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send(Command("AT+P").number(3)));
        EXPECT_FAILS(d.channel.expect_prompt('>', soon), Errc::refused);
        EXPECT_THAT(d.channel.take_lines(), ElementsAre("+X: >"));
    });
}

TEST(channel_events, data_mode_results) {
    replay(
        "> AT+D\n< CONNECT OK\n< CONNECT 115200\n= x\n< NO CARRIER\n> AT+D\n< CONNECT\n> AT+D\n< "
        "NO CARRIER\n"
        "> AT+D\n< CONNECT\n",
        [](Dialogue& d) {
            ASSERT_DONE(d.channel.send("AT+D"));
            ASSERT_OK(const auto urc, d.channel.next(soon));
            EXPECT_EQ(urc.kind, Event::Kind::line);
            ASSERT_OK(const auto connect, d.channel.next(soon));
            EXPECT_EQ(connect.kind, Event::Kind::connect);
            EXPECT_EQ(connect.text, "CONNECT 115200");
            ASSERT_DONE(
                d.channel.read_raw(1, [](std::span<const char>) { return Result<void>(); }, soon));
            ASSERT_OK(const auto end, d.channel.next(soon));
            EXPECT_EQ(end.kind, Event::Kind::no_carrier);
            EXPECT_FAILS(d.channel.expect("+D", soon), Errc::timed_out);
            ASSERT_DONE(d.channel.send("AT+D"));
            ASSERT_OK(const auto bare, d.channel.next(soon));
            EXPECT_EQ(bare.kind, Event::Kind::connect);
            EXPECT_FAILS(d.channel.command("AT+D"), Errc::data_connection);
            EXPECT_FAILS(d.channel.command("AT+D"), Errc::garbled);
        });
}

TEST(channel_noise, control_characters_and_idle_levels) {
    replay(
        "<< \\x00\\x00\\xff\n> AT\n<< \\x00\\xff\\xffO\\x00K\\r\\n\\x11\\x13\n> AT\n<< "
        "\\x00\\r\\nOK\\r\\n\n",
        [](Dialogue& d) {
            ASSERT_OK(const auto first, d.channel.command("AT"));
            EXPECT_THAT(first, IsEmpty());
            ASSERT_DONE(d.channel.command("AT"));
        });
}

TEST(channel_limits, a_line_without_end_is_garbled) {
    std::string text = "> AT\n";
    for (int i = 0; i < 70; ++i) {
        text += "<< " + std::string(1000, 'x') + "\n";
    }
    text += "<< y\\r\\n\n> AT\n< OK\n";
    replay(text, [](Dialogue& d) {
        EXPECT_FAILS(d.channel.command("AT"), Errc::garbled);
        ASSERT_DONE(d.channel.listen({Clock::now() + soon}));
        ASSERT_OK(const auto lines, d.channel.command("AT"));
        EXPECT_THAT(lines, IsEmpty());
    });
}

TEST(channel_limits, an_answer_beyond_any_sane_length) {
    std::string text = "> AT+A\n";
    for (int i = 0; i < 60; ++i) {
        text += "< +A: " + std::string(5000, 'x') + "\n";
    }
    text += "< OK\n> AT\n< OK\n";
    replay(text, [](Dialogue& d) {
        EXPECT_FAILS(d.channel.command("AT+A"), Errc::too_large);
        ASSERT_DONE(d.channel.command("AT"));
    });
}

TEST(channel_progress, is_told_of_answers_only) {
    replay("> AT+A\n< +NOISE\n< +A: 1\n< OK\n", [](Dialogue& d) {
        int told = 0;
        d.channel.set_progress_handler([&] { ++told; });
        ASSERT_DONE(d.channel.send("AT+A"));
        told = 0;
        ASSERT_DONE(d.channel.expect("+A", soon));
        EXPECT_EQ(told, 1);
        ASSERT_DONE(d.channel.expect_ok(soon));
        EXPECT_EQ(told, 2);
    });
}

TEST(channel_outcome, hangup_and_cancel_unwind) {
    replay("> AT\n! cancel\n> AT\n! hangup\n", [](Dialogue& d) {
        EXPECT_FAILS(d.channel.command("AT"), Errc::cancelled);
        EXPECT_FAILS(d.channel.command("AT"), Errc::line_lost);
        EXPECT_FAILS(d.channel.command("AT"), Errc::line_lost);
        EXPECT_THAT(d.trace.tail(), HasSubstr("> AT | ! cancel | > AT | ! hangup"));
    });
}

}  // namespace
}  // namespace modem::test
