# SPDX-License-Identifier: MIT
"""Reading costs what is read."""
import os
import random

import pytest

from harness.programs import output_of, pread, run
from harness.waiting import wait_for

DOWNLOADS = ("FTPGET", "FTPRETR")


def noise(size):
    return random.Random(size).randbytes(size)


def downloads(cost):
    return sum(cost.commands[name] for name in DOWNLOADS)


@pytest.mark.quick
def test_cat_is_one_download_and_nothing_the_second_time(make_stack):
    stack = make_stack(prepare=lambda server: server.put("file", noise(20_000)))
    run("ls", stack.mount)
    with stack.cost() as first:
        assert (stack.mount / "file").read_bytes() == noise(20_000)
    assert downloads(first) == 1
    assert first.commands["FTPLIST"] == 0 and first.commands["FTPSTAT"] == 0
    assert [verb for verb, _ in first.ftp if verb in ("SIZE", "MDTM", "LIST", "RETR")] == ["RETR"]
    with stack.cost() as second:
        assert (stack.mount / "file").read_bytes() == noise(20_000)
    assert second.line == 0


@pytest.mark.parametrize("way", ["stream", "paced"])
def test_the_head_of_a_file_is_not_the_whole_file(make_stack, way):
    stack = make_stack(config={"modem": {"transfer": way}}, emulator={"baud": 115200},
                       prepare=lambda server: server.put("file", noise(1 << 20)))
    run("ls", stack.mount)
    with stack.cost() as cost:
        head = output_of("head", "-c", "100", stack.mount / "file", timeout=30)
        # The bytes that are still under way count as well, so the line has to come to rest.
        stack.until_line_rests()
    assert head == noise(1 << 20)[:100]
    assert cost.line < 32 << 10, f"{cost.line} bytes"


def test_the_end_of_a_file_is_not_the_whole_file(make_stack):
    data = noise(4 << 20)
    stack = make_stack(emulator={"baud": 460800}, prepare=lambda server: server.put("file", data))
    run("ls", stack.mount)
    with stack.cost() as cost:
        with open(stack.mount / "file", "rb") as file:
            file.seek(-1000, os.SEEK_END)
            assert file.read() == data[-1000:]
        stack.until_line_rests()
    assert cost.line < 64 << 10, f"{cost.line} bytes"


def test_pieces_in_any_order(make_stack):
    data = noise(300_000)
    stack = make_stack(prepare=lambda server: server.put("file", data))
    source = random.Random(7)
    fd = os.open(stack.mount / "file", os.O_RDONLY)
    try:
        for _ in range(40):
            at, length = source.randrange(310_000), source.randrange(1, 20_000)
            assert pread(fd, length, at) == data[at:at + length]
    finally:
        os.close(fd)
    assert (stack.mount / "file").read_bytes() == data


def test_a_small_read_is_whole(make_stack):
    """Few programs expect a short count before the end of a file."""
    data = noise(60_000)
    stack = make_stack(emulator={"baud": 115200}, prepare=lambda server: server.put("file", data))
    with open(stack.mount / "file", "rb", buffering=0) as file:
        for at in range(0, 40_000, 4096):
            assert file.read(4096) == data[at:at + 4096]


def test_readers_side_by_side_share_the_download(make_stack):
    data = noise(200_000)
    stack = make_stack(emulator={"baud": 460800}, prepare=lambda server: server.put("file", data))
    run("ls", stack.mount)
    with stack.cost() as cost:
        run("bash", "-c", "for i in 1 2 3 4; do cmp file copy & done; wait; exit 0",
            cwd=stack.mount, ok=False)
        sums = run("bash", "-c", "for i in 1 2 3 4; do sha256sum file & done; wait",
                   cwd=stack.mount).stdout.split()[::2]
    assert len(set(sums)) == 1
    assert downloads(cost) == 1
    assert cost.from_modem < 1.3 * len(data)


def test_the_first_bytes_do_not_wait_for_the_last(make_stack):
    """At 9600 baud the whole file would take more than a minute."""
    data = noise(100_000)
    stack = make_stack(emulator={"baud": 9600}, prepare=lambda server: server.put("file", data))
    run("ls", stack.mount)
    assert output_of("head", "-c", "50", stack.mount / "file", timeout=30) == data[:50]


def test_what_was_read_is_still_here_after_a_restart(make_stack):
    data = noise(50_000)
    stack = make_stack(prepare=lambda server: server.put("file", data))
    assert (stack.mount / "file").read_bytes() == data
    stack.daemon.restart()
    run("ls", stack.mount)
    with stack.cost() as cost:
        assert (stack.mount / "file").read_bytes() == data
    assert downloads(cost) == 0


def test_a_file_that_the_server_replaced_is_read_anew(make_stack):
    stack = make_stack(config={"cache": {"directory-ttl": "1s"}},
                       prepare=lambda server: server.put("file", b"old content"))
    assert (stack.mount / "file").read_bytes() == b"old content"
    stack.server.put("file", b"quite other content", age=1800)
    wait_for(lambda: os.stat(stack.mount / "file").st_size == 19)
    assert (stack.mount / "file").read_bytes() == b"quite other content"


def test_cached_answers_do_not_wait_for_a_transfer(make_stack):
    """While a slow download occupies the line, what is known is answered at once."""
    stack = make_stack(emulator={"baud": 9600}, prepare=lambda server: [
        server.put("big", noise(200_000)), server.put("small", b"small")])
    assert (stack.mount / "small").read_bytes() == b"small"
    before = stack.emulator.stats()["line"]["to_host"]
    with open(stack.mount / "big", "rb", buffering=0) as big:
        assert big.read(10) == noise(200_000)[:10]
        run("ls", "-l", stack.mount, timeout=2)
        assert run("cat", stack.mount / "small", timeout=2).stdout == "small"
    assert stack.emulator.stats()["line"]["to_host"] - before < 200_000
