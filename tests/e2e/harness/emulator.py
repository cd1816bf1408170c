# SPDX-License-Identifier: MIT
import collections
import json
import pathlib
import socket

from harness.process import Process


class Emulator:
    """modemftp-emulator on a pty, with its control socket.

    Options are those of its command line; one that may be repeated takes a list.
    """

    def __init__(self, build, directory, server, env, **options):
        self.build = build
        self.env = env
        directory = pathlib.Path(directory)
        self.link = directory / "modem"
        self.log = directory / "emulator.log"
        self.control = directory / "control"
        self.options = {"family": "fibocom-l610", "link": self.link,
                        "server": f"127.0.0.1:{server.port}", "echo": "on", "log": self.log,
                        "control": f"unix:{self.control}", "stats": directory / "stats.json",
                        **options}
        self.output = directory / "emulator.out"
        self.process = None

    def start(self):
        argv = [self.build / "tests/emulator/modemftp-emulator"]
        for name, value in self.options.items():
            for one in value if isinstance(value, list) else [value]:
                argv += [f"--{name}", one]
        self.process = Process("emulator", argv, self.output, self.env)
        self.process.until_ready(lambda: self.link.exists() and self.control.exists())
        return self

    def stop(self):
        return self.process.stop() if self.process and self.process.alive() else 0

    def kill(self):
        if self.process:
            self.process.kill()

    def tell(self, command):
        """One command on the control socket; what it answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(self.control))
            line.sendall(command.encode() + b"\n")
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b"")).decode()

    def stats(self):
        return json.loads(self.tell("stats"))

    def commands(self):
        """How often the host sent each AT command since the start, as FTPLIST or CSQ."""
        return by_name(self.stats()["at"])


def by_name(counts):
    return collections.Counter({name.removeprefix("AT").removeprefix("+"): count
                                for name, count in counts.items() if name != "total"})
