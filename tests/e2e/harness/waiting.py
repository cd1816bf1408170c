# SPDX-License-Identifier: MIT
import threading
import time

_pause = threading.Event()


def wait_for(condition, timeout=20.0, what=None):
    """The first true value of condition(); AssertionError when there is none in time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        _pause.wait(0.01)


def let_time_pass(seconds):
    """For what depends on the clock itself (a TTL), never for luck."""
    _pause.wait(seconds)
