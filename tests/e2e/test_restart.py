# SPDX-License-Identifier: MIT
"""The daemon ends, is killed, is started again."""
import os
import signal
import subprocess
import time

import pytest

from harness.process import is_waiting_in_fuse
from harness.programs import run
from harness.stack import sha256
from harness.waiting import wait_for

SLOW = {"baud": 19200}


def uploading(stack, local, size):
    """A cp whose bytes are on their way to the server."""
    data = os.urandom(size)
    (local / "file").write_bytes(data)
    program = subprocess.Popen(["cp", local / "file", stack.mount / "file"],
                               stderr=subprocess.PIPE)
    wait_for(lambda: any(path.stat().st_size for path in stack.disk.iterdir()),
             what="the first bytes on the server")
    return program, data


@pytest.mark.quick
def test_sigterm_unmounts(stack):
    run("ls", stack.mount)
    before = time.monotonic()
    assert stack.daemon.stop() == 0
    assert time.monotonic() - before < 5
    assert not stack.daemon.is_mounted()
    assert list(stack.mount.iterdir()) == []


def test_sigterm_during_an_upload_keeps_it(make_stack, local):
    stack = make_stack(emulator=SLOW)
    program, data = uploading(stack, local, 40_000)
    before = time.monotonic()
    assert stack.daemon.stop() == 0
    assert time.monotonic() - before < 10
    program.communicate(timeout=10)
    assert program.returncode != 0
    stack.daemon.start()
    wait_for(lambda: (stack.disk / "file").exists(), 150, "the kept upload")
    assert sha256(stack.disk / "file") == sha256(data)
    wait_for(lambda: not stack.server.temporaries(), 30, "our temporaries to be removed")


def test_sigterm_during_a_download(make_stack):
    stack = make_stack(emulator=SLOW,
                       prepare=lambda server: server.put("file", os.urandom(200_000)))
    run("ls", stack.mount)
    program = subprocess.Popen(["cat", stack.mount / "file"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert program.stdout.read(100)
    before = time.monotonic()
    assert stack.daemon.stop() == 0
    assert time.monotonic() - before < 10
    program.communicate(timeout=10)
    assert program.returncode != 0


def test_sigterm_with_a_silent_modem_and_a_waiting_program(make_stack):
    stack = make_stack(prepare=lambda server: server.put("file", b"text"))
    run("ls", stack.mount)
    stack.emulator.tell("silence on")
    program = subprocess.Popen(["cat", stack.mount / "file"], stderr=subprocess.PIPE)
    wait_for(lambda: is_waiting_in_fuse(program.pid), what="cat to wait")
    before = time.monotonic()
    assert stack.daemon.stop() == 0
    assert time.monotonic() - before < 10
    program.communicate(timeout=10)
    assert program.returncode == 1


def test_kill_9_with_a_queued_upload(make_stack, local):
    """Interrupted with Ctrl-C, so queued and durable; then the daemon dies."""
    stack = make_stack()
    run("ls", stack.mount)
    data = os.urandom(30_000)
    (local / "file").write_bytes(data)
    stack.emulator.tell("silence on")
    program = subprocess.Popen(["cp", local / "file", stack.mount / "file"])
    wait_for(lambda: stack.state("file") in ("queued", "uploading"), what="cp to wait")
    program.send_signal(signal.SIGINT)
    program.wait(10)
    stack.daemon.kill()
    stack.emulator.tell("silence off")
    stack.daemon.start()
    assert (stack.mount / "file").read_bytes() == data
    wait_for(lambda: (stack.disk / "file").exists(), 60, "the queued upload")
    assert sha256(stack.disk / "file") == sha256(data)


def test_kill_9_in_the_middle_of_an_upload(make_stack, local):
    stack = make_stack(emulator=SLOW)
    program, data = uploading(stack, local, 30_000)
    assert stack.server.temporaries()
    stack.daemon.kill()
    program.communicate(timeout=10)
    assert program.returncode != 0
    stack.daemon.start()
    run("ls", stack.mount)
    # A close that had not returned arrives whole or not at all; no temporary stays.
    wait_for(lambda: not stack.server.temporaries(), 150, "our temporaries to be removed")
    left = [path.name for path in stack.disk.iterdir()]
    assert left in ([], ["file"])
    if left:
        assert sha256(stack.disk / "file") == sha256(data)


def test_a_stale_mount_is_cleaned(make_stack):
    stack = make_stack(prepare=lambda server: server.put("file", b"text"))
    assert (stack.mount / "file").read_bytes() == b"text"
    stack.daemon.kill()
    with pytest.raises(OSError):
        os.listdir(stack.mount)
    stack.daemon.start()
    assert os.listdir(stack.mount) == ["file"]
    mounts = open("/proc/self/mounts", encoding="utf-8").read()
    assert mounts.count(f" {stack.mount} ") == 1


def test_stop_with_a_shell_sitting_in_the_mount(stack):
    (stack.mount / "d").mkdir()
    shell = subprocess.Popen(["sleep", "600"], cwd=stack.mount / "d")
    try:
        before = time.monotonic()
        assert stack.daemon.stop() == 0
        assert time.monotonic() - before < 10
        assert not stack.daemon.is_mounted()
        stack.daemon.start()
        assert os.listdir(stack.mount) == ["d"]
    finally:
        shell.kill()
        shell.wait()


def test_listings_survive_a_restart_with_the_modem_off(make_stack):
    stack = make_stack(config={"link": {"timeout": "3s", "command-timeout": "2s"}},
                       prepare=lambda server: server.put("file", b"text"))
    assert os.listdir(stack.mount) == ["file"]
    assert stack.daemon.stop() == 0
    stack.emulator.tell("silence on")
    stack.daemon.start()
    assert os.listdir(stack.mount) == ["file"]
    assert os.stat(stack.mount / "file").st_size == 4
    stack.emulator.tell("silence off")


def test_the_mount_is_there_within_100_ms(make_stack):
    """Best of three, since other work shares the machine."""
    stack = make_stack(daemon=False)
    times = []
    for _ in range(3):
        before = time.monotonic()
        stack.daemon.start()
        times.append(time.monotonic() - before)
        assert stack.daemon.stop() == 0
    assert min(times) < 0.1 or "san" in str(os.environ.get("MODEMFTP_BUILD")), times


def test_sighup_applies_what_can_change_live(make_stack):
    stack = make_stack(prepare=lambda server: server.put("one"))
    assert os.listdir(stack.mount) == ["one"]
    stack.daemon.config.setdefault("cache", {})["directory-ttl"] = "500ms"
    stack.daemon.write_config()
    stack.daemon.process.signal(signal.SIGHUP)
    stack.server.put("two")
    wait_for(lambda: sorted(os.listdir(stack.mount)) == ["one", "two"], 10, "the shorter TTL")


def test_sighup_with_a_broken_config_changes_nothing(stack):
    stack.daemon.config_file.write_text("[cache\n")
    stack.daemon.process.signal(signal.SIGHUP)
    wait_for(lambda: "site.toml:1:" in stack.daemon.process.output(), what="the error in the log")
    (stack.mount / "file").write_bytes(b"works")
    assert (stack.disk / "file").read_bytes() == b"works"
