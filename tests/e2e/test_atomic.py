# SPDX-License-Identifier: MIT
"""Nobody ever sees half a file under its final name."""
import ftplib
import itertools
import threading

import pytest

from harness.waiting import wait_for
from harness.server import StrictServer, Vsftpd


class Watcher:
    """A second FTP client that asks for one name's size again and again."""

    def __init__(self, server, name):
        self.client = server.client()
        self.client.voidcmd("TYPE I")
        self.name = name
        self.seen = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.done.is_set():
            try:
                self.seen.append(self.client.size(self.name))
            except ftplib.error_perm:
                self.seen.append(None)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(20)
        self.client.close()


@pytest.mark.parametrize("server", [Vsftpd, StrictServer])
def test_a_watching_client_sees_old_or_new(make_stack, server):
    # Slow enough for the watcher to look many times during each upload.
    stack = make_stack(server=server, emulator={"baud": 115200})
    sizes = [20_000, 35_000, 5_000]
    with Watcher(stack.server, "file") as watcher:
        for size in sizes:
            (stack.mount / "file").write_bytes(b"x" * size)
            assert (stack.disk / "file").stat().st_size == size
    assert set(watcher.seen) <= {None, *sizes}
    assert len(watcher.seen) > 100
    changes = [size for size, _ in itertools.groupby(watcher.seen)]
    replaced = [size for size in changes if size is not None]
    assert replaced == sorted(set(replaced), key=sizes.index), changes
    if server is Vsftpd:
        assert None not in changes[1:], "a replaced file was missing for a moment"
    assert stack.server.temporaries() == []
    assert [path.name for path in stack.disk.iterdir()] == ["file"]


@pytest.mark.parametrize("server", [Vsftpd, StrictServer])
def test_renaming_onto_an_existing_file(make_stack, server):
    def prepare(files):
        files.put("old", b"old")
        files.put("new", b"new content")
    stack = make_stack(server=server, prepare=prepare)
    (stack.mount / "new").rename(stack.mount / "old")
    assert (stack.disk / "old").read_bytes() == b"new content"
    assert [path.name for path in stack.mount.iterdir()] == ["old"]
    # What stepped aside is removed behind the rename's back.
    wait_for(lambda: [path.name for path in stack.disk.iterdir()] == ["old"])


def test_temporaries_are_not_listed(make_stack):
    stack = make_stack(prepare=lambda server: [server.put("shown"), server.put(".mftp-7", b"x")])
    assert [path.name for path in stack.mount.iterdir()] == ["shown"]
