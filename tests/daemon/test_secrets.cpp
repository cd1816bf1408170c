// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "daemon/secrets.hpp"
#include "tests/config/temporary_directory.hpp"

namespace service {
namespace {

class SecretsTest : public TemporaryDirectory {
protected:
    SecretsTest() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
    ~SecretsTest() override { ::unsetenv("CREDENTIALS_DIRECTORY"); }
    static config::Config config_with(const std::string& more) {
        auto config = config::parse(
            "line.device = \"/dev/ttyS0\"\nftp.host = \"h\"\nftp.user = \"u\"\nmount.path = "
            "\"/m\"\n" +
                more,
            "site.toml");
        EXPECT_TRUE(config) << config.error().message();
        return *config;
    }
    config::Config config_with_file(const std::string& content) {
        return config_with(
            fmt::format("ftp.password-file = \"{}\"\n", write("password", content).string()));
    }
    [[nodiscard]] std::string file() const { return path() / "password"; }
};

TEST_F(SecretsTest, TheFilesLastNewlineIsNotPartOfThePassword) {
    for (const auto* text : {"secret", "secret\n", "secret\r\n"}) {
        const auto loaded = load_secrets(config_with_file(text));
        ASSERT_TRUE(loaded) << loaded.error().message();
        EXPECT_EQ(loaded->secrets.ftp_password, "secret");
        EXPECT_TRUE(loaded->warnings.empty());
    }
    EXPECT_EQ(load_secrets(config_with_file(" two words "))->secrets.ftp_password, " two words ");
}

TEST_F(SecretsTest, TheFileGoesBeforeTheCredentialAndThatBeforeTheConfig) {
    write("credentials/ftp-password", "credential\n");
    write("credentials/sim-pin", "1234\n");
    const auto password_of = [](const config::Config& config) {
        const auto loaded = load_secrets(config);
        return loaded ? loaded->secrets.ftp_password : loaded.error().message();
    };
    const auto inline_config = config_with("ftp.password = \"inline\"\n");
    ::setenv("CREDENTIALS_DIRECTORY", (path() / "credentials").c_str(), 1);
    EXPECT_EQ(password_of(config_with_file("file")), "file");
    EXPECT_EQ(password_of(inline_config), "credential");
    EXPECT_EQ(load_secrets(inline_config)->secrets.sim_pin, "1234");
    ::setenv("CREDENTIALS_DIRECTORY", path().c_str(), 1);
    EXPECT_EQ(password_of(inline_config), "inline");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(password_of(inline_config), "inline");
}

TEST_F(SecretsTest, ErrorsNameTheKeyTheFileAndWhatIsExpected) {
    const auto message = [&](const std::string& content) {
        const auto loaded = load_secrets(config_with_file(content));
        return loaded ? "no error" : loaded.error().message();
    };
    const std::string where = fmt::format("site.toml:5:21: `ftp.password-file`: {} ", file());
    EXPECT_EQ(message(""), where + "is empty; expected the secret as its only line");
    EXPECT_EQ(message("\n"), where + "is empty; expected the secret as its only line");
    const std::string unsendable =
        where +
        "cannot be sent to the module; expected one line without control characters and '\"', "
        "shorter than 256 bytes";
    EXPECT_EQ(message("a\nb\n"), unsendable);
    EXPECT_EQ(message("a\"b"), unsendable);
    EXPECT_EQ(message(std::string(1000, 'x')), unsendable);
    const auto absent =
        load_secrets(config_with("ftp.password-file = \"/nonexistent/password\"\n"));
    EXPECT_EQ(
        absent.error().message(),
        "site.toml:5:21: `ftp.password-file`: /nonexistent/password cannot be opened: No such "
        "file or directory");
}

TEST_F(SecretsTest, NoPasswordAtAllIsAnError) {
    const auto loaded = load_secrets(config_with(""));
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message().find("there is no password for u@h; set"),
              std::string::npos);
}

TEST_F(SecretsTest, APinIsDigits) {
    const auto pin = write("pin", "12x4\n").string();
    const auto loaded =
        load_secrets(config_with("ftp.password = \"p\"\nmodem.pin-file = \"" + pin + "\"\n"));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().message(), "site.toml:6:18: `modem.pin-file`: " + pin +
                                            " is not a SIM PIN; expected 4 to 8 digits");
}

TEST_F(SecretsTest, AFileThatEverybodyCanReadIsAWarning) {
    const auto config = config_with_file("secret");
    ::chmod(file().c_str(), 0644);
    const auto loaded = load_secrets(config);
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->warnings.size(), 1U);
    EXPECT_EQ(loaded->warnings[0],
              fmt::format("{0} can be read by everybody on this machine; chmod o-r {0}", file()));
}

}  // namespace
}  // namespace service
