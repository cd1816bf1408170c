# SPDX-License-Identifier: MIT
"""--check tells where the config is wrong, and what was expected."""
import pytest

from harness.programs import run
from harness.stack import build_under_test

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
BAD = [
    ("unknown-key", '[cache]\ndirectory-tll = "60s"\n', 13, 1, "directory-tll"),
    ("unknown-section", '[cash]\nsize = "1M"\n', 12, 1, "cash"),
    ("wrong-type", '[upload]\natomic = "yes"\n', 13, 10, "atomic"),
    ("bad-duration", '[cache]\ndirectory-ttl = "60 parsecs"\n', 13, 17, "duration"),
    ("bad-size", '[cache]\nsize = "64 apples"\n', 13, 8, "size"),
    ("bad-choice", '[upload]\nmode = "sometimes"\n', 13, 8, "on-close"),
    ("syntax", '[cache\n', 12, 7, ""),
]


def check(path):
    return run(build_under_test() / "daemon/modemftpd", "--check", "--config", path, ok=False)


@pytest.mark.quick
def test_a_good_config_passes(local):
    (local / "site.toml").write_text(GOOD)
    done = check(local / "site.toml")
    assert done.returncode == 0, done.stdout


@pytest.mark.quick
@pytest.mark.parametrize("text,line,column,word", [row[1:] for row in BAD],
                         ids=[row[0] for row in BAD])
def test_a_bad_config_says_where_and_what(local, text, line, column, word):
    (local / "site.toml").write_text(GOOD + "\n" + text)
    done = check(local / "site.toml")
    assert done.returncode == 2
    assert f"site.toml:{line}:{column}:" in done.stdout, done.stdout
    assert word in done.stdout


def test_a_drop_in_is_named_by_its_own_file(local):
    (local / "site.toml").write_text(GOOD)
    (local / "site.toml.d").mkdir()
    (local / "site.toml.d/10-ttl.toml").write_text('[cache]\ndirectory-ttl = 60\n')
    done = check(local / "site.toml")
    assert done.returncode == 2
    assert "10-ttl.toml:2:17:" in done.stdout, done.stdout


def test_a_missing_config(local):
    done = check(local / "none.toml")
    assert done.returncode == 2
    assert "none.toml" in done.stdout


@pytest.mark.parametrize("name", ["9lives", "with-dash", "with blank", ""])
def test_an_instance_name_must_fit_the_bus(local, name):
    (local / "site.toml").write_text(GOOD)
    done = run(build_under_test() / "daemon/modemftpd", "--check", "--config",
               local / "site.toml", "--name", name, ok=False)
    assert done.returncode == 2, done.stdout


def test_version():
    done = run(build_under_test() / "daemon/modemftpd", "--version")
    assert done.stdout.startswith("modemftpd ")
