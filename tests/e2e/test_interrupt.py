# SPDX-License-Identifier: MIT
"""A silent modem: programs can be interrupted, time is bounded, and things go on afterwards."""
import errno
import os
import signal
import subprocess
import time

import pytest

from harness.process import is_waiting_in_fuse
from harness.programs import run
from harness.waiting import wait_for

BRISK = {"link": {"timeout": "8s", "command-timeout": "3s"}}


def start(*argv):
    return subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def interrupt(program, waits):
    """Ctrl-C once waits() says that the program does; how long it took to end."""
    wait_for(waits, what="the program to wait in the mount")
    before = time.monotonic()
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=10)
    return time.monotonic() - before


@pytest.mark.quick
def test_ctrl_c_on_cat(make_stack):
    stack = make_stack(config=BRISK, prepare=lambda server: server.put("file", b"text" * 1000))
    run("ls", stack.mount)
    stack.emulator.tell("silence on")
    program = start("cat", stack.mount / "file")
    assert interrupt(program, lambda: is_waiting_in_fuse(program.pid)) < 1
    assert program.returncode == -signal.SIGINT
    stack.emulator.tell("silence off")
    assert (stack.mount / "file").read_bytes() == b"text" * 1000


def test_ctrl_c_on_cp_and_the_file_arrives(make_stack, local):
    stack = make_stack(config=BRISK)
    run("ls", stack.mount)
    (local / "file").write_bytes(b"bytes" * 2000)
    stack.emulator.tell("silence on")
    program = start("cp", local / "file", stack.mount / "file")
    assert interrupt(program, lambda: stack.state("file") in ("queued", "uploading")) < 1
    assert program.returncode == -signal.SIGINT
    assert (stack.mount / "file").read_bytes() == b"bytes" * 2000
    stack.emulator.tell("silence off")
    wait_for(lambda: (stack.disk / "file").exists(), 60, "the interrupted upload")
    assert (stack.disk / "file").read_bytes() == b"bytes" * 2000
    wait_for(lambda: stack.state("file") == "clean")


def test_kill_9_of_a_waiting_program(make_stack):
    stack = make_stack(config=BRISK, prepare=lambda server: server.put("file", b"text"))
    run("ls", stack.mount)
    stack.emulator.tell("silence on")
    program = start("cat", stack.mount / "file")
    wait_for(lambda: is_waiting_in_fuse(program.pid), what="cat to wait")
    before = time.monotonic()
    program.kill()
    program.communicate(timeout=10)
    assert time.monotonic() - before < 1
    stack.emulator.tell("silence off")


def test_silence_fails_in_bounded_time_and_cached_answers_come_at_once(make_stack):
    def prepare(server):
        server.put("known", b"cached")
        server.put("other", b"not cached")
    stack = make_stack(config=BRISK, prepare=prepare)
    assert (stack.mount / "known").read_bytes() == b"cached"
    stack.emulator.tell("silence on")
    before = time.monotonic()
    program = start("cat", stack.mount / "other")
    wait_for(lambda: is_waiting_in_fuse(program.pid), what="cat to wait")
    assert run("cat", stack.mount / "known", timeout=2).stdout == "cached"
    run("ls", "-l", stack.mount, timeout=2)
    output, _ = program.communicate(timeout=30)
    waited = time.monotonic() - before
    assert program.returncode == 1 and output
    assert waited < 8 + 1 + 2, f"{waited:.1f} s"
    stack.emulator.tell("silence off")
    wait_for(lambda: run("cat", stack.mount / "other", ok=False).stdout == "not cached", 60)


def test_an_expired_listing_is_served_while_the_modem_is_silent(make_stack):
    stack = make_stack(config={**BRISK, "cache": {"directory-ttl": "1s"}},
                       prepare=lambda server: server.put("file", b"text"))
    assert os.listdir(stack.mount) == ["file"]
    stack.emulator.tell("silence on")
    wait_for(lambda: run("ls", stack.mount, timeout=30).stdout == "file\n", 30)
    stack.emulator.tell("silence off")


def test_a_modem_that_never_answered(make_stack):
    """The mount is there at once; operations fail with a word for it, in bounded time."""
    stack = make_stack(daemon=False, config={"link": {"timeout": "3s", "command-timeout": "2s"}})
    stack.emulator.tell("silence on")
    stack.daemon.start()
    before = time.monotonic()
    with pytest.raises(OSError) as caught:
        os.listdir(stack.mount)
    assert caught.value.errno in (errno.EHOSTUNREACH, errno.ETIMEDOUT)
    assert time.monotonic() - before < 3 + 1 + 2
    stack.emulator.tell("silence off")
    (stack.disk / "late").touch()

    def answers():
        try:
            return os.listdir(stack.mount) == ["late"]
        except OSError:
            return False
    wait_for(answers, 60, "the mount to work once the modem answers")


def test_hang_up_and_return(make_stack):
    stack = make_stack(config=BRISK, prepare=lambda server: server.put("file", b"text"))
    run("ls", stack.mount)
    stack.emulator.tell("hangup")
    stack.emulator.tell("return")
    wait_for(lambda: run("cat", stack.mount / "file", ok=False).stdout == "text", 60,
             "the file after the line came back")


@pytest.mark.parametrize("event", ["reset", "drop-bearer"])
def test_the_modem_restarts_or_loses_its_bearer(make_stack, event):
    stack = make_stack(config=BRISK, prepare=lambda server: server.put("file", b"text"))
    run("ls", stack.mount)
    stack.emulator.tell(event)
    wait_for(lambda: run("cat", stack.mount / "file", ok=False).stdout == "text", 60,
             f"the file after {event}")
    (stack.mount / "new").write_bytes(b"after")
    assert (stack.disk / "new").read_bytes() == b"after"
