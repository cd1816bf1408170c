# SPDX-License-Identifier: MIT
"""modemftpd's command line, as far as it goes without a mount."""
import os
import pathlib
import subprocess

import pytest

DAEMON = os.environ["MODEMFTPD"]
GOOD = """\
[line]
device = "/dev/ttyUSB2"
[ftp]
host = "ftp.example.com"
user = "gateway"
password-file = "/etc/modemftp/password"
[mount]
path = "/mnt/site"
"""


def modemftpd(*words, **more):
    return subprocess.run([DAEMON, *map(str, words)], capture_output=True, text=True, timeout=30,
                          **more)


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text(GOOD)
    return file


def test_version():
    done = modemftpd("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("modemftpd ") and done.stdout.count("\n") == 1


def test_help():
    done = modemftpd("--help")
    assert done.returncode == 0
    assert "--config" in done.stdout


@pytest.mark.parametrize("words", [
    [], ["--config"], ["--no-such-option"], ["--check"], ["surplus"],
    ["--config", "x.toml", "--bus", "tram"],
])
def test_a_usage_error_is_2(words):
    done = modemftpd(*words)
    assert done.returncode == 2
    assert done.stdout + done.stderr


def test_check_says_good(config):
    done = modemftpd("--check", "--config", config)
    assert (done.returncode, done.stdout) == (0, f"{config}: good\n")


def test_check_shows_warnings(config):
    config.write_text(GOOD.replace("password-file", "password").replace("/etc/modemftp/", ""))
    config.chmod(0o600)
    done = modemftpd("--check", "--config", config)
    assert done.returncode == 0
    assert f"{config}:6:12: `ftp.password` stands in the config itself" in done.stderr


@pytest.mark.parametrize("text,expected", [
    ('[cache]\ndirectory-ttl = "5 parsecs"\n',
     '10:17: `cache.directory-ttl`: "5 parsecs" is not a duration; expected e.g. "60s"'),
    ('[cache]\ndirectory_ttl = "5s"\n',
     "10:1: `cache.directory_ttl`: unknown key; did you mean `directory-ttl`?"),
    ("[cache]\nsize = 64\n", "10:8: `cache.size`: 64 is an integer; expected a size"),
    ('[modem]\ndialect = "tin-can"\n',
     '10:11: `modem.dialect`: "tin-can" is not known; expected one of "auto", "fibocom-l610"'),
])
def test_check_says_where_and_what(config, text, expected):
    config.write_text(GOOD + text)
    done = modemftpd("--check", "--config", config)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"{config}:{expected}")


@pytest.mark.parametrize("name", ["9lives", "with-dash", "with blank", "a/b", ""])
def test_a_name_that_cannot_be_a_bus_name(config, name):
    done = modemftpd("--check", "--config", config, "--name", name)
    assert done.returncode == 2
    assert "letters, digits and '_'" in done.stderr


def test_the_stem_as_a_name_that_does_not_fit(config):
    other = config.with_name("my-site.toml")
    config.rename(other)
    assert modemftpd("--check", "--config", other).returncode == 2
    assert modemftpd("--check", "--config", other, "--name", "my_site").returncode == 0


def start(config, tmp_path, **more):
    return modemftpd("--config", config, "--state-dir", tmp_path / "state",
                     "--cache-dir", tmp_path / "cache", "--bus", "none", **more)


def test_a_password_file_that_is_not_there_is_an_error_of_the_config(config, tmp_path):
    config.write_text(GOOD.replace("/etc/modemftp/password", f"{tmp_path}/none"))
    done = start(config, tmp_path)
    assert done.returncode == 2
    assert f"<3>{config}:6:17: `ftp.password-file`: {tmp_path}/none cannot be opened" in done.stderr


@pytest.mark.parametrize("prepare,words", [
    (lambda path: None, "does not exist; run: mkdir -p"),
    (lambda path: path.write_text(""), "is not a directory"),
    (lambda path: (path.mkdir(), (path / "log.csv").write_text("")), "is not empty"),
])
def test_a_mount_point_that_cannot_be_used(config, tmp_path, prepare, words):
    prepare(tmp_path / "mnt")
    password = tmp_path / "password"
    password.write_text("secret\n")
    config.write_text(GOOD.replace("/etc/modemftp/password", str(password))
                      .replace("/mnt/site", f"{tmp_path}/mnt"))
    done = start(config, tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "secret" not in done.stderr
    assert pathlib.Path(tmp_path / "state").stat().st_mode & 0o777 == 0o700
