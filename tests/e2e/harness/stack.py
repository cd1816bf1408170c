# SPDX-License-Identifier: MIT
import contextlib
import hashlib
import os
import pathlib
import shutil
import tempfile
import time
import types

from harness.daemon import PASSWORD, Daemon
from harness.emulator import Emulator, by_name
from harness.server import Vsftpd
from harness.waiting import wait_for

TAIL = 4000


def build_under_test():
    top = pathlib.Path(__file__).resolve().parents[3]
    return pathlib.Path(os.environ.get("MODEMFTP_BUILD") or top / "build-test").resolve()


def sanitizer_environment(directory):
    log = f"log_path={directory}/sanitizer"
    return {"ASAN_OPTIONS": f"{log}:detect_leaks=1", "UBSAN_OPTIONS": f"{log}:print_stacktrace=1",
            "TSAN_OPTIONS": f"{log}:second_deadlock_stack=1"}


def sha256(data_or_path):
    data = data_or_path if isinstance(data_or_path, bytes) else data_or_path.read_bytes()
    return hashlib.sha256(data).hexdigest()


class Stack:
    """Server, emulated modem and daemon, in one temporary directory.

    config: tables that go over the defaults below; emulator: its options; prepare(server): what is
    on the server's disk before anybody looks.
    """

    def __init__(self, config=None, emulator=None, server=Vsftpd, prepare=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mftp-"))
        self.directory.chmod(0o755)
        self.env = sanitizer_environment(self.directory)
        self.server = server(self.directory)
        self._prepare = prepare
        self._emulator_options = emulator or {}
        self._config = config or {}
        self.emulator = None
        self.daemon = None

    def start(self, daemon=True):
        build = build_under_test()
        if self._prepare:
            self._prepare(self.server)
        self.server.start()
        self.emulator = Emulator(build, self.directory, self.server, self.env,
                                 **self._emulator_options).start()
        self.daemon = Daemon(build, self.directory, self._merged(), self.env)
        if daemon:
            self.daemon.start()
        return self

    def _merged(self):
        tables = {
            "line": {"device": str(self.emulator.link)},
            "ftp": {"host": "127.0.0.1", "port": self.server.port, "user": "anonymous",
                    "password": PASSWORD, "root": "/site"},
            "mount": {"path": str(self.directory / "mnt")},
            "link": {"timeout": "30s", "command-timeout": "20s"},
            "log": {"level": "debug", "trace": str(self.directory / "trace.at")},
        }
        for name, table in self._config.items():
            tables.setdefault(name, {}).update(table)
        return tables

    @property
    def mount(self):
        return self.daemon.mount

    @property
    def disk(self):
        return self.server.disk

    def state(self, name):
        """user.modemftp.state of a file in the mount; None when there is none."""
        try:
            return os.getxattr(self.mount / name, "user.modemftp.state").decode()
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def cost(self):
        """What the block costs: AT commands by name, bytes on the line, FTP commands."""
        before, ftp_before = self.emulator.stats(), len(self._ftp_commands())
        spent = types.SimpleNamespace()
        yield spent
        after = self.emulator.stats()
        spent.commands = by_name(after["at"]) - by_name(before["at"])
        spent.to_modem = after["line"]["from_host"] - before["line"]["from_host"]
        spent.from_modem = after["line"]["to_host"] - before["line"]["to_host"]
        spent.line = spent.to_modem + spent.from_modem
        spent.ftp = self._ftp_commands()[ftp_before:]

    def until_line_rests(self, quiet=1.0):
        """Returns once the line has carried nothing for `quiet` seconds."""
        last, since = None, time.monotonic()

        def rested():
            nonlocal last, since
            now = self.emulator.stats()["line"]["to_host"]
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since > quiet

        wait_for(rested, 60, "the line to come to rest")

    def _ftp_commands(self):
        return self.server.commands() if hasattr(self.server, "commands") else []

    def stop(self):
        """Ends everything in order; a list of what was not as it must be."""
        problems = []
        if self.daemon:
            status = self.daemon.stop()
            if status:
                problems.append(f"modemftpd ended with status {status}")
            elif self.daemon.process and self.daemon.is_mounted():
                problems.append("modemftpd left its mount behind")
        if self.emulator:
            status = self.emulator.stop()
            if status:
                problems.append(f"the emulator ended with status {status}")
        return problems + self.findings()

    def findings(self):
        """Reports of sanitizers, and the password where it must not be."""
        found = [f"{path.name}:\n{path.read_text(errors='replace')[:8000]}"
                 for path in sorted(self.directory.glob("sanitizer.*"))]
        for name in ("daemon.log", "trace.at"):
            path = self.directory / name
            if path.exists() and PASSWORD in path.read_text(errors="replace"):
                found.append(f"the password is in {name}")
        return found

    def abandon(self):
        """Kills what is left, so that nobody waits in the mount any more."""
        for part in (self.daemon, self.emulator):
            if part:
                part.kill()

    def clean_up(self):
        self.abandon()
        if self.daemon:
            self.daemon.clean_up()
        self.server.stop()
        shutil.rmtree(self.directory)

    def logs(self):
        """(title, text) of what one wants to read when a test has failed."""
        for name in ("daemon.log", "trace.at", "emulator.log", "emulator.out", "server.log"):
            path = self.directory / name
            if path.exists():
                yield name, path.read_text(errors="replace")[-TAIL:]
