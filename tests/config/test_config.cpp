// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "config/config.hpp"
#include "tests/config/temporary_directory.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* minimal =
    "[line]\ndevice = \"/dev/ttyUSB2\"\n[ftp]\nhost = \"ftp.example.com\"\nuser = \"gateway\"\n"
    "[mount]\npath = \"/mnt/site\"\n";

std::string slurp(const fs::path& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

Config must_parse(const std::string& text) {
    auto config = parse(text, "site.toml");
    EXPECT_TRUE(config) << config.error().message();
    return config ? *config : Config{};
}

TEST(Parse, DefaultsAreThoseOfTheManual) {
    const Config config = must_parse(minimal);
    EXPECT_EQ(config.line.baud, 115200U);
    EXPECT_EQ(config.line.flow_control, FlowControl::none);
    EXPECT_EQ(config.modem.dialect, "auto");
    EXPECT_EQ(config.modem.apn, "internet");
    EXPECT_EQ(config.ftp.port, 21);
    EXPECT_EQ(config.ftp.root, "/");
    EXPECT_EQ(config.ftp.idle_timeout, 60s);
    EXPECT_TRUE(config.mount.allow_other);
    EXPECT_EQ(config.mount.umask, 022U);
    EXPECT_EQ(config.cache.size, 64U << 20U);
    EXPECT_EQ(config.upload.mode, UploadMode::on_close);
    EXPECT_EQ(config.upload.temporary_prefix, ".mftp-");
    EXPECT_EQ(config.link.timeout, 2min);
    EXPECT_TRUE(config.warnings.empty());
}

TEST(Parse, EveryKeyArrivesInItsPlace) {
    const Config config = must_parse(R"(
[line]
device = "tcp:box:4001"
baud = 921600
flow-control = "rts-cts"
[modem]
dialect = "fibocom-l610"
apn = "iot"
apn-user = "au"
apn-password-file = "/a"
pin-file = "/p"
init = ["AT+CGDCONT=1,\"IP\",\"x\""]
transfer = "paced"
reset-unit = "modem-reset.service"
reset-command = ["/bin/reset", "now"]
[ftp]
host = "h"
port = 2121
user = "u"
password-file = "/w"
mode = "active"
security = "sftp"
root = "/data"
timezone = "Europe/Berlin"
encoding = "ISO-8859-1"
known-files = ["a", "b/c"]
ask-unknown = true
index-file = "/index"
idle-timeout = "5min"
[mount]
path = "/m"
read-only = true
allow-other = false
uid = 1000
gid = 1001
umask = "077"
[cache]
directory-ttl = "1h"
size = "1M"
[upload]
mode = "background"
atomic = false
temporary-prefix = "tmp."
spool-size = "1G"
[link]
timeout = "30s"
command-timeout = "10s"
[log]
level = "debug"
trace = "/t"
)");
    EXPECT_EQ(config.line.device, "tcp:box:4001");
    EXPECT_EQ(config.line.baud, 921600U);
    EXPECT_EQ(config.line.flow_control, FlowControl::rts_cts);
    EXPECT_EQ(config.modem.dialect, "fibocom-l610");
    EXPECT_EQ(config.modem.apn, "iot");
    EXPECT_EQ(config.modem.apn_user, "au");
    EXPECT_EQ(config.modem.apn_password_file, "/a");
    EXPECT_EQ(config.modem.pin_file, "/p");
    EXPECT_EQ(config.modem.init, std::vector<std::string>{"AT+CGDCONT=1,\"IP\",\"x\""});
    EXPECT_EQ(config.modem.transfer, TransferWay::paced);
    EXPECT_EQ(config.modem.reset_unit, "modem-reset.service");
    EXPECT_EQ(config.modem.reset_command, (std::vector<std::string>{"/bin/reset", "now"}));
    EXPECT_EQ(config.ftp.port, 2121);
    EXPECT_EQ(config.ftp.password_file, "/w");
    EXPECT_EQ(config.ftp.mode, FtpMode::active);
    EXPECT_EQ(config.ftp.security, Security::sftp);
    EXPECT_EQ(config.ftp.root, "/data");
    EXPECT_EQ(config.ftp.timezone, "Europe/Berlin");
    EXPECT_EQ(config.ftp.encoding, "ISO-8859-1");
    EXPECT_EQ(config.ftp.known_files, (std::vector<std::string>{"a", "b/c"}));
    EXPECT_TRUE(config.ftp.ask_unknown);
    EXPECT_EQ(config.ftp.index_file, "/index");
    EXPECT_EQ(config.ftp.idle_timeout, 5min);
    EXPECT_TRUE(config.mount.read_only);
    EXPECT_FALSE(config.mount.allow_other);
    EXPECT_EQ(config.mount.uid, 1000U);
    EXPECT_EQ(config.mount.gid, 1001U);
    EXPECT_EQ(config.mount.umask, 077U);
    EXPECT_EQ(config.cache.directory_ttl, 1h);
    EXPECT_EQ(config.cache.size, 1U << 20U);
    EXPECT_EQ(config.upload.mode, UploadMode::background);
    EXPECT_FALSE(config.upload.atomic);
    EXPECT_EQ(config.upload.temporary_prefix, "tmp.");
    EXPECT_EQ(config.upload.spool_size, 1U << 30U);
    EXPECT_EQ(config.link.timeout, 30s);
    EXPECT_EQ(config.link.command_timeout, 10s);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.log.trace, "/t");
}

TEST(Parse, APasswordInTheConfigIsAWarning) {
    const Config config = must_parse(
        "ftp.password = \"p\"\n" +
        std::string(
            "ftp.host = \"h\"\nftp.user = \"u\"\nline.device = \"/d\"\nmount.path = \"/m\"\n"));
    EXPECT_EQ(config.ftp.password, "p");
    ASSERT_EQ(config.warnings.size(), 1U);
    EXPECT_TRUE(config.warnings[0].starts_with("site.toml:1:16: `ftp.password` stands in"))
        << config.warnings[0];
}

TEST(Parse, AnErrorFoundLaterStillKnowsItsPlace) {
    const Config config = must_parse(minimal);
    EXPECT_EQ(error_at(config, "mount.path", "is busy").message(), "site.toml:7:8: is busy");
    EXPECT_EQ(error_at(config, "cache.size", "is odd").message(), "site.toml: is odd");
}

using Load = TemporaryDirectory;

TEST_F(Load, DropInsReplaceValuesInNameOrder) {
    const auto file = write("site.toml", minimal);
    write("site.toml.d/20-b.toml", "cache.size = \"2M\"\n");
    write("site.toml.d/10-a.toml", "[cache]\nsize = \"1M\"\ndirectory-ttl = \"9s\"\n");
    write("site.toml.d/30-c.toml.disabled", "nonsense");
    const auto config = load(file);
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->cache.size, 2U << 20U);
    EXPECT_EQ(config->cache.directory_ttl, 9s);
    EXPECT_EQ(config->ftp.host, "ftp.example.com");
}

TEST_F(Load, AnErrorInADropInNamesTheDropIn) {
    const auto file = write("site.toml", minimal);
    const auto bad = write("site.toml.d/10-a.toml", "[cache]\nsize = 3\n");
    const auto config = load(file);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message(),
              bad.string() +
                  ":2:8: `cache.size`: 3 is an integer; expected a size such as "
                  "\"64M\", \"1G\"");
}

TEST_F(Load, AFileThatCannotBeReadIsAnError) {
    const auto config = load(path() / "absent.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message(),
              (path() / "absent.toml").string() + ": cannot be opened: No such file or directory");
    EXPECT_EQ(load(path()).error().message(), path().string() + ": cannot be read: Is a directory");
    EXPECT_EQ(load("/dev/zero").error().message(),
              "/dev/zero: is larger than 1 MiB; expected a config file");
}

TEST_F(Load, AWorldReadablePasswordIsASecondWarning) {
    const auto file = write("site.toml", std::string(minimal));
    const auto more = write("site.toml.d/password.toml", "ftp.password = \"p\"\n");
    EXPECT_EQ(load(file)->warnings.size(), 1U);
    ::chmod(more.c_str(), 0644);
    const auto warnings = load(file)->warnings;
    ASSERT_EQ(warnings.size(), 2U);
    EXPECT_NE(warnings[1].find("chmod o-r " + more.string()), std::string::npos) << warnings[1];
}

TEST(Example, LoadsAndShowsEveryKeyWithItsDefault) {
    const fs::path file = fs::path(SOURCE_ROOT) / "config/modemftp.toml.example";
    const std::string text = slurp(file);
    ASSERT_TRUE(parse(text, file)) << parse(text, file).error().message();
    // With the keys that are commented out switched on nothing may change.
    const std::string all = std::regex_replace(text, std::regex("\n# ([a-z-]+ = )"), "\n$1");
    std::string without_password = std::regex_replace(all, std::regex("\npassword = \"\""), "");
    const auto config = parse(without_password, file);
    ASSERT_TRUE(config) << config.error().message();
    const auto plain = *parse(text, file);
    EXPECT_TRUE(compare(plain, *config).live.empty());
    EXPECT_TRUE(compare(plain, *config).restart.empty());
    for (const std::string& key : known_keys()) {
        EXPECT_TRUE(key == "ftp.password" || config->positions.contains(key)) << key;
    }
    EXPECT_NE(all.find("\npassword = "), std::string::npos);
}

TEST(Reload, SortsChangesByWhatTheyNeed) {
    const Config before = must_parse(minimal);
    Config after = before;
    after.cache.directory_ttl = 5s;
    after.log.level = LogLevel::debug;
    after.ftp.host = "other";
    after.mount.umask = 077;
    const Changes changes = compare(before, after);
    EXPECT_EQ(changes.live, (std::vector<std::string>{"cache.directory-ttl", "log.level"}));
    EXPECT_EQ(changes.restart, (std::vector<std::string>{"ftp.host", "mount.umask"}));
    Config running = before;
    apply_live(running, after);
    EXPECT_EQ(running.cache.directory_ttl, 5s);
    EXPECT_EQ(running.ftp.host, "ftp.example.com");
    EXPECT_TRUE(compare(running, after).live.empty());
}

}  // namespace
}  // namespace config
