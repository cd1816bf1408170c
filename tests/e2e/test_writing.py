# SPDX-License-Identifier: MIT
"""Writing: at any place, in any order, and only what is new goes over the line."""
import mmap
import os
import random

import pytest

from harness.programs import run, shell
from harness.stack import sha256
from harness.waiting import wait_for


def noise(size):
    return random.Random(size).randbytes(size)


@pytest.mark.quick
def test_appending_sends_the_new_bytes_only(make_stack):
    stack = make_stack(prepare=lambda server: server.put("log", noise(65536)))
    run("ls", stack.mount)
    with stack.cost() as cost:
        with open(stack.mount / "log", "ab") as file:
            file.write(noise(100))
    assert (stack.disk / "log").read_bytes() == noise(65536) + noise(100)
    assert cost.to_modem < 1500, f"{cost.to_modem} bytes, {cost.commands}"


def test_a_logger_appends_line_by_line(make_stack):
    stack = make_stack(prepare=lambda server: server.put("log", b"0\n"))
    with stack.cost() as cost:
        shell("for i in 1 2 3 4 5; do echo $i >> log; done", stack.mount)
    assert (stack.disk / "log").read_bytes() == b"0\n1\n2\n3\n4\n5\n"
    assert cost.from_modem + cost.to_modem < 8000
    assert (stack.mount / "log").read_bytes() == b"0\n1\n2\n3\n4\n5\n"


def test_append_to_a_file_of_ours(stack):
    (stack.mount / "log").write_bytes(noise(5000))
    with open(stack.mount / "log", "ab") as file:
        file.write(b"more")
    assert (stack.disk / "log").read_bytes() == noise(5000) + b"more"


def test_append_mode_goes_to_the_end_wherever_the_offset_is(make_stack):
    stack = make_stack(prepare=lambda server: server.put("file", b"0123456789"))
    fd = os.open(stack.mount / "file", os.O_RDWR | os.O_APPEND)
    try:
        os.lseek(fd, 2, os.SEEK_SET)
        os.write(fd, b"AB")
        assert os.pread(fd, 100, 0) == b"0123456789AB"
    finally:
        os.close(fd)
    assert (stack.disk / "file").read_bytes() == b"0123456789AB"


def test_writes_at_random_places(make_stack):
    expected = bytearray(noise(200_000))
    stack = make_stack(prepare=lambda server: server.put("file", bytes(expected)))
    source = random.Random(3)
    fd = os.open(stack.mount / "file", os.O_RDWR)
    try:
        for _ in range(50):
            at, data = source.randrange(200_000), source.randbytes(source.randrange(1, 3000))
            os.pwrite(fd, data, at)
            expected[at:at + len(data)] = data
            at = source.randrange(200_000)
            assert os.pread(fd, 500, at) == expected[at:at + 500]
    finally:
        os.close(fd)
    assert sha256(stack.disk / "file") == sha256(bytes(expected))


def test_a_hole_reads_as_zeros(stack):
    with open(stack.mount / "holes", "wb") as file:
        file.seek(10_000)
        file.write(b"end")
    assert (stack.disk / "holes").read_bytes() == bytes(10_000) + b"end"


@pytest.mark.parametrize("size", [0, 10, 1000, 5000])
def test_truncate(make_stack, size):
    stack = make_stack(prepare=lambda server: server.put("file", noise(1000)))
    os.truncate(stack.mount / "file", size)
    expected = (noise(1000) + bytes(4000))[:size]
    assert (stack.mount / "file").read_bytes() == expected
    assert (stack.disk / "file").read_bytes() == expected


def test_truncating_an_open_file(make_stack):
    stack = make_stack(prepare=lambda server: server.put("file", noise(1000)))
    with open(stack.mount / "file", "r+b") as file:
        file.truncate(500)
        assert os.fstat(file.fileno()).st_size == 500
        file.seek(400)
        assert file.read() == noise(1000)[400:500]
    assert (stack.disk / "file").read_bytes() == noise(1000)[:500]


def test_shared_mapping_of_a_new_file(stack):
    with open(stack.mount / "map", "w+b") as file:
        file.truncate(8192)
        with mmap.mmap(file.fileno(), 8192) as area:
            area[4000:4100] = b"M" * 100
            area.flush()
    expected = bytes(4000) + b"M" * 100 + bytes(4092)
    assert (stack.mount / "map").read_bytes() == expected
    assert (stack.disk / "map").read_bytes() == expected


def test_shared_mapping_of_a_file_from_the_server(make_stack):
    expected = bytearray(noise(20_000))
    stack = make_stack(prepare=lambda server: server.put("map", bytes(expected)))
    with open(stack.mount / "map", "r+b") as file:
        with mmap.mmap(file.fileno(), 0) as area:
            assert area[:] == bytes(expected)
            area[12_345:12_349] = b"here"
    expected[12_345:12_349] = b"here"
    assert (stack.mount / "map").read_bytes() == bytes(expected)
    os.sync()
    assert (stack.disk / "map").read_bytes() == bytes(expected)


def test_fsync_means_on_the_server(stack):
    with open(stack.mount / "file", "wb") as file:
        file.write(b"first")
        file.flush()
        os.fsync(file.fileno())
        assert (stack.disk / "file").read_bytes() == b"first"
        file.write(b" second")
    assert (stack.disk / "file").read_bytes() == b"first second"


SCRIPTS = [
    ("redirect", "> f", 1, b""),
    ("colon", ": > f", 1, b""),
    ("group", "{ echo a; echo b; } > f", 1, b"a\nb\n"),
    ("both", "/usr/bin/python3 -c 'import os; os.write(1, b\"out\\n\"); os.write(2, b\"err\\n\")'"
     " > f 2>&1", 1, b"out\nerr\n"),
    ("programs", "{ /bin/echo a; /bin/echo b; } > f", 1, b"a\nb\n"),
    ("sed", "sed -i s/old/new/ old && mv old f", 1, b"new text\n"),
    ("mv-n", "mv -n old f", 0, b"old text\n"),
    ("mv-n-exists", "mv -n old other; cp -n old other; mv other f", 0, b"other\n"),
    ("here", "cat > f <<END\none\ntwo\nEND", 1, b"one\ntwo\n"),
    ("tee", "echo hi | tee f > /dev/null", 1, b"hi\n"),
    ("dd", "head -c 3000 /dev/zero | dd of=f bs=512 status=none", 1, bytes(3000)),
    ("noclobber", "set -C; echo x > f", 1, b"x\n"),
    ("twice", "echo x > f; echo y > f", 2, b"y\n"),
    ("subshell", "(exec > f; echo a; /bin/echo b)", 1, b"a\nb\n"),
]


@pytest.mark.parametrize("script,uploads,content", [row[1:] for row in SCRIPTS],
                         ids=[row[0] for row in SCRIPTS])
def test_shell_habits_upload_each_finished_file_once(make_stack, script, uploads, content):
    def prepare(server):
        server.put("old", b"old text\n")
        server.put("other", b"other\n")
    stack = make_stack(prepare=prepare)
    run("ls", stack.mount)
    with stack.cost() as cost:
        shell(script, stack.mount)
        # The close of a file that nothing was written to does not wait for its upload.
        wait_for(lambda: (stack.disk / "f").exists() and not stack.server.temporaries())
        wait_for(lambda: stack.state("f") == "clean")
    assert (stack.disk / "f").read_bytes() == content
    assert [verb for verb, _ in cost.ftp].count("STOR") == uploads
    sizes = [size for _, size in stack.server.uploads()]
    assert len(sizes) == uploads
    assert all(sizes) or content == b"", "an empty file on the way"


def test_what_is_written_is_read_without_the_line(stack):
    (stack.mount / "file").write_bytes(noise(30_000))
    with stack.cost() as cost:
        assert (stack.mount / "file").read_bytes() == noise(30_000)
        assert os.stat(stack.mount / "file").st_size == 30_000
    assert cost.line == 0


def test_two_writers_of_two_files(stack):
    shell("head -c 60000 /dev/zero > a & head -c 70000 /dev/zero > b & wait", stack.mount)
    assert (stack.disk / "a").stat().st_size == 60_000
    assert (stack.disk / "b").stat().st_size == 70_000


def test_two_writers_of_one_file_leave_one_truth(stack):
    shell("for i in 1 2 3; do echo aaaaaaaa >> f & echo bbbbbbbb >> f & done; wait", stack.mount)
    content = (stack.disk / "f").read_bytes()
    assert sorted(content.split()) == [b"aaaaaaaa"] * 3 + [b"bbbbbbbb"] * 3
    assert (stack.mount / "f").read_bytes() == content


@pytest.mark.parametrize("broken", ["STOR", "FTPPUT"])
def test_a_refused_upload_is_the_writers_error(make_stack, broken, local):
    """cp and cat tell the truth about a server that has no room."""
    stack = make_stack(config={"modem": {"transfer": "stream" if broken == "STOR" else "paced"}})
    os.chmod(stack.disk, 0o555)
    (local / "file").write_bytes(b"x" * 100)
    done = run("cp", local / "file", stack.mount / "file", ok=False)
    assert done.returncode != 0
    assert list(stack.disk.iterdir()) == []
