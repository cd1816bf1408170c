# SPDX-License-Identifier: MIT
import os
import pathlib
import signal
import threading

import pytest

from harness.stack import Stack

#: A test that takes longer hangs; the daemon is killed so that its callers come back.
HANGS_AFTER = float(os.environ.get("MODEMFTP_TEST_TIMEOUT", "180"))
HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root for mount(2); run sudo tools/test"))


def pytest_configure(config):
    config.stacks = []
    # Run in the background, this process may have been told to ignore Ctrl-C, and so would the
    # programs that it starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Stacks:
    """Makes stacks and ends them; a stack that does not end well fails the test."""

    def __init__(self, registry):
        self.registry = registry
        self.mine = []

    def make(self, daemon=True, **options):
        stack = Stack(**options)
        self.mine.append(stack)
        self.registry.append(stack)
        return stack.start(daemon)

    def end(self):
        problems = []
        for stack in reversed(self.mine):
            problems += stack.stop()
        return problems

    def clean_up(self):
        for stack in self.mine:
            stack.clean_up()
            self.registry.remove(stack)


def _stacks(request):
    stacks = Stacks(request.config.stacks)
    try:
        yield stacks.make
        problems = stacks.end()
        if problems:
            if request.scope == "module":
                print_logs(stacks.mine)
            pytest.fail("\n".join(problems))
    finally:
        request.addfinalizer(stacks.clean_up)


def print_logs(stacks):
    for stack in stacks:
        for name, text in stack.logs():
            print(f"--- {name}\n{text}")


@pytest.fixture
def make_stack(request):
    yield from _stacks(request)


@pytest.fixture(scope="module")
def make_shared_stack(request):
    """For stacks that the tests of one file share."""
    yield from _stacks(request)


@pytest.fixture
def stack(make_stack):
    return make_stack()


@pytest.fixture
def mount(stack):
    return stack.mount


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Kills what runs when a test hangs: a program that waits in the mount cannot be interrupted
    from here."""
    def abandon():
        item.hung = True
        for stack in list(item.config.stacks):
            stack.abandon()

    watchdog = threading.Timer(HANGS_AFTER, abandon)
    watchdog.daemon = True
    watchdog.start()
    yield
    watchdog.cancel()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    if getattr(item, "hung", False):
        report.sections.append(("hung", f"killed after {HANGS_AFTER} s"))
    for stack in item.config.stacks:
        for name, text in stack.logs():
            report.sections.append((name, text))


@pytest.fixture
def local(tmp_path):
    """A directory on the local disk."""
    return tmp_path
