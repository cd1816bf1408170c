# SPDX-License-Identifier: MIT
"""What a Linux program expects of a file system, call by call."""
import errno
import os
import random
import stat

import pytest

from harness.programs import RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2, run
from harness.waiting import wait_for


def fails_with(number, action, *arguments):
    with pytest.raises(OSError) as caught:
        action(*arguments)
    assert caught.value.errno == number, caught.value


@pytest.fixture
def files(make_stack):
    def prepare(server):
        server.put("a", b"content of a")
        server.put("b", b"b")
        server.put("d/inner", b"inner")
        server.make_directory("empty")
    return make_stack(prepare=prepare)


def test_rename_replaces(files):
    os.rename(files.mount / "a", files.mount / "b")
    assert (files.disk / "b").read_bytes() == b"content of a"
    assert not (files.disk / "a").exists()
    assert (files.mount / "b").read_bytes() == b"content of a"


@pytest.mark.quick
def test_rename_noreplace(files):
    fails_with(errno.EEXIST, renameat2, files.mount / "a", files.mount / "b", RENAME_NOREPLACE)
    renameat2(files.mount / "a", files.mount / "c", RENAME_NOREPLACE)
    assert (files.disk / "c").read_bytes() == b"content of a"
    assert (files.disk / "b").read_bytes() == b"b"


@pytest.mark.quick
def test_rename_exchange(files):
    fails_with(errno.EINVAL, renameat2, files.mount / "a", files.mount / "b", RENAME_EXCHANGE)
    assert (files.disk / "a").read_bytes() == b"content of a"


def test_rename_of_directories(files):
    os.rename(files.mount / "d", files.mount / "moved")
    assert (files.disk / "moved/inner").read_bytes() == b"inner"
    assert (files.mount / "moved/inner").read_bytes() == b"inner"
    fails_with(errno.EINVAL, os.rename, files.mount / "moved", files.mount / "moved/below")


def test_rename_between_kinds(files):
    fails_with(errno.EISDIR, os.rename, files.mount / "a", files.mount / "empty")
    fails_with(errno.ENOTDIR, os.rename, files.mount / "empty", files.mount / "a")
    fails_with(errno.ENOENT, os.rename, files.mount / "none", files.mount / "x")


def test_rename_of_an_open_file(files):
    with open(files.mount / "a", "r+b") as file:
        os.rename(files.mount / "a", files.mount / "elsewhere")
        file.seek(0, os.SEEK_END)
        file.write(b"!")
    assert (files.disk / "elsewhere").read_bytes() == b"content of a!"
    assert not (files.disk / "a").exists()


def test_an_unlinked_open_file_lives_on(stack):
    with open(stack.mount / "file", "w+b") as file:
        file.write(b"ghost")
        file.flush()
        os.unlink(stack.mount / "file")
        file.seek(0)
        assert file.read() == b"ghost"
        file.write(b" writes")
        file.flush()
        assert os.fstat(file.fileno()).st_size == 12
        file.seek(0)
        assert file.read() == b"ghost writes"
        assert not (stack.mount / "file").exists()
    assert list(stack.disk.iterdir()) == []


def test_an_unlinked_open_file_of_the_server_is_still_read(make_stack):
    data = random.Random(5).randbytes(40_000)
    stack = make_stack(prepare=lambda server: server.put("file", data))
    with open(stack.mount / "file", "rb") as file:
        assert file.read(10) == data[:10]
        os.unlink(stack.mount / "file")
        assert file.read() == data[10:]
    # It went at its last close, which nobody waits for.
    wait_for(lambda: list(stack.disk.iterdir()) == [])


def test_directories(files):
    fails_with(errno.EEXIST, os.mkdir, files.mount / "d")
    fails_with(errno.EEXIST, os.mkdir, files.mount / "a")
    fails_with(errno.ENOTEMPTY, os.rmdir, files.mount / "d")
    fails_with(errno.ENOTDIR, os.rmdir, files.mount / "a")
    fails_with(errno.EISDIR, os.unlink, files.mount / "d")
    fails_with(errno.ENOENT, os.rmdir, files.mount / "none")
    fails_with(errno.ENOENT, os.mkdir, files.mount / "none/x")
    os.rmdir(files.mount / "empty")
    assert not (files.disk / "empty").exists()
    os.mkdir(files.mount / "new")
    assert (files.disk / "new").is_dir()


def test_files(files):
    fails_with(errno.ENOENT, os.unlink, files.mount / "none")
    fails_with(errno.ENOENT, os.open, files.mount / "none", os.O_RDONLY)
    fails_with(errno.EEXIST, os.open, files.mount / "a", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    fails_with(errno.ENOTDIR, os.open, files.mount / "a/b", os.O_RDONLY)
    fails_with(errno.EISDIR, os.open, files.mount / "d", os.O_WRONLY)
    os.unlink(files.mount / "a")
    assert not (files.disk / "a").exists()
    fails_with(errno.ENOENT, os.stat, files.mount / "a")


def test_links_and_nodes_are_refused(files):
    for action in (lambda: os.symlink("a", files.mount / "link"),
                   lambda: os.link(files.mount / "a", files.mount / "link"),
                   lambda: os.mknod(files.mount / "pipe", stat.S_IFIFO | 0o600)):
        with pytest.raises(OSError) as caught:
            action()
        assert caught.value.errno in (errno.EPERM, errno.ENOTSUP)


def test_a_plain_node_is_a_file_or_refused(files):
    try:
        os.mknod(files.mount / "plain", stat.S_IFREG | 0o600)
    except OSError as error:
        assert error.errno in (errno.EPERM, errno.ENOTSUP)
    else:
        assert (files.mount / "plain").read_bytes() == b""


def test_owner_and_mode_are_the_configs(make_stack):
    stack = make_stack(config={"mount": {"uid": 1234, "gid": 2345, "umask": "027"}},
                       prepare=lambda server: [server.put("f"), server.make_directory("d")])
    file, directory = os.stat(stack.mount / "f"), os.stat(stack.mount / "d")
    assert (file.st_uid, file.st_gid) == (1234, 2345)
    assert stat.S_IMODE(file.st_mode) == 0o640
    assert stat.S_IMODE(directory.st_mode) == 0o750


def test_chmod_and_chown_are_accepted(files):
    os.chmod(files.mount / "a", 0o600)
    os.chown(files.mount / "a", os.getuid(), os.getgid())
    assert (files.mount / "a").read_bytes() == b"content of a"


def test_another_user_may_look(files):
    done = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "cat",
               files.mount / "a")
    assert done.stdout == "content of a"
    refused = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c",
                  f"echo x > {files.mount}/a", ok=False)
    assert refused.returncode != 0
    assert (files.disk / "a").read_bytes() == b"content of a"


def test_a_read_only_mount(make_stack):
    stack = make_stack(config={"mount": {"read-only": True}},
                       prepare=lambda server: server.put("f", b"text"))
    assert (stack.mount / "f").read_bytes() == b"text"
    fails_with(errno.EROFS, os.open, stack.mount / "g", os.O_CREAT | os.O_WRONLY)
    fails_with(errno.EROFS, os.mkdir, stack.mount / "d")
    fails_with(errno.EROFS, os.unlink, stack.mount / "f")


def test_xattrs_tell_the_state(files):
    path = files.mount / "a"
    assert {"user.modemftp.state", "user.modemftp.cached"} <= set(os.listxattr(path))
    path.read_bytes()
    wait_for(lambda: files.state("a") == "clean")
    with open(path, "r+b") as file:
        file.write(b"C")
        file.flush()
        assert files.state("a") == "dirty"
    wait_for(lambda: files.state("a") == "clean")
    fails_with(errno.ENODATA, os.getxattr, path, "user.none")
    assert "user.modemftp.state" in run("getfattr", "-d", path).stdout


def test_statfs_is_the_room_in_the_spool(make_stack):
    stack = make_stack(config={"upload": {"spool-size": "32M"}})
    room = os.statvfs(stack.mount)
    assert 24 << 20 < room.f_bavail * room.f_frsize <= 32 << 20


def test_a_full_spool_is_enospc_at_write(make_stack):
    stack = make_stack(config={"upload": {"spool-size": "1M"}})
    fd = os.open(stack.mount / "big", os.O_CREAT | os.O_WRONLY)
    try:
        with pytest.raises(OSError) as caught:
            for _ in range(64):
                os.write(fd, bytes(65536))
        assert caught.value.errno == errno.ENOSPC
    finally:
        os.unlink(stack.mount / "big")
        os.close(fd)
    (stack.mount / "small").write_bytes(b"fits")
    assert (stack.disk / "small").read_bytes() == b"fits"


def numbered(count):
    return lambda server: [server.put(f"f{number:03}") for number in range(count)]


def test_readdir_can_be_rewound(make_stack):
    stack = make_stack(prepare=numbered(300))
    fd = os.open(stack.mount, os.O_RDONLY)
    try:
        first = sorted(os.listdir(fd))
        os.lseek(fd, 0, os.SEEK_SET)
        assert sorted(os.listdir(fd)) == first
        assert len(first) == 300
    finally:
        os.close(fd)


def test_removing_while_reading_the_directory(make_stack):
    stack = make_stack(prepare=numbered(100))
    with os.scandir(stack.mount) as entries:
        for entry in entries:
            os.unlink(entry.path)
    assert list(stack.disk.iterdir()) == []
    assert os.listdir(stack.mount) == []


def test_dot_entries_and_link_counts(files):
    listing = run("ls", "-ai", files.mount / "d").stdout.split()
    assert "." in listing and ".." in listing
    assert os.stat(files.mount / "a").st_nlink == 1
    assert os.stat(files.mount / "a").st_ino != os.stat(files.mount / "b").st_ino


def test_errors_of_the_server_have_their_own_numbers(make_stack):
    """vsftpd answers 550 to all of these; the listing tells them apart."""
    stack = make_stack(prepare=lambda server: server.put("locked/f", b"x"))
    os.listdir(stack.mount / "locked")
    os.chmod(stack.disk / "locked", 0o555)
    fails_with(errno.EACCES, os.unlink, stack.mount / "locked/f")
    fails_with(errno.EACCES, os.mkdir, stack.mount / "locked/d")
    os.chmod(stack.disk / "locked", 0o755)


def test_a_file_that_vanished_on_the_server(make_stack):
    stack = make_stack(prepare=lambda server: server.put("f", b"x" * 100))
    os.listdir(stack.mount)
    (stack.disk / "f").unlink()
    # The server's 550 does not say which it is, and the listing that would is not expired yet.
    with pytest.raises(OSError) as caught:
        (stack.mount / "f").read_bytes()
    assert caught.value.errno in (errno.ENOENT, errno.EACCES)
