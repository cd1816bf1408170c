# SPDX-License-Identifier: MIT
"""The dialects' own code on a line, the emulated module at the other end, a real server behind it.

Both were written from the manual apart from each other: what they disagree about is worth a look.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "emulator"))
from conftest import Emulator, Server  # noqa: E402


pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("vsftpd"),
    reason="vsftpd with its own root directory needs root")


def pattern(length):
    return (b"0123456789abcdef" * (length // 16 + 1))[:length]


def quoted(data):
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


@pytest.fixture
def base():
    path = pathlib.Path(tempfile.mkdtemp(prefix="mftp-dialect-"))
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(base):
    running = Server(base / "server")
    yield running
    running.stop()


@pytest.fixture
def play(base, server):
    """play(scenario, "--quirk", …): makes the calls after a login, and returns the trace."""
    count = 0

    def run(scenario, *options, ready=None):
        nonlocal count
        count += 1
        place = base / f"emulator{count}"
        place.mkdir()
        emulator = Emulator(os.environ["MODEMFTP_EMULATOR"], place, server, *options)
        try:
            if ready:
                ready(emulator)
            file = place / "scenario"
            file.write_text(
                "#! prepare\n#! expect ok\n"
                "#! open_bearer internet\n#! expect ok address=10.64.0.2\n"
                "#! log_in 127.0.0.1 user=ftp password=secret-word\n#! expect ok\n" + scenario)
            done = subprocess.run(
                [os.environ["MODEMFTP_PLAY_LIVE"], "fibocom-l610", str(emulator.device), str(file)],
                stderr=subprocess.PIPE, timeout=120)
            trace = done.stderr.decode(errors="replace")
            assert done.returncode == 0, trace[-6000:]
            assert "secret-word" not in trace
            return trace
        finally:
            emulator.stop()

    return run


READINGS = [
    (),
    ("--quirk", "ftpput=ok-prompt-data", "--quirk", "blank=no", "--quirk", "ftpget2=late"),
    ("--quirk", "ftpput=prompt-data-ok", "--quirk", "blank=mixed", "--quirk", "ftpget2=none",
     "--quirk", "text-verdict=twice"),
    ("--quirk", "ftpput=no-result", "--quirk", "recv-zero", "--quirk", "download-mode=read",
     "--quirk", "gap=needed"),
    ("--quirk", "ftplist=escaped", "--quirk", "ftplist-head=glued", "--quirk", "ftprest=once",
     "--quirk", "recv-zero"),
]


@pytest.mark.parametrize("way", ["stream", "paced"])
@pytest.mark.parametrize("reading", READINGS, ids=lambda r: " ".join(r[1::2]) or "default")
def test_sizes_both_ways(play, server, way, reading):
    every = bytes(range(256)) + b"\r\nOK\r\n+++\x03\x10\x10\x03ERROR\r\n"
    sizes = [0, 1, 1023, 1024, 1025, 2560, 3000, 3001, 65536]
    steps = []
    for size in sizes:
        steps.append(f"#! store /data/f{size} way={way} pattern={size}\n#! expect ok moved={size}\n")
        steps.append(f"#! retrieve /data/f{size} way={way}\n#! expect ok pattern={size}\n")
    steps.append(f"#! store /data/every way={way} data={quoted(every)}\n#! expect ok\n")
    steps.append(f"#! retrieve /data/every way={way} length={len(every)}\n"
                 f"#! expect ok data={quoted(every)}\n")
    steps.append(f"#! retrieve /data/f65536 way={way} offset=65530\n#! expect ok data=abcdef\n")
    steps.append(f"#! store /data/f1 way={way} mode=at_offset offset=1 data=xyz\n#! expect ok\n")
    play("".join(steps), "--split", "5", "--urc", "7", *reading)
    for size in sizes[2:]:
        assert (server.data / f"f{size}").read_bytes() == pattern(size)
    assert (server.data / "f0").read_bytes() == b""
    assert (server.data / "f1").read_bytes() == b"0xyz"
    assert (server.data / "every").read_bytes() == every


@pytest.mark.parametrize("reading", READINGS, ids=lambda r: " ".join(r[1::2]) or "default")
def test_names(play, server, reading):
    (server.data / "a*b").mkdir()
    server.write("a*b/inside", b"x")
    (server.data / "axb").mkdir()
    server.write("axb/other", b"y")
    server.write(".hidden", b"12345")
    trace = play(
        "#! make_directory /data/new\n#! expect ok\n"
        "#! make_directory /data/new\n#! expect error rejected number=550\n"
        '#! store "/data/new/r\\xc3\\xa9sum\\xc3\\xa9 1.txt" data=hello\n#! expect ok\n'
        '#! stat "/data/new/r\\xc3\\xa9sum\\xc3\\xa9 1.txt"\n#! expect ok size=5 kind=file\n'
        "#! stat /data/none\n#! expect error not_found\n"
        "#! stat /data\n#! expect ok kind=directory\n"
        "#! stat /data/.hidden\n#! expect ok size=5\n"
        "#! retrieve /data/none\n#! expect error rejected number=550\n"
        "#! retrieve /data/none way=paced\n#! expect error rejected number=550\n"
        "#! keep_alive\n#! expect ok\n"
        '#! rename "/data/new/r\\xc3\\xa9sum\\xc3\\xa9 1.txt" /data/renamed\n#! expect ok\n'
        "#! remove_directory /data/new\n#! expect ok\n"
        "#! remove /data/renamed\n#! expect ok\n"
        "#! remove /data/renamed\n#! expect error rejected\n"
        '#! list "/data/a*b"\n#! expect ok\n'
        "#! list /data\n#! expect ok\n"
        "#! list /data hidden\n#! expect ok\n"
        "#! list /data/none\n#! expect ok text=\"\"\n"
        "#! log_out\n#! expect ok\n"
        "#! keep_alive\n#! expect error session_lost\n"
        "#! close_bearer\n#! expect ok\n", *reading)
    entered, plain, hidden, none = trace.split(": list\n")[1:]
    assert "inside" in entered and "other" not in entered
    assert "axb" in plain and ".hidden" not in plain
    assert ".hidden" in hidden and "axb" not in none
    assert not (server.data / "new").exists() and not (server.data / "renamed").exists()


def test_break_off_and_resume(play, server):
    server.write("long", pattern(200_000))
    play("#! retrieve /data/long way=paced stop=5000\n#! expect error cancelled\n"
         "#! recover\n#! expect ok stands=no\n"
         "#! log_in 127.0.0.1 user=ftp\n#! expect ok\n"
         "#! retrieve /data/long way=paced offset=199990\n#! expect ok\n"
         "#! store /data/up way=paced pattern=5000 yield=2048\n"
         "#! expect error gave_way moved=3072\n"
         "#! recover\n#! expect ok stands=yes\n"
         "#! store /data/up mode=at_offset offset=3072 data=rest\n#! expect ok\n",
         "--rtt", "20")
    assert (server.data / "up").read_bytes() == pattern(3072) + b"rest"


@pytest.mark.parametrize("plus", ["abort", "ignore"])
def test_streams_broken_in_the_middle(play, server, plus):
    server.write("long", pattern(60_000))
    play("#! retrieve /data/long fail=1000\n#! expect error local_io\n"
         "#! recover\n#! expect ok stands=no\n"
         "#! log_in 127.0.0.1 user=ftp\n#! expect ok\n"
         "#! store /data/up pattern=9000 fail=4096\n#! expect error local_io\n"
         "#! recover\n#! expect ok stands=yes\n"
         # What the server has is a beginning of the file and nothing else.
         "#! stat /data/up\n#! expect ok size=4096\n"
         "#! store /data/up mode=at_offset offset=4096 data=rest\n#! expect ok\n",
         "--quirk", f"plus={plus}", "--baud", "115200")
    assert (server.data / "up").read_bytes() == pattern(4096) + b"rest"
