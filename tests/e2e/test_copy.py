# SPDX-License-Identifier: MIT
"""Bytes through the mount, both ways of transfer, on a line that does its worst."""
import os
import random

import pytest

from harness.programs import run
from harness.stack import sha256
from harness.waiting import wait_for

SIZES = [0, 1, 1023, 1024, 1025, 3000, 3001, 65536, 1_000_003]
SEED = int(os.environ.get("MODEMFTP_SEED", "1"))


def content(size):
    """Random bytes in which every value and what looks like the line's own words occur."""
    source = random.Random(SEED * 1_000_003 + size)
    words = bytes(range(256)) + b"\x10\x03\x10\x10\x1a+++\r\nOK\r\n+FTPGET: 2\r\n\x10\x04ERROR\r\n"
    data = bytearray(source.randbytes(size))
    for _ in range(size // 4096 + 1):
        at = source.randrange(size + 1)
        data[at:at + len(words)] = words
    return bytes(data[:size])


@pytest.fixture(scope="module", params=["stream", "paced"])
def rough(request, make_shared_stack):
    return make_shared_stack(
        config={"modem": {"transfer": request.param}},
        emulator={"echo": "on", "split": SEED, "urc": SEED + 1},
        prepare=lambda server: [server.put(f"in-{size}", content(size)) for size in SIZES])


@pytest.mark.quick
@pytest.mark.parametrize("size", SIZES)
def test_copy_out_is_byte_identical(rough, size, local):
    source = local / "source"
    source.write_bytes(content(size))
    run("cp", source, rough.mount / f"out-{size}")
    if size == 0:  # nothing was written, so close() had nothing to wait for
        wait_for(lambda: (rough.disk / "out-0").exists() and not rough.server.temporaries())
    assert sha256(rough.disk / f"out-{size}") == sha256(content(size))
    assert rough.server.temporaries() == []


@pytest.mark.quick
@pytest.mark.parametrize("size", SIZES)
def test_copy_in_is_byte_identical(rough, size, local):
    run("cp", rough.mount / f"in-{size}", local / "copy")
    assert sha256(local / "copy") == sha256(content(size))


def test_every_byte_value_both_ways(rough, local):
    data = bytes(range(256)) * 16
    (local / "all").write_bytes(data)
    run("cp", local / "all", rough.mount / "all")
    assert (rough.disk / "all").read_bytes() == data
    rough.server.put("all-from-server", data)
    run("ls", rough.mount / "all")
    assert (rough.mount / "all").read_bytes() == data


@pytest.mark.parametrize("data", [b"\x10" * 4097, b"\x03" * 4097, b"\x10\x03" * 2049,
                                  b"\r\nOK\r\n" * 700, b"\x1a" * 1025, b"+++" * 1000],
                         ids=["dle", "etx", "dle-etx", "ok", "sub", "plus"])
def test_payload_of_control_bytes(rough, local, data, request):
    name = "p-" + request.node.callspec.id
    (local / "file").write_bytes(data)
    run("cp", local / "file", rough.mount / name)
    assert (rough.disk / name).read_bytes() == data


def test_the_way_that_was_asked_for_is_used(make_stack, local):
    """Each way has its own commands, so that the tests above have really tried both."""
    (local / "file").write_bytes(content(5000))
    used = {}
    for way in ("stream", "paced"):
        stack = make_stack(config={"modem": {"transfer": way}},
                           prepare=lambda server: server.put("old", content(5000)))
        with stack.cost() as cost:
            run("cp", local / "file", stack.mount / "new")
            run("cp", stack.mount / "old", local / "back")
        used[way] = set(cost.commands)
    assert {"FTPSTOR", "FTPRETR"} <= used["stream"]
    assert {"FTPPUT", "FTPGET", "FTPRECV"} <= used["paced"]
    assert not {"FTPSTOR", "FTPRETR"} & used["paced"]
