# SPDX-License-Identifier: MIT
"""A real FTP server and an emulated module in front of it, for each test."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from at_line import Line


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError(f"{what}: not within {seconds} s")


class Server:
    """vsftpd on loopback; everything under `root` is what its user sees."""

    def __init__(self, base, extra=""):
        self.base = base
        self.root = base / "ftp"
        self.data = self.root / "data"
        self.data.mkdir(parents=True)
        os.chmod(base, 0o755)
        os.chmod(self.root, 0o755)
        shutil.chown(self.data, "ftp")
        self.log = base / "vsftpd.log"
        self.extra = extra
        self.process = None
        self.start()

    def start(self):
        for _ in range(5):
            self.port = free_port()
            config = self.base / "vsftpd.conf"
            empty = self.base / "empty"
            empty.mkdir(exist_ok=True)
            config.write_text(
                "listen=YES\nbackground=NO\nlisten_address=127.0.0.1\n"
                f"listen_port={self.port}\nanonymous_enable=YES\nno_anon_password=YES\n"
                f"anon_root={self.root}\nwrite_enable=YES\nanon_upload_enable=YES\n"
                "anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_umask=022\n"
                "allow_writeable_chroot=YES\nseccomp_sandbox=NO\nanon_world_readable_only=NO\n"
                "log_ftp_protocol=YES\nxferlog_enable=YES\nxferlog_std_format=NO\n"
                f"vsftpd_log_file={self.log}\nsecure_chroot_dir={empty}\n"
                f"connect_from_port_20=NO\nport_promiscuous=YES\n{self.extra}"
            )
            self.process = subprocess.Popen(["vsftpd", str(config)])
            try:
                wait_for(self.answers, "vsftpd", 5)
                return
            except AssertionError:
                self.stop()
        raise AssertionError("vsftpd does not start")

    def write(self, name, data):
        (self.data / name).write_bytes(data)
        shutil.chown(self.data / name, "ftp")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("vsftpd has ended")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                return probe.recv(3) == b"220"
        except OSError:
            return False

    def stop(self):
        # The sessions are children in the same process group as we are: their sockets end them.
        self.process.terminate()
        self.process.wait(5)

    def commands(self):
        """What clients have said, as vsftpd saw it, passwords excepted."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        found = re.findall(r'FTP command: Client "[^"]*", "(.*)"$', text, re.M)
        return [c for c in found if not c.startswith("PASS")]


class Emulator:
    def __init__(self, binary, directory, server, *options):
        self.directory = directory
        self.device = directory / "modem"
        self.stats_file = directory / "stats.json"
        self.log_file = directory / "dialogue.log"
        self.control_path = directory / "control"
        self.options = options
        argv = [
            str(binary), "--link", str(self.device), "--stats", str(self.stats_file),
            "--log", str(self.log_file), "--control", f"unix:{self.control_path}", *options,
        ]
        if server:
            argv += ["--server", f"127.0.0.1:{server.port}"]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        wait_for(lambda: self.device.is_symlink() and self.stats_file.exists(), "the emulator")
        self.control_socket = socket.socket(socket.AF_UNIX)
        self.control_socket.connect(str(self.control_path))
        self.control_file = self.control_socket.makefile("rw")

    def control(self, line):
        self.control_file.write(line + "\n")
        self.control_file.flush()
        return self.control_file.readline().rstrip("\n")

    def stats(self):
        return json.loads(self.control("stats"))

    def stop(self):
        self.control_socket.close()
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(5) == 0

    def said_by_host(self):
        """Every byte that reached the module, from its log."""
        out = b""
        for record in self.log_file.read_text().splitlines():
            _, sign, text = (record.split(" ", 2) + [""])[:3]
            if sign == ">":
                out += text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        return out


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("MODEMFTP_EMULATOR")
    if not path:
        pytest.fail("MODEMFTP_EMULATOR must name the emulator's binary (meson test does that)")
    return pathlib.Path(path).resolve()


@pytest.fixture
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="mftp-emu-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(directory):
    base = directory / "server"
    base.mkdir()
    os.chmod(directory, 0o755)
    server = Server(base)
    yield server
    server.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "failed_in_" + call.when, outcome.get_result().failed)


@pytest.fixture
def start(request, binary, directory, server):
    """start("--quirk", "…") → (line, emulator); as many as a test likes, one after the other."""
    running = []

    def run(*options):
        place = directory / f"emulator{len(running)}"
        place.mkdir()
        emulator = Emulator(binary, place, server, *options)
        line = Line(str(emulator.device))
        running.append((line, emulator))
        return line, emulator

    yield run
    if getattr(request.node, "failed_in_call", False):
        for _, emulator in running:
            print(f"What {emulator.directory.name} has to say:")
            records = emulator.log_file.read_text().splitlines()
            print("\n".join(r[:200] for r in records if r.split(" ")[1] == "#" or " > AT" in r))
    for line, emulator in running:
        line.close()
        emulator.stop()
