// SPDX-License-Identifier: MIT

// Replays every transcript of every dialect: what they are and how one is written stands in
// scenario.hpp. Needs MODEMFTP_TRANSCRIPTS, the directory with one directory a dialect.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "modem/dialects/registry.hpp"
#include "tests/dialects/player.hpp"
#include "tests/fakes/scripted_stream.hpp"

namespace modem::test {
namespace {

namespace fs = std::filesystem;

fs::path transcripts() {
    const char* const path = std::getenv("MODEMFTP_TRANSCRIPTS");
    return path != nullptr ? path : "tests/transcripts";
}

std::string content_of(const fs::path& path) {
    const std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<fs::path> files_of(std::string_view dialect) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(transcripts() / dialect, error)) {
        if (entry.path().extension() == ".at") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

struct Manner {
    std::string name;
    Chunking chunking = Chunking::whole;
    bool echo = false;
    bool noise = false;
};

// Bytes first: that teaches the transcript who sends its raw bytes.
const std::vector<Manner>& manners() {
    static const std::vector<Manner> all{
        {"byte by byte", Chunking::bytes},
        {"whole", Chunking::whole},
        {"split at random", Chunking::random},
        {"echo on", Chunking::random, true},
        {"URCs between all lines", Chunking::random, false, true},
        {"URCs, byte by byte", Chunking::bytes, false, true},
    };
    return all;
}

constexpr std::string_view noise = "+CREG: 1";

// One replay: line, channel and dialect as the worker would put them together.
class Replay {
public:
    Replay(Transcript& transcript, const DialectEntry& family, const Manner& manner, unsigned seed)
        : stream_(transcript, manner.chunking, seed),
          trace_path_(fs::temp_directory_path() /
                      fmt::format("modemftp-transcript-{}.at", ::getpid())),
          channel_(stream_, trace_, counters_),
          dialect_(family.make(channel_, config_)) {
        stream_.set_echo(manner.echo);
        if (manner.noise) {
            stream_.set_noise(std::string(noise));
        }
        fs::remove(trace_path_);
        EXPECT_TRUE(trace_.set_file(trace_path_));
        channel_.set_error_codes(dialect_->error_codes());
        channel_.set_urc_handler([this](std::string_view line) { return heard(line); });
    }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    ~Replay() { fs::remove(trace_path_); }

    void run(const Scenario& scenario) {
        stream_.set_usb(scenario.usb);
        for (std::size_t index = 0; index < scenario.steps.size(); ++index) {
            const auto& step = scenario.steps[index];
            const unsigned next =
                index + 1 < scenario.steps.size() ? scenario.steps[index + 1].call.line : UINT_MAX;
            SCOPED_TRACE(fmt::format("line {}: {}", step.call.line, step.call.name));
            if (!run(step, next)) {
                return;
            }
        }
        read_the_rest();
        EXPECT_EQ(stream_.failure(), "");
        check_trace(scenario);
    }

private:
    bool run(const Scenario::Step& step, unsigned next_directive) {
        heard_.clear();
        auto outcome = play(*dialect_, step.call);
        if (!outcome) {
            ADD_FAILURE() << outcome.error().what;
            return false;
        }
        outcome->told["heard"] = heard_;
        EXPECT_EQ(mismatch(*outcome, step.expected), "")
            << "  " << stream_.failure() << "\n  " << trace_.tail(12);
        const unsigned due = stream_.next_host_line();
        EXPECT_TRUE(due == 0 || due > next_directive)
            << "the call ended without sending line " << due << "\n  " << trace_.tail(12);
        return !::testing::Test::HasFailure();
    }

    bool heard(std::string_view line) {
        constexpr std::string_view meanings[] = {"", "", "session_lost", "bearer_lost",
                                                 "restarted"};
        const UrcMeaning meaning = dialect_->urc(line);
        const std::string_view word = meanings[static_cast<std::size_t>(meaning)];
        heard_ += word.empty() || heard_.empty() ? "" : ",";
        heard_ += word;
        return meaning != UrcMeaning::unknown;
    }

    // What came after the last verdict and nobody waits for.
    void read_the_rest() {
        std::uint64_t before = 0;
        do {
            before = counters_.bytes_received;
            (void)channel_.listen({Clock::now()});
        } while (counters_.bytes_received != before);
    }

    // The trace is a transcript again, and shows no secret.
    void check_trace(const Scenario& scenario) {
        EXPECT_TRUE(trace_.set_file(""));
        const std::string text = content_of(trace_path_);
        const auto again = Transcript::parse(text);
        EXPECT_TRUE(again) << again.error().what;
        for (const auto& step : scenario.steps) {
            const std::string secret = step.call.value("password", "secret-word");
            EXPECT_EQ(text.find(secret), std::string::npos) << "the trace shows a password";
        }
    }

    config::Config config_;
    Trace trace_;
    LineCounters counters_;
    ScriptedStream stream_;
    fs::path trace_path_;
    Channel channel_;
    std::unique_ptr<Dialect> dialect_;
    std::string heard_;
};

struct Case {
    const DialectEntry* family = nullptr;
    fs::path file;
};

std::ostream& operator<<(std::ostream& out, const Case& tested) {
    return out << tested.file.string();
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const DialectEntry& family : dialects()) {
        for (const fs::path& file : files_of(family.name)) {
            cases.push_back({&family, file});
        }
    }
    return cases;
}

std::string identifier(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char byte) { return !std::isalnum(static_cast<unsigned char>(byte)); }, '_');
    return text;
}

class TranscriptTest : public ::testing::TestWithParam<Case> {};

TEST_P(TranscriptTest, IsSpokenAsWritten) {
    const Case& tested = GetParam();
    auto transcript = Transcript::load(tested.file);
    ASSERT_TRUE(transcript) << transcript.error().what;
    const auto scenario = parse_scenario(content_of(tested.file), tested.file.string());
    ASSERT_TRUE(scenario) << scenario.error().what;
    const char* const given = std::getenv("MODEMFTP_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                           : std::random_device()();
    for (const Manner& manner : manners()) {
        SCOPED_TRACE(fmt::format("{}, {}, MODEMFTP_SEED={}", tested.file.filename().string(),
                                 manner.name, seed));
        Replay(*transcript, *tested.family, manner, seed).run(*scenario);
        if (HasFailure()) {
            return;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, TranscriptTest, ::testing::ValuesIn(all_cases()),
                         [](const ::testing::TestParamInfo<Case>& tested) {
                             return identifier(std::string(tested.param.family->name) + "_" +
                                               tested.param.file.stem().string());
                         });

class FamilyTest : public ::testing::TestWithParam<const DialectEntry*> {
protected:
    // A dialect on a line where nothing happens, for what it says about itself.
    Transcript nothing_ = *Transcript::parse("");
    ScriptedStream stream_{nothing_};
    Trace trace_;
    LineCounters counters_;
    Channel channel_{stream_, trace_, counters_};
    config::Config config_;
    std::unique_ptr<Dialect> dialect_ = GetParam()->make(channel_, config_);
};

TEST_P(FamilyTest, ShowsEachCapabilityInATranscript) {
    std::set<std::string> shown;
    for (const fs::path& file : files_of(GetParam()->name)) {
        const auto scenario = parse_scenario(content_of(file), file.string());
        ASSERT_TRUE(scenario) << scenario.error().what;
        shown.insert(scenario->covers.begin(), scenario->covers.end());
        const Directive* before = nullptr;
        for (const auto& step : scenario->steps) {
            shown.merge(shown_by(step.call, step.expected, before));
            before = &step.call;
        }
    }
    for (const auto& [capability, claimed] : yes_or_no(dialect_->capabilities())) {
        EXPECT_TRUE(!claimed || shown.contains(capability))
            << GetParam()->name << " claims `" << capability << "`, and no transcript shows it";
    }
}

TEST_P(FamilyTest, NamesEachErrorOfItsManual) {
    std::map<int, std::string> listed;
    std::istringstream list(content_of(transcripts() / GetParam()->name / "errors.list"));
    for (std::string line; std::getline(list, line);) {
        std::istringstream words(line);
        int number = 0;
        std::string code;
        if (words >> number >> code) {
            listed[number] = code;
        }
    }
    ASSERT_FALSE(listed.empty()) << "errors.list is missing";
    for (const ErrorCode& row : dialect_->error_codes()) {
        EXPECT_TRUE(listed.contains(row.number)) << "errors.list lacks " << row.number;
    }
    for (const auto& [number, code] : listed) {
        auto dialogue = Transcript::parse(fmt::format("> AT+X\n< +CME ERROR: {}\n", number));
        ASSERT_TRUE(dialogue);
        ScriptedStream stream(*dialogue);
        Channel channel(stream, trace_, counters_);
        channel.set_error_codes(dialect_->error_codes());
        const auto answer = channel.command("AT+X");
        ASSERT_FALSE(answer);
        EXPECT_EQ(name(answer.error().code), code) << number << ": " << answer.error().what;
        EXPECT_EQ(answer.error().number, number);
        EXPECT_NE(answer.error().what.find(fmt::format("(+CME ERROR: {})", number)),
                  std::string::npos)
            << "no words: " << answer.error().what;
    }
}

TEST_P(FamilyTest, IsFoundByItsName) {
    EXPECT_EQ(find_dialect(GetParam()->name), GetParam());
    EXPECT_EQ(find_dialect("no-such-modem"), nullptr);
    EXPECT_FALSE(GetParam()->matches(Identity{}));
}

std::vector<const DialectEntry*> all_families() {
    std::vector<const DialectEntry*> families;
    for (const DialectEntry& family : dialects()) {
        families.push_back(&family);
    }
    return families;
}

INSTANTIATE_TEST_SUITE_P(All, FamilyTest, ::testing::ValuesIn(all_families()),
                         [](const ::testing::TestParamInfo<const DialectEntry*>& tested) {
                             return identifier(std::string(tested.param->name));
                         });

}  // namespace
}  // namespace modem::test
