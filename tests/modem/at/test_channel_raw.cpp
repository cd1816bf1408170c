// SPDX-License-Identifier: MIT
// Channel: raw blocks, DLE streams, escaping, and the ways back to order.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>

#include "tests/modem/at/scripted.hpp"

namespace modem::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
constexpr milliseconds soon{60'000};  ///< a script never lets anybody wait

/// A consumer that appends to `data`.
Channel::Consumer into(std::string& data) {
    return [&data](std::span<const char> bytes) {
        data.append(bytes.data(), bytes.size());
        return Result<void>();
    };
}

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    return bytes;
}

std::string dle_encoded(std::string_view bytes) {
    std::string encoded;
    for (const char c : bytes) {
        if (c == 0x10 || c == 0x03) {
            encoded += '\x10';
        }
        encoded += c;
    }
    return encoded;
}

TEST(channel_raw, block_with_results_inside_and_a_urc_behind_it) {
    const std::string block = "\r\nOK\r\nERROR\r\n+CME ERROR: 3\r\n\nx";
    const auto text = "> AT+FTPRECV=100\n< +FTPRECV: " + std::to_string(block.size()) +
                      "\n= " + c_escape(block) + "\n<< +FTPGET: 1\\r\\n\\r\\nOK\\r\\n\n";
    replay(text, [&](Dialogue& d) {
        ASSERT_DONE(d.channel.send(Command("AT+FTPRECV").number(100)));
        ASSERT_OK(const auto answer, d.channel.expect("+FTPRECV", soon));
        std::string data;
        ASSERT_DONE(d.channel.read_raw(static_cast<std::uint64_t>(answer.number(0).value()),
                                       into(data), soon));
        EXPECT_EQ(data, block);
        ASSERT_DONE(d.channel.expect_ok(soon));
        EXPECT_THAT(d.channel.take_lines(), ElementsAre("+FTPGET: 1"));
        EXPECT_EQ(d.counters.payload_received, block.size());
    });
}

TEST(channel_raw, all_byte_values_both_ways) {
    const auto bytes = all_bytes();
    const auto text =
        "> AT+A\n< +A: 256\n= " + c_escape(bytes) + "\n< OK\n= " + c_escape(bytes) + "\n< OK\n";
    replay(text, [&](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+A"));
        ASSERT_DONE(d.channel.expect("+A", soon));
        std::string data;
        ASSERT_DONE(d.channel.read_raw(256, into(data), soon));
        EXPECT_EQ(data, bytes);
        ASSERT_DONE(d.channel.expect_ok(soon));
        ASSERT_DONE(d.channel.write_raw(bytes, soon));
        ASSERT_OK(const auto event, d.channel.next(soon));
        EXPECT_EQ(event.kind, Event::Kind::ok);
        EXPECT_EQ(d.counters.payload_sent, 256U);
    });
}

TEST(channel_raw, an_empty_block_reads_nothing) {
    replay("> AT+A\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+A"));
        ASSERT_DONE(d.channel.read_raw(
            0, [](std::span<const char>) { return Result<void>(fail(Errc::local_io, "")); }, soon));
        ASSERT_DONE(d.channel.expect_ok(soon));
    });
}

TEST(channel_raw, silence_hangup_cancel_and_a_consumer_that_fails) {
    replay("> AT+A\n< +A: 4\n= ab\n! silence\n= cd\n! cancel\n! hangup\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+A"));
        ASSERT_DONE(d.channel.expect("+A", soon));
        std::string data;
        const auto silent = d.channel.read_raw(4, into(data), milliseconds(700));
        ASSERT_FALSE(silent);
        EXPECT_EQ(silent.error().code, Errc::timed_out);
        EXPECT_EQ(silent.error().what, "AT+A: no data within 0.7 s");
        EXPECT_EQ(data, "ab");
        EXPECT_FAILS(
            d.channel.read_raw(
                2, [](std::span<const char>) { return fail(Errc::local_no_space, "full"); }, soon),
            Errc::local_no_space);
        EXPECT_FAILS(d.channel.read_raw(9, into(data), soon), Errc::cancelled);
        EXPECT_FAILS(d.channel.read_raw(9, into(data), soon), Errc::line_lost);
    });
}

TEST(channel_dle, every_byte_value_and_a_result_right_behind) {
    const auto bytes = all_bytes();
    const auto text =
        "> AT+R\n< +R: 2\n= " + c_escape(dle_encoded(bytes)) + "\\x03\n<< +R: 1\\r\\n\n";
    replay(text, [&](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+R"));
        ASSERT_DONE(d.channel.expect("+R", soon));
        std::string data;
        ASSERT_DONE(d.channel.read_dle(into(data), soon));
        EXPECT_EQ(data, bytes);
        ASSERT_OK(const auto verdict, d.channel.expect("+R", soon));
        EXPECT_EQ(verdict.number(0), 1);
        EXPECT_EQ(d.counters.payload_received, 256U);
    });
}

TEST(channel_dle, the_manuals_example_and_an_empty_stream) {
    replay("> AT+R\n< +R: 2\n= \\x10\\x03\\x11\\x10\\x10\\x03\n= \\x03\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+R"));
        ASSERT_DONE(d.channel.expect("+R", soon));
        std::string data;
        ASSERT_DONE(d.channel.read_dle(into(data), soon));
        EXPECT_EQ(data, "\x03\x11\x10");
        ASSERT_DONE(d.channel.read_dle(into(data), soon));
        EXPECT_EQ(data.size(), 3U);
        ASSERT_DONE(d.channel.expect_ok(soon));
    });
}

TEST(channel_dle, writing_escapes_and_ends) {
    const auto bytes = all_bytes();
    const auto text = "> AT+S\n< +S: 2\n= " + c_escape(dle_encoded(bytes)) + "\n= \\x03\n< +S: 1\n";
    replay(text, [&](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+S"));
        ASSERT_DONE(d.channel.expect("+S", soon));
        ASSERT_DONE(d.channel.write_dle(bytes, soon));
        ASSERT_DONE(d.channel.write_byte(0x03, soon));
        ASSERT_DONE(d.channel.expect("+S", soon));
        EXPECT_EQ(d.counters.payload_sent, 256U);
        EXPECT_EQ(d.counters.bytes_sent, 5U + 256U + 2U + 1U);
    });
}

TEST(channel_dle, more_than_one_encoding_buffer) {
    const std::string bytes(10'000, '\x10');
    auto transcript = Transcript::parse("= " + c_escape(dle_encoded(bytes)) + "\n");
    ASSERT_TRUE(transcript);
    Dialogue d(*transcript, Chunking::random);
    ASSERT_DONE(d.channel.write_dle(bytes, soon));
    EXPECT_EQ(d.stream.failure(), "");
    EXPECT_EQ(d.counters.payload_sent, bytes.size());
}

TEST(channel_scan, leaves_what_was_not_taken) {
    replay("> AT+D\n< CONNECT\n= data1data2END\n< +D: 1\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.send("AT+D"));
        ASSERT_DONE(d.channel.next(soon));
        std::string data;
        const auto scanner = [&](std::span<const char> bytes) -> Result<Channel::Taken> {
            const std::string_view seen(bytes.data(), bytes.size());
            if (seen.starts_with("END")) {
                return Channel::Taken{3, false};
            }
            const auto end = std::min(seen.find('E'), seen.size());
            data += seen.substr(0, end);
            return Channel::Taken{end, true};
        };
        ASSERT_DONE(d.channel.scan(scanner, soon));
        EXPECT_EQ(data, "data1data2");
        ASSERT_OK(const auto verdict, d.channel.expect("+D", soon));
        EXPECT_EQ(verdict.number(0), 1);
        ASSERT_DONE(d.channel.expect_ok(soon));
    });
}

TEST(channel_order, drain_drops_half_an_answer) {
    replay("> AT+A\n< +A: 900\n= \\x00OK\\r\\nhalf a bl\n! silence\n> AT\n<< 0\\r\n> AT\n< OK\n",
           [](Dialogue& d) {
               int urcs = 0;
               d.channel.set_urc_handler([&](std::string_view) { return ++urcs > 0; });
               ASSERT_DONE(d.channel.send("AT+A"));
               ASSERT_DONE(d.channel.expect("+A", soon));
               ASSERT_DONE(d.channel.drain(milliseconds(100), soon));
               EXPECT_EQ(urcs, 0);
               ASSERT_DONE(d.channel.command("AT"));
               ASSERT_DONE(d.channel.command("AT"));
           });
}

TEST(channel_order, drain_ends_at_its_limit_and_at_a_hangup) {
    replay("<< some\n<< thing\n! hangup\n", [](Dialogue& d) {
        EXPECT_FAILS(d.channel.drain(milliseconds(500), soon), Errc::line_lost);
    });
    // Noise without end: a read always finds something.
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += "<< noise\n";
    }
    auto transcript = Transcript::parse(text);
    ASSERT_TRUE(transcript);
    Dialogue d(*transcript, Chunking::bytes);
    ASSERT_DONE(d.channel.drain(milliseconds(500), milliseconds(0)));
    EXPECT_THAT(d.stream.failure(), HasSubstr("never re"));
}

TEST(channel_order, escape_keeps_its_guard_times) {
    replay("~ 1000\n= +++\n~ 1000\n< OK\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.escape());
        ASSERT_OK(const auto event, d.channel.next(soon));
        EXPECT_EQ(event.kind, Event::Kind::ok);
    });
}

TEST(channel_order, dtr_only_where_there_is_one) {
    replay("! dtr\n< NO CARRIER\n", [](Dialogue& d) {
        ASSERT_DONE(d.channel.pulse_dtr(milliseconds(300)));
        ASSERT_OK(const auto event, d.channel.next(soon));
        EXPECT_EQ(event.kind, Event::Kind::no_carrier);
        EXPECT_FAILS(d.channel.pulse_dtr(milliseconds(300)), Errc::not_supported);
    });
}

/// A modem that never stops talking, in real time.
class FloodStream final : public ByteStream {
public:
    Result<std::size_t> read(std::span<char> into, Wait) override {
        constexpr std::string_view line = "\r\n+CIEV: 1\r\n";
        return line.copy(into.data(), into.size());
    }
    Result<std::size_t> write(std::span<const char> bytes, Wait) override { return bytes.size(); }
    Result<void> flush(Wait) override { return {}; }
    Result<void> pause(milliseconds, const Interrupt*) override { return {}; }
    Result<void> pulse_dtr(milliseconds) override { return {}; }
    std::string describe() const override { return "flood"; }
    bool is_usb() const override { return false; }
};

TEST(channel_flood, cannot_extend_a_wait) {
    FloodStream stream;
    Trace trace;
    LineCounters counters;
    Channel channel(stream, trace, counters);
    for (const bool claimed : {true, false}) {
        channel.set_urc_handler([&](std::string_view) { return claimed; });
        const auto begin = Clock::now();
        EXPECT_FAILS(channel.command("AT", milliseconds(50)), Errc::timed_out);
        EXPECT_FAILS(channel.expect("+A", milliseconds(50)), Errc::timed_out);
        EXPECT_FAILS(channel.expect_prompt('>', milliseconds(50)), Errc::timed_out);
        ASSERT_DONE(channel.listen({Clock::now() + milliseconds(50)}));
        ASSERT_DONE(channel.drain(milliseconds(20), milliseconds(50)));
        EXPECT_LT(Clock::now() - begin, milliseconds(5000));
    }
}

/// Notes every pause and every write.
class NotingStream final : public ByteStream {
public:
    std::vector<milliseconds> pauses;
    std::vector<std::string> writes;
    std::string answer;
    Result<std::size_t> read(std::span<char> into, Wait) override {
        if (answer.empty()) {
            return fail(Errc::timed_out, "");
        }
        const auto count = answer.copy(into.data(), into.size());
        answer.erase(0, count);
        return count;
    }
    Result<std::size_t> write(std::span<const char> bytes, Wait) override {
        writes.emplace_back(bytes.data(), bytes.size());
        answer = "\r\nOK\r\n";
        return bytes.size();
    }
    Result<void> flush(Wait) override { return {}; }
    Result<void> pause(milliseconds time, const Interrupt*) override {
        pauses.push_back(time);
        return {};
    }
    Result<void> pulse_dtr(milliseconds) override { return {}; }
    std::string describe() const override { return "noting"; }
    bool is_usb() const override { return false; }
};

TEST(channel_gap, only_what_is_left_of_it_is_waited) {
    NotingStream stream;
    Trace trace;
    LineCounters counters;
    Channel channel(stream, trace, counters);
    channel.set_command_gap(milliseconds(60'000));
    ASSERT_DONE(channel.command("AT"));
    EXPECT_THAT(stream.pauses, ElementsAre());
    ASSERT_DONE(channel.command("AT"));
    ASSERT_EQ(stream.pauses.size(), 1U);
    EXPECT_GT(stream.pauses[0], milliseconds(50'000));
    EXPECT_LE(stream.pauses[0], milliseconds(60'000));
    channel.set_command_gap(milliseconds(0));
    ASSERT_DONE(channel.command("AT"));
    EXPECT_EQ(stream.pauses.size(), 1U);
    EXPECT_THAT(stream.writes, ElementsAre("AT\r", "AT\r", "AT\r"));
}

}  // namespace
}  // namespace modem::test
