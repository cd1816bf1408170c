// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/modem/queue/worker_fixture.hpp"

namespace modem {
namespace {

TEST_F(WorkerTest, BringsTheLinkUpAndSaysWhatItFound) {
    start();
    ASSERT_TRUE(until_state(LinkState::ready));
    main.run();
    EXPECT_EQ(states, (std::vector{LinkState::opening, LinkState::probing, LinkState::sim,
                                   LinkState::registering, LinkState::bearer, LinkState::ready}));
    const LinkStatus status = worker->status();
    EXPECT_EQ(status.dialect, "fake");
    EXPECT_EQ(status.identity.ati, "FAKE M1");
    EXPECT_EQ(status.signal, 21);
    EXPECT_EQ(status.operator_name, "Testnet");
    EXPECT_EQ(status.address, "10.1.2.3");
    EXPECT_EQ(status.line, "/dev/fake 115200 8N1");
    ASSERT_TRUE(status.capabilities.has_value());
    EXPECT_EQ(modem.count("AT+OPEN"), 0U) << "the session is opened when it is needed";
    EXPECT_EQ(worker->commands_by_name().at("AT+CPIN"), 1U);
}

TEST_F(WorkerTest, OpensASessionForTheFirstJobAndClosesItWhenIdle) {
    config.ftp.idle_timeout = milliseconds(100);
    start();
    const auto a = list();
    ASSERT_TRUE(until_done(a));
    ASSERT_TRUE(a->ok()) << a->what();
    EXPECT_EQ(std::get<Listing>(**a->answer).entries.at(0).name, "one");
    EXPECT_TRUE(until([&] { return modem.count("AT+CLOSE") == 1; }));
    EXPECT_TRUE(until_state(LinkState::ready));
    ASSERT_TRUE(until_done(list()));
    EXPECT_EQ(modem.count("AT+OPEN"), 2U);
}

TEST_F(WorkerTest, LearnsThatHiddenNamesCanBeListed) {
    start(std::nullopt);
    ASSERT_TRUE(until_done(list("/a")));
    ASSERT_TRUE(until_done(list("/b")));
    EXPECT_EQ(worker->status().hidden_listing, true);
    EXPECT_EQ(modem.count("AT+LISTA"), 2U);
    EXPECT_EQ(modem.count("AT+LIST="), 0U);
}

TEST_F(WorkerTest, LearnsThatHiddenNamesCannotBeListedWithOneMoreQuestion) {
    modem.set_listing({"-rw-r--r-- 1 a b 9 May  2 10:00 one"});
    modem.set_hook([](const std::string& line) -> std::optional<std::string> {
        return line.starts_with("AT+LISTA") ? std::optional<std::string>("\r\nOK\r\n")
                                            : std::nullopt;
    });
    start(std::nullopt);
    const auto a = list("/a");
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(std::get<Listing>(**a->answer).entries.size(), 1U);
    ASSERT_TRUE(until_done(list("/b")));
    EXPECT_EQ(worker->status().hidden_listing, false);
    EXPECT_EQ(modem.count("AT+LISTA"), 1U);
    EXPECT_EQ(modem.count("AT+LIST="), 2U);
}

TEST_F(WorkerTest, RefusesWhatTheModuleCannotDoWithoutAByte) {
    start();
    ASSERT_TRUE(until_state(LinkState::ready));
    modem.forget_commands();
    const auto long_name = remove("/123456789012345678901");
    const auto long_path = remove("/1234567890/1234567890/1234567890/1234567890");
    const auto rename =
        submit(RenameRequest{RemotePath::parse("/a").value(), RemotePath::parse("/b").value()});
    const auto foreign = remove("/\xc3\xa9");
    ASSERT_TRUE(until([&] {
        return long_name->done() && long_path->done() && rename->done() && foreign->done();
    }));
    EXPECT_EQ(long_name->code(), Errc::name_too_long);
    EXPECT_EQ(long_path->code(), Errc::name_too_long);
    EXPECT_EQ(rename->code(), Errc::not_supported);
    EXPECT_EQ(foreign->code(), Errc::not_representable);
    EXPECT_TRUE(modem.commands().empty());
}

TEST_F(WorkerTest, SendsThePinOnceAndNeverARefusedOneAgain) {
    secrets.sim_pin = "1111";
    modem.set_hook([good = false](const std::string& line) mutable -> std::optional<std::string> {
        if (line == "AT+CPIN?") {
            return good ? "\r\n+CPIN: READY\r\n\r\nOK\r\n" : "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n";
        }
        if (line.starts_with("AT+CPIN=")) {
            good = line == "AT+CPIN=\"2222\"";
            return good ? "\r\nOK\r\n" : "\r\n+CME ERROR: 16\r\n";
        }
        return std::nullopt;
    });
    start();
    ASSERT_TRUE(until_state(LinkState::failed));
    const auto a = list();
    ASSERT_TRUE(until_done(a));
    EXPECT_EQ(a->code(), Errc::pin_required);
    worker->reconnect();
    ASSERT_TRUE(until([&] { return modem.count("ATI") == 2; }));
    ASSERT_TRUE(until_state(LinkState::failed));
    EXPECT_EQ(modem.count("AT+CPIN="), 1U);
    Secrets better = secrets;
    better.sim_pin = "2222";
    worker->set_secrets(better);
    EXPECT_TRUE(until_state(LinkState::ready));
    EXPECT_EQ(modem.count("AT+CPIN="), 2U);
    main.run();
    for (const std::string& line : logged) {
        EXPECT_EQ(line.find("1111"), std::string::npos) << line;
    }
}

TEST_F(WorkerTest, ARefusedLoginNeedsAPersonAndFailsJobsAtOnce) {
    std::atomic<bool> refuse{true};
    modem.set_hook([&](const std::string& line) -> std::optional<std::string> {
        if (refuse && line.starts_with("AT+OPEN")) {
            return "\r\n+CME ERROR: 530\r\n";
        }
        return std::nullopt;
    });
    start();
    const auto a = list();
    const auto b = submit(StoreRequest{RemotePath::parse("/f").value(), StoreMode::create, 0, 1,
                                       std::make_shared<MemorySource>("x")},
                          Priority::background);
    ASSERT_TRUE(until([&] { return a->done() && b->done(); }));
    EXPECT_EQ(a->code(), Errc::login_refused);
    EXPECT_EQ(b->code(), Errc::login_refused);
    EXPECT_EQ(worker->status().state, LinkState::failed);
    EXPECT_EQ(modem.count("AT+OPEN"), 1U);
    refuse = false;
    worker->reconnect();
    ASSERT_TRUE(until_state(LinkState::ready));
    const auto c = list();
    ASSERT_TRUE(until_done(c));
    EXPECT_TRUE(c->ok()) << c->what();
    main.run();
    for (const std::string& line : logged) {
        EXPECT_EQ(line.find("geheim"), std::string::npos) << line;
    }
}

TEST_F(WorkerTest, ShowsWhatAnUnknownModuleAnsweredAndHowToGoOn) {
    modem.set_hook([](const std::string& line) -> std::optional<std::string> {
        if (line == "ATI") {
            return "\r\nSOMETHING ELSE\r\n\r\nOK\r\n";
        }
        return line == "AT+READ=?" ? std::optional<std::string>("\r\nERROR\r\n") : std::nullopt;
    });
    start();
    ASSERT_TRUE(until_state(LinkState::failed));
    const std::string what = worker->status().last_error->what;
    EXPECT_NE(what.find("SOMETHING ELSE"), std::string::npos) << what;
    EXPECT_NE(what.find("`modem.dialect` to fake"), std::string::npos) << what;
}

TEST_F(WorkerTest, FindsAFamilyByItsProbeAndBelievesTheConfig) {
    modem.set_hook([](const std::string& line) -> std::optional<std::string> {
        return line == "ATI" ? std::optional<std::string>("\r\nERROR\r\n") : std::nullopt;
    });
    start();
    EXPECT_TRUE(until_state(LinkState::ready));
    EXPECT_EQ(modem.count("AT+READ=?"), 1U);
}

TEST_F(WorkerTest, NamesTheInitCommandThatWasRefused) {
    config.modem.init = {"AT+GOOD", "AT+BAD=1"};
    modem.set_hook([](const std::string& line) -> std::optional<std::string> {
        return line == "AT+BAD=1" ? std::optional<std::string>("\r\nERROR\r\n") : std::nullopt;
    });
    start();
    ASSERT_TRUE(until([&] { return worker->status().last_error.has_value(); }));
    EXPECT_NE(worker->status().last_error->what.find("\"AT+BAD=1\" of `modem.init`"),
              std::string::npos);
    EXPECT_GE(modem.count("AT+GOOD"), 1U);
}

TEST_F(WorkerTest, WaitsForRegistration) {
    modem.set_hook([asked = 0](const std::string& line) mutable -> std::optional<std::string> {
        if (line == "AT+CEREG?") {
            return "\r\nERROR\r\n";
        }
        if (line == "AT+CGREG?") {
            return "\r\n+CGREG: 0,2\r\n\r\nOK\r\n";
        }
        if (line == "AT+CREG?") {
            return ++asked < 3 ? "\r\n+CREG: 0,2\r\n\r\nOK\r\n"
                               : "\r\n+CREG: 2,5,\"1\",\"2\"\r\n\r\nOK\r\n";
        }
        return std::nullopt;
    });
    start();
    EXPECT_TRUE(until_state(LinkState::ready));
    EXPECT_EQ(modem.count("AT+CREG?"), 3U);
}

TEST_F(WorkerTest, WithoutADeviceJobsWaitUntilTheyExpire) {
    modem.absent = true;
    start();
    const auto a = list();
    ASSERT_TRUE(until_state(LinkState::absent));
    ASSERT_TRUE(until([&] { return worker->status().last_error.has_value(); }));
    EXPECT_FALSE(a->done());
    queue.expire(milliseconds(0));
    main.run();
    EXPECT_EQ(a->code(), Errc::line_lost);
    const auto b = list();
    modem.absent = false;
    ASSERT_TRUE(until_done(b));
    EXPECT_TRUE(b->ok()) << b->what();
}

TEST_F(WorkerTest, GoesOnWithTheSameJobsAfterAHangUp) {
    start();
    ASSERT_TRUE(until_done(list()));
    modem.absent = true;
    modem.hang_up();
    ASSERT_TRUE(until_state(LinkState::absent));
    const auto a = list();
    const auto b = remove();
    modem.absent = false;
    ASSERT_TRUE(until([&] { return a->done() && b->done(); }));
    EXPECT_TRUE(a->ok()) << a->what();
    EXPECT_TRUE(b->ok()) << b->what();
}

TEST_F(WorkerTest, NoticesWhatAnIdleModuleSays) {
    start();
    ASSERT_TRUE(until_done(list()));
    modem.say("+LOST");
    ASSERT_TRUE(until_state(LinkState::ready));
    ASSERT_TRUE(until_done(list()));
    EXPECT_EQ(modem.count("AT+OPEN"), 2U);
    modem.say("+DROP");
    ASSERT_TRUE(until([&] { return modem.count("AT+UP") == 2; }));
    modem.say("RDY");
    ASSERT_TRUE(until([&] { return modem.count("ATE0V1") == 2; }));
    EXPECT_TRUE(until_state(LinkState::ready));
}

TEST_F(WorkerTest, StopsSoonWhateverTheModuleDoes) {
    config.link.command_timeout = milliseconds(60'000);
    start();
    ASSERT_TRUE(until_state(LinkState::ready));
    modem.silent = true;
    const auto a = list();
    ASSERT_TRUE(until([&] { return modem.count("AT+OPEN") == 1; }));
    const auto begin = Clock::now();
    worker->stop();
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
    EXPECT_FALSE(a->done());
    queue.close();
    main.run();
    EXPECT_EQ(a->code(), Errc::shutting_down);
}

TEST_F(WorkerTest, ShowsThatItIsAliveWhileTheModuleIsSilent) {
    config.link.command_timeout = milliseconds(60'000);
    start();
    ASSERT_TRUE(until_state(LinkState::ready));
    modem.silent = true;
    const auto a = list();
    ASSERT_TRUE(until([&] { return modem.count("AT+OPEN") == 1; }));
    const auto before = worker->last_alive();
    EXPECT_TRUE(until([&] { return worker->last_alive() > before + milliseconds(100); }));
}

TEST_F(WorkerTest, LogsOutWhenItEnds) {
    start();
    ASSERT_TRUE(until_done(list()));
    worker->stop();
    EXPECT_EQ(modem.count("AT+CLOSE"), 1U);
}

}  // namespace
}  // namespace modem
