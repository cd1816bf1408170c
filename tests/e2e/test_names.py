# SPDX-License-Identifier: MIT
"""File names: what must never reach the line, and what must arrive as it is."""
import errno
import os

import pytest

from harness.programs import run, shell
from harness.waiting import let_time_pass

MARK = "AT+CFUN=0"
REFUSED = [
    ("cr", f"a\r{MARK}", errno.EINVAL),
    ("lf", f"a\n{MARK}", errno.EINVAL),
    ("quote", f'a"{MARK}', errno.EINVAL),
    ("control", f"a\x01{MARK}", errno.EINVAL),
    ("substitute", f"a\x1a{MARK}", errno.EINVAL),
    ("escape", f"a\x1b{MARK}", errno.EINVAL),
    ("delete", f"a\x7f{MARK}", errno.EINVAL),
    ("long", MARK + "x" * 291, errno.ENAMETOOLONG),
]


def attempts(path):
    """Everything that takes a name."""
    other = path.parent / "other"
    yield "create", lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    yield "mkdir", lambda: os.mkdir(path)
    yield "rename", lambda: os.rename(other, path)
    yield "symlink", lambda: os.symlink("target", path)
    yield "stat", lambda: os.stat(path)
    yield "open", lambda: os.close(os.open(path, os.O_RDONLY))
    yield "unlink", lambda: os.unlink(path)


@pytest.mark.quick
@pytest.mark.parametrize("name,number", [row[1:] for row in REFUSED],
                         ids=[row[0] for row in REFUSED])
def test_a_name_cannot_inject_a_command(make_stack, name, number):
    stack = make_stack(prepare=lambda server: server.put("other"))
    run("ls", stack.mount)
    for what, attempt in attempts(stack.mount / name):
        with pytest.raises(OSError) as caught:
            attempt()
        allowed = {number}
        if what in ("stat", "open", "unlink"):
            allowed.add(errno.ENOENT)  # a lookup's honest answer as well
        if what == "symlink":
            allowed |= {errno.EPERM, errno.ENOTSUP}
        assert caught.value.errno in allowed, what
    run("ls", stack.mount)
    for log in ("emulator.log", "trace.at"):
        text = (stack.directory / log).read_text(errors="replace")
        assert "CFUN=0" not in text, log
    assert [path.name for path in stack.disk.iterdir()] == ["other"]


def test_touch_from_the_shell(stack):
    done = shell(r"touch $'a\rAT+CFUN=0'", stack.mount, ok=False)
    assert done.returncode != 0 and "Invalid argument" in done.stdout


def test_names_arrive_as_they_are(stack):
    names = ["blank in it", "über", "日本語", "a*b", "axb", "q?", "[x]", "{y}", "-r", "-la",
             "a,b", "~", "semi;colon", "$HOME", "`id`", "it's", "100%", "#", "back\\slash", "x" * 240]
    for name in names:
        (stack.mount / name).write_bytes(name.encode())
    assert {path.name for path in stack.disk.iterdir()} == set(names)
    for name in names:
        assert (stack.disk / name).read_bytes() == name.encode(), name
        assert (stack.mount / name).read_bytes() == name.encode(), name
    for name in names:
        (stack.mount / name).unlink()
    assert list(stack.disk.iterdir()) == []


def test_a_star_is_itself(make_stack):
    """A server expands a*b; size, content and removal must be of the one file."""
    def prepare(server):
        server.put("a*b", b"star")
        server.put("axb", b"longer than the star")
    stack = make_stack(prepare=prepare)
    assert os.stat(stack.mount / "a*b").st_size == 4
    assert (stack.mount / "a*b").read_bytes() == b"star"
    (stack.mount / "a*b").write_bytes(b"new star")
    with open(stack.mount / "a*b", "ab") as file:
        file.write(b"!")
    assert (stack.disk / "a*b").read_bytes() == b"new star!"
    (stack.mount / "a*b").unlink()
    assert [path.name for path in stack.disk.iterdir()] == ["axb"]
    assert (stack.mount / "axb").read_bytes() == b"longer than the star"


def test_a_directory_with_glob_characters(make_stack):
    def prepare(server):
        server.put("d*/inner", b"1")
        server.put("dx/other", b"2")
    stack = make_stack(prepare=prepare)
    (stack.mount / "d*" / "made").write_bytes(b"3")
    assert (stack.disk / "d*" / "made").read_bytes() == b"3"
    assert not (stack.disk / "dx" / "made").exists()
    assert not any("d*" in argument for verb, argument in stack.server.commands()
                   if verb in ("LIST", "NLST"))


@pytest.fixture
def repository(make_stack):
    stack = make_stack(config={"cache": {"directory-ttl": "2s"}})
    work = stack.mount / "work"
    work.mkdir()
    shell("git init -q && echo text > file && git add file && "
          "git -c user.name=n -c user.email=e@x commit -q -m first", work)
    return stack


def test_git_status_is_clean_after_the_ttl(repository):
    let_time_pass(2.1)
    assert run("git", "status", "--porcelain", cwd=repository.mount / "work").stdout == ""


def test_git_status_is_clean_after_a_restart(repository):
    repository.daemon.restart()
    let_time_pass(2.1)
    assert run("git", "status", "--porcelain", cwd=repository.mount / "work").stdout == ""
    assert "first" in run("git", "log", cwd=repository.mount / "work").stdout


def test_dot_files_that_we_made_stay_known(make_stack):
    stack = make_stack(config={"cache": {"directory-ttl": "1s"}})
    (stack.mount / ".profile").write_bytes(b"dot")
    (stack.mount / ".dir").mkdir()
    (stack.mount / ".dir/.inner").write_bytes(b"inner")
    let_time_pass(1.1)
    assert sorted(os.listdir(stack.mount)) == [".dir", ".profile"]
    stack.daemon.restart()
    let_time_pass(1.1)
    assert (stack.mount / ".dir/.inner").read_bytes() == b"inner"
    assert (stack.mount / ".profile").read_bytes() == b"dot"
    assert os.stat(stack.mount / ".profile").st_size == 3
