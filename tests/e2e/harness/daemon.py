# SPDX-License-Identifier: MIT
import json
import os
import pathlib
import re
import subprocess

from harness.process import Process

#: Never in a log; the tests look for it.
PASSWORD = "s3cret-Zx81-word"


def toml(tables):
    """TOML of a dictionary of tables; JSON's scalars and lists are TOML's as well."""
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def mounted_at(path):
    """The type of the file system that is mounted exactly there, or None."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if fields.split()[4] == str(path):
            return kind.split()[0]
    return None


class Daemon:
    """modemftpd with its config, state and mount in one directory."""

    def __init__(self, build, directory, config, env):
        directory = pathlib.Path(directory)
        self.binary = build / "daemon/modemftpd"
        self.env = env
        self.mount = directory / "mnt"
        self.config_file = directory / "site.toml"
        self.state = directory / "state"
        self.cache = directory / "cache"
        self.log = directory / "daemon.log"
        self.trace = directory / "trace.at"
        self.process = None
        self.mount.mkdir()
        self.config = config
        self.write_config()

    def write_config(self):
        self.config_file.write_text(toml(self.config))
        self.config_file.chmod(0o600)

    def command(self, *extra):
        return [self.binary, "--config", self.config_file, "--name", "site",
                "--state-dir", self.state, "--cache-dir", self.cache, "--bus", "none", *extra]

    def start(self):
        self.process = Process("modemftpd", self.command(), self.log, self.env)
        # A dead predecessor's mount has the same type, so its being answered counts.
        self.process.until_ready(self.is_mounted)
        return self

    def is_mounted(self):
        if mounted_at(self.mount) != "fuse.modemftp":
            return False
        try:
            os.statvfs(self.mount)
        except OSError:
            return False
        return True

    def kill(self):
        if self.process:
            self.process.kill()

    def stop(self):
        """SIGTERM; the exit status, which a promise of design says comes within ten seconds."""
        if not self.process or not self.process.alive():
            return 0
        return self.process.stop(10)

    def restart(self):
        status = self.stop()
        assert status == 0, f"modemftpd ended with status {status}"
        return self.start()

    def clean_up(self):
        self.kill()
        while mounted_at(self.mount):
            subprocess.run(["umount", "-l", self.mount], check=True)

    def resident(self):
        """Bytes of memory that the process occupies."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024
