// SPDX-License-Identifier: MIT

// What the worker decides without a line: pure functions.

#include <gtest/gtest.h>

#include "modem/bring_up.hpp"
#include "modem/ladder.hpp"
#include "modem/limits.hpp"
#include "modem/transfer_run.hpp"

namespace modem {
namespace {

using bring_up::Registration;
using config::FlowControl;
using config::TransferWay;

TEST(Registration, IsReadFromAnyOfTheThreeAnswers) {
    EXPECT_EQ(bring_up::registration("+CREG: 0,1"), Registration::registered);
    EXPECT_EQ(bring_up::registration("+CEREG:0,5"), Registration::registered);
    EXPECT_EQ(bring_up::registration("+CGREG: 2,1,\"00C3\",\"0012\""), Registration::registered);
    EXPECT_EQ(bring_up::registration("+CREG: 0,2"), Registration::searching);
    EXPECT_EQ(bring_up::registration("+CREG: 0,3"), Registration::denied);
    EXPECT_EQ(bring_up::registration("+CREG: 0,0"), Registration::idle);
    EXPECT_EQ(bring_up::registration("+CREG: 1,\"0012\",\"0001\""), Registration::registered);
    EXPECT_EQ(bring_up::registration("+CREG: 5"), Registration::registered);
    EXPECT_EQ(bring_up::registration("+CREG: 0,4"), Registration::unknown);
    EXPECT_EQ(bring_up::registration("+CSQ: 1,1"), Registration::unknown);
}

Capabilities both_ways() {
    Capabilities can;
    can.store = can.retrieve_stream = can.retrieve_paced = can.store_stream = can.store_paced =
        true;
    can.break_off_paced = true;
    return can;
}

TEST(Way, FollowsFlowControlSizeAndWishes) {
    const Capabilities both = both_ways();
    const auto download = [&](FlowControl flow, std::optional<std::uint64_t> bytes) {
        return choose_way({.flow_control = flow, .bytes = bytes}, both);
    };
    EXPECT_EQ(download(FlowControl::none, 10), Way::paced);
    EXPECT_EQ(download(FlowControl::rts_cts, 64 * 1024), Way::stream);
    EXPECT_EQ(download(FlowControl::rts_cts, 64 * 1024 + 1), Way::paced);
    EXPECT_EQ(download(FlowControl::rts_cts, std::nullopt), Way::paced);
    Capabilities breakable = both;
    breakable.break_off_stream = true;
    EXPECT_EQ(choose_way({.flow_control = FlowControl::rts_cts}, breakable), Way::stream);
    EXPECT_EQ(choose_way({.download = false, .flow_control = FlowControl::rts_cts}, both),
              Way::stream);
    EXPECT_EQ(choose_way({.download = false}, both), Way::paced);
    EXPECT_EQ(choose_way({.configured = TransferWay::stream}, both), Way::stream);
    EXPECT_EQ(choose_way({.asked = Way::paced, .configured = TransferWay::stream}, both),
              Way::paced);
    Capabilities stream_only = both;
    stream_only.retrieve_paced = false;
    EXPECT_EQ(choose_way({.configured = TransferWay::paced}, stream_only), Way::stream);
    EXPECT_EQ(choose_way({.asked = Way::paced}, stream_only), Way::stream);
    EXPECT_EQ(choose_way({}, Capabilities{}), std::nullopt);
}

TEST(Fit, SaysWhatDoesNotGoTogether) {
    config::Config config;
    config.ftp.host = "ftp.example.com";
    Capabilities can = both_ways();
    EXPECT_TRUE(bring_up::check_fit(config, can).has_value());
    can.host_names = false;
    EXPECT_FALSE(bring_up::check_fit(config, can).has_value());
    config.ftp.host = "192.0.2.1";
    EXPECT_TRUE(bring_up::check_fit(config, can).has_value());
    config.ftp.security = config::Security::ftps;
    EXPECT_FALSE(bring_up::check_fit(config, can).has_value());
    config.ftp.security = config::Security::sftp;
    EXPECT_FALSE(bring_up::check_fit(config, can).has_value());
    config.ftp.security = config::Security::none;
    config.line.flow_control = FlowControl::xon_xoff;
    EXPECT_FALSE(bring_up::check_fit(config, can).has_value());
    config.modem.transfer = TransferWay::paced;
    EXPECT_TRUE(bring_up::check_fit(config, can).has_value());
    can.xon_xoff = true;
    config.modem.transfer = TransferWay::stream;
    EXPECT_TRUE(bring_up::check_fit(config, can).has_value());
}

TEST(Limits, OfOffsetsAndSizes) {
    Capabilities can = both_ways();
    can.max_size = 100;
    can.max_offset = 50;
    const RemotePath file = RemotePath::parse("/f").value();
    const auto code = [&](const Request& request) {
        const auto verdict = check_limits(request, can);
        return verdict ? Errc{-1} : verdict.error().code;
    };
    EXPECT_EQ(code(StoreRequest{file, StoreMode::create, 0, 100, nullptr}), Errc{-1});
    EXPECT_EQ(code(StoreRequest{file, StoreMode::create, 0, 101, nullptr}), Errc::not_supported);
    EXPECT_EQ(code(StoreRequest{file, StoreMode::append, 0, 1, nullptr}), Errc::not_supported);
    EXPECT_EQ(code(StoreRequest{file, StoreMode::at_offset, 1, 1, nullptr}), Errc::not_supported);
    can.append = can.store_offset = true;
    EXPECT_EQ(code(StoreRequest{file, StoreMode::append, 0, 1, nullptr}), Errc{-1});
    EXPECT_EQ(code(StoreRequest{file, StoreMode::at_offset, 50, 1, nullptr}), Errc{-1});
    EXPECT_EQ(code(StoreRequest{file, StoreMode::at_offset, 51, 1, nullptr}), Errc::not_supported);
    EXPECT_EQ(code(RetrieveRequest{file, 1, 10, nullptr}), Errc::not_supported);
    EXPECT_EQ(code(RetrieveRequest{file, 0, 10, nullptr}), Errc{-1});
    EXPECT_EQ(code(StatRequest{file}), Errc::not_supported);
    EXPECT_EQ(code(ListRequest{file}), Errc::not_supported);
}

class LadderTest : public testing::Test {
protected:
    Ladder::Limits limits{.back_off_first = milliseconds(1000),
                          .back_off_most = milliseconds(30'000),
                          .reset_spacing = milliseconds(300'000),
                          .power_spacing = milliseconds(1'800'000),
                          .can_power_cycle = true};
    Clock::time_point now = Clock::now();
};

TEST_F(LadderTest, ClimbsWithGrowingDelaysAndComesDown) {
    Ladder ladder(limits);
    std::vector<Rung> rungs;
    std::vector<long> delays;
    for (int i = 0; i < 9; ++i) {
        const auto step = ladder.failed(Errc::timed_out, now);
        rungs.push_back(step.rung);
        delays.push_back(step.delay.count());
    }
    EXPECT_EQ(rungs, (std::vector{Rung::resync, Rung::resync, Rung::end_session, Rung::end_session,
                                  Rung::drop_bearer, Rung::drop_bearer, Rung::soft_reset,
                                  Rung::drop_bearer, Rung::power_cycle}));
    EXPECT_EQ(delays, (std::vector<long>{0, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
    ladder.succeeded();
    EXPECT_EQ(ladder.failed(Errc::timed_out, now).rung, Rung::resync);
}

TEST_F(LadderTest, SpacesResetsAndPowerCycles) {
    Ladder ladder(limits);
    for (int i = 0; i < 9; ++i) {
        (void)ladder.failed(Errc::timed_out, now);
    }
    EXPECT_EQ(ladder.failed(Errc::timed_out, now).rung, Rung::drop_bearer);
    now += std::chrono::minutes(6);
    EXPECT_EQ(ladder.failed(Errc::timed_out, now).rung, Rung::soft_reset);
    now += std::chrono::minutes(30);
    EXPECT_EQ(ladder.failed(Errc::timed_out, now).rung, Rung::power_cycle);
}

TEST_F(LadderTest, NeverCyclesThePowerWithoutTheMeans) {
    limits.can_power_cycle = false;
    Ladder ladder(limits);
    for (int i = 0; i < 50; ++i) {
        now += std::chrono::hours(1);
        EXPECT_NE(ladder.failed(Errc::timed_out, now).rung, Rung::power_cycle);
    }
}

TEST_F(LadderTest, BeginsWhereTheEvidencePoints) {
    EXPECT_EQ(Ladder(limits).failed(Errc::session_lost, now).rung, Rung::end_session);
    EXPECT_EQ(Ladder(limits).failed(Errc::bearer_lost, now).rung, Rung::drop_bearer);
    EXPECT_EQ(Ladder(limits).failed(Errc::module_restarted, now).rung, Rung::resync);
    EXPECT_EQ(Ladder(limits).failed(Errc::line_lost, now).rung, Rung::none);
    EXPECT_EQ(Ladder(limits).failed(Errc::connect_failed, now).rung, Rung::none);
}

TEST_F(LadderTest, DoesNotResetTheModuleForAServerThatIsDown) {
    Ladder ladder(limits);
    for (int i = 0; i < 11; ++i) {
        EXPECT_LE(ladder.failed(Errc::connect_failed, now).rung, Rung::drop_bearer);
    }
    for (int i = 0; i < 50; ++i) {
        now += std::chrono::hours(1);
        EXPECT_LE(ladder.failed(Errc::connect_failed, now).rung, Rung::soft_reset);
    }
}

}  // namespace
}  // namespace modem
