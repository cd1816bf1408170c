# SPDX-License-Identifier: MIT
import os
import signal
import subprocess

from harness.waiting import wait_for


class Process:
    """A child in a session of its own that dies with us, its output in a file."""

    def __init__(self, name, argv, log, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **(env or {})})
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, timeout):
        return self.child.wait(timeout)

    def kill(self):
        """kill -9 of the process and of whatever it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.child.wait(10)

    def stop(self, timeout=10.0):
        """SIGTERM; the exit status. TimeoutExpired, after a kill, when it does not end."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        finally:
            self.kill()

    def until_ready(self, ready, timeout=20.0):
        """Waits for ready(); a process that ends instead is an error with its output."""
        wait_for(lambda: ready() or not self.alive(), timeout, f"{self.name} to be ready")
        if not self.alive():
            raise RuntimeError(f"{self.name} ended with status {self.child.returncode}:\n"
                               f"{self.output()[-4000:]}")


def is_waiting_in_fuse(pid):
    """Whether the process sleeps in a file operation of a FUSE mount."""
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            where = file.read()
    except FileNotFoundError:
        return False
    return "request_wait_answer" in where or "fuse" in where
