// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/at/channel.hpp"
#include "tests/fakes/scripted_stream.hpp"

namespace modem::test {

/// Everything a channel needs, on one transcript.
struct Dialogue {
    Dialogue(Transcript& transcript, Chunking chunking, unsigned seed = 1)
        : stream(transcript, chunking, seed) {
        channel.set_default_timeout(milliseconds(60'000));
    }
    ScriptedStream stream;
    Trace trace;
    LineCounters counters;
    Channel channel{stream, trace, counters};
};

/// Runs `driver` on the transcript in every chunking (and several random ones), each with the same
/// expectations, and fails unless the whole transcript was played.
inline void replay(std::string_view text, const std::function<void(Dialogue&)>& driver) {
    auto transcript = Transcript::parse(text);
    ASSERT_TRUE(transcript) << transcript.error().what;
    std::vector<std::pair<Chunking, unsigned>> runs{{Chunking::bytes, 1}, {Chunking::whole, 1}};
    for (unsigned seed = 1; seed <= 8; ++seed) {
        runs.emplace_back(Chunking::random, seed);
    }
    for (const auto& [chunking, seed] : runs) {
        SCOPED_TRACE(testing::Message()
                     << "chunking " << static_cast<int>(chunking) << " seed " << seed);
        Dialogue dialogue(*transcript, chunking, seed);
        driver(dialogue);
        EXPECT_EQ(dialogue.stream.failure(), "");
        if (testing::Test::HasFailure()) {
            return;  // one chunking's failures are enough to read
        }
    }
}

/// EXPECT that a Result is an error with this code.
#define EXPECT_FAILS(expression, expected_code)                                             \
    do {                                                                                    \
        const auto failing = (expression);                                                  \
        ASSERT_FALSE(failing.has_value());                                                  \
        EXPECT_EQ(name(failing.error().code), name(expected_code)) << failing.error().what; \
    } while (false)

/// ASSERT that a Result holds a value, and declare it.
#define ASSERT_OK(declaration, expression)                                                      \
    auto MODEMFTP_CONCAT(ok_, __LINE__) = (expression);                                         \
    ASSERT_TRUE(MODEMFTP_CONCAT(ok_, __LINE__)) << MODEMFTP_CONCAT(ok_, __LINE__).error().what; \
    MODEMFTP_CONCAT2(declaration, ) = *std::move(MODEMFTP_CONCAT(ok_, __LINE__))

#define ASSERT_DONE(expression)                             \
    do {                                                    \
        const auto done = (expression);                     \
        ASSERT_TRUE(done.has_value()) << done.error().what; \
    } while (false)

}  // namespace modem::test
