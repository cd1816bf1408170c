# SPDX-License-Identifier: MIT
import ftplib
import os
import pathlib
import re
import shutil
import socket
import sys
import time

from harness.process import Process

CONFIG = """\
listen=YES
background=NO
listen_address=127.0.0.1
listen_port={port}
local_enable=NO
anonymous_enable=YES
anon_root={root}
anon_umask=022
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
write_enable=YES
secure_chroot_dir={empty}
connect_from_port_20=NO
pasv_address=127.0.0.1
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
use_localtime=NO
log_ftp_protocol=YES
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file={log}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """What vsftpd and the strict server have in common: `disk` is what the mount shows."""

    def __init__(self, directory, user, group):
        self.owner = user, group
        self.port = 0
        self.process = None
        self.root = pathlib.Path(directory) / "server"
        self.disk = self.root / "site"
        self.log = pathlib.Path(directory) / "server.log"
        self.root.mkdir()
        self.disk.mkdir()
        shutil.chown(self.disk, *self.owner)
        self.log.touch()

    def start(self):
        for _ in range(5):
            self.port = self.port or free_port()
            self.process = self._launch()
            try:
                self.process.until_ready(self._greets)
                return self
            except RuntimeError as error:
                # Somebody else may have taken the port between the probe and the start.
                self.port, problem = 0, error
        raise problem

    def stop(self):
        if self.process:
            self.process.kill()

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line:
                return line.recv(3) == b"220"
        except OSError:
            return False

    def client(self):
        """A second FTP client, logged in and in the directory that the mount shows."""
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", self.port, timeout=20)
        ftp.login("anonymous", "second@client")
        ftp.cwd("/site")
        return ftp

    def put(self, name, data=b"", age=3600):
        """A file on the server's disk that is `age` seconds old; its path."""
        path = self.disk / name
        for parent in reversed(path.relative_to(self.disk).parents):
            self.make_directory(parent)
        path.write_bytes(data)
        shutil.chown(path, *self.owner)
        then = time.time() - age
        os.utime(path, (then, then))
        return path

    def make_directory(self, name):
        path = self.disk / name
        if not path.is_dir():
            path.mkdir()
            shutil.chown(path, *self.owner)
        return path

    def temporaries(self):
        return [path for path in self.disk.rglob(".mftp-*")]


class Vsftpd(Server):
    """The real thing; anonymous with every right, so that it needs no account and no PAM."""

    def __init__(self, directory):
        super().__init__(directory, "ftp", "ftp")
        self.directory = pathlib.Path(directory)
        (self.directory / "empty").mkdir()

    def _launch(self):
        config = self.directory / "vsftpd.conf"
        config.write_text(CONFIG.format(port=self.port, root=self.root, log=self.log,
                                        empty=self.directory / "empty"))
        return Process("vsftpd", ["/usr/sbin/vsftpd", config], self.directory / "vsftpd.out")

    def commands(self):
        """Every (verb, argument) that a client sent after its login, in order."""
        lines = re.findall(r'\] \[ftp\] FTP command: Client "[^"]*", "(\S+) ?(.*)"$',
                           self.log.read_text(errors="replace"), re.MULTILINE)
        return [(verb.upper(), argument) for verb, argument in lines]

    def uploads(self):
        """(path, bytes) of every upload that the server counts as complete."""
        return [(path, int(size or 0)) for path, size in
                re.findall(r'OK UPLOAD: Client "[^"]*", "(.*?)",(?: (\d+) bytes,)? [\d.]+Kbyte',
                           self.log.read_text(errors="replace"))]


class StrictServer(Server):
    """pyftpdlib that refuses to rename onto an existing file."""

    def __init__(self, directory):
        super().__init__(directory, "root", "root")

    def _launch(self):
        script = pathlib.Path(__file__).with_name("strict_server.py")
        return Process("strict server", ["/usr/bin/python3", script, self.port, self.root],
                       self.log, {"PYTHONUNBUFFERED": "1", "PYTHONPATH": ":".join(sys.path)})
