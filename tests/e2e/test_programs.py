# SPDX-License-Identifier: MIT
"""Ordinary programs do on the mount what they do on a disk."""
import os
import subprocess

import pytest

from harness.programs import run, shell
from harness.waiting import let_time_pass, wait_for


@pytest.fixture
def tree(local):
    """20 directories with 200 files in them, 50 bytes to 4 KiB each."""
    root = local / "tree"
    for directory in range(20):
        (root / f"dir-{directory:02}").mkdir(parents=True)
        for number in range(10):
            path = root / f"dir-{directory:02}" / f"file-{number}"
            path.write_bytes(os.urandom(50 + 405 * number))
            os.utime(path, (1_600_000_000 + 61 * number, 1_600_000_000 + 61 * number))
    return root


def transferred(output):
    line = next(line for line in output.splitlines() if "regular files transferred" in line)
    return int(line.rsplit(":", 1)[1].replace(",", ""))


def test_rsync_transfers_nothing_the_second_time(make_stack, tree):
    # The listing after our own uploads is the baseline of the remembered times.
    stack = make_stack(config={"cache": {"directory-ttl": "2s"}})
    first = run("rsync", "-a", "--stats", f"{tree}/", stack.mount / "copy")
    assert transferred(first.stdout) == 200
    assert run("diff", "-r", tree, stack.disk / "copy").stdout == ""
    for pause in (0, 2.1):
        let_time_pass(pause)
        with stack.cost() as cost:
            again = run("rsync", "-a", "--stats", f"{tree}/", stack.mount / "copy")
        assert transferred(again.stdout) == 0
        assert [verb for verb, _ in cost.ftp if verb in ("STOR", "APPE")] == []
    stack.daemon.restart()
    with stack.cost() as cost:
        again = run("rsync", "-a", "--stats", f"{tree}/", stack.mount / "copy")
    assert transferred(again.stdout) == 0
    assert [verb for verb, _ in cost.ftp if verb in ("STOR", "APPE")] == []


@pytest.mark.quick
def test_tar(mount, stack, tree, local):
    run("tar", "-cf", local / "t.tar", "-C", tree, "dir-00", "dir-01")
    run("tar", "-xf", local / "t.tar", cwd=mount)
    run("diff", "-r", tree / "dir-01", stack.disk / "dir-01")
    assert abs(os.stat(mount / "dir-01/file-3").st_mtime - 1_600_000_183) < 1


def test_cp_a_keeps_times(mount, stack, tree):
    run("cp", "-a", tree / "dir-05", mount)
    run("diff", "-r", tree / "dir-05", stack.disk / "dir-05")
    for number in range(10):
        assert int(os.stat(mount / f"dir-05/file-{number}").st_mtime) == 1_600_000_000 + 61 * number


def test_touch_d_is_remembered_across_a_restart(make_stack):
    stack = make_stack(config={"cache": {"directory-ttl": "1s"}})
    run("sh", "-c", "echo x > f && touch -d '2001-02-03 04:05:06 UTC' f", cwd=stack.mount)
    assert int(os.stat(stack.mount / "f").st_mtime) == 981173106
    let_time_pass(1.1)
    assert int(os.stat(stack.mount / "f").st_mtime) == 981173106
    stack.daemon.restart()
    assert int(os.stat(stack.mount / "f").st_mtime) == 981173106


@pytest.mark.quick
def test_git(mount):
    shell("git init -q && echo text > file && git add file && "
          "git -c user.name=n -c user.email=e@x commit -q -m first", mount)
    assert "first" in run("git", "log", "--oneline", cwd=mount).stdout
    assert run("git", "status", "--porcelain", cwd=mount).stdout == ""
    assert run("git", "fsck", "--strict", cwd=mount).returncode == 0


def test_vim(mount, stack):
    run("vim", "-es", "-u", "NONE", "-c", "normal ihello from vim", "-c", "wq", "note.txt",
        cwd=mount)
    assert (stack.disk / "note.txt").read_text() == "hello from vim\n"
    run("vim", "-es", "-u", "NONE", "-c", "set swapfile backup backupskip=", "-c", "%s/hello/bye/", "-c", "wq",
        "note.txt", cwd=mount)
    assert (stack.disk / "note.txt").read_text() == "bye from vim\n"
    assert sorted(path.name for path in stack.disk.iterdir()) == ["note.txt", "note.txt~"]


def test_sed_in_place(make_stack):
    stack = make_stack(prepare=lambda server: server.put("conf", b"a=1\nb=2\n"))
    run("sed", "-i", "s/b=2/b=3/", stack.mount / "conf")
    assert (stack.disk / "conf").read_bytes() == b"a=1\nb=3\n"
    assert [path.name for path in stack.disk.iterdir()] == ["conf"]


def test_tail_follows_what_another_program_appends(make_stack):
    stack = make_stack(prepare=lambda server: server.put("log", b"first\n"))
    tail = subprocess.Popen(["tail", "-n", "+1", "-s", "0.1", "-f", stack.mount / "log"],
                            stdout=subprocess.PIPE)
    try:
        os.set_blocking(tail.stdout.fileno(), False)
        seen = b""

        def sees(line):
            nonlocal seen
            seen += tail.stdout.read() or b""
            return line in seen
        wait_for(lambda: sees(b"first\n"), what="what was there")
        for number in range(3):
            shell(f"echo line-{number} >> log", stack.mount)
            wait_for(lambda: sees(f"line-{number}\n".encode()), what="what was appended")
    finally:
        tail.kill()
        tail.wait()
    assert seen == b"first\nline-0\nline-1\nline-2\n"


def test_sqlite(mount, stack):
    script = ("create table t (a, b); insert into t values (1, 'one'), (2, 'two');"
              "update t set b = 'zwei' where a = 2;")
    run("sqlite3", "data.db", script, cwd=mount)
    rows = run("sqlite3", "data.db", "select b from t order by a", cwd=mount).stdout
    assert rows == "one\nzwei\n"
    assert run("sqlite3", "data.db", "pragma integrity_check", cwd=mount).stdout == "ok\n"
    assert (stack.disk / "data.db").read_bytes() == (mount / "data.db").read_bytes()


def test_mkdir_p_mv_and_rm_r(mount, stack):
    shell("mkdir -p a/b/c && echo x > a/b/c/f && mv a/b z && rm -r a", mount)
    assert (stack.disk / "z/c/f").read_text() == "x\n"
    shell("rm -rf z", mount)
    assert list(stack.disk.iterdir()) == []


def test_df_and_stat_f_answer(mount):
    assert "fuse.modemftp" in run("df", "-T", mount).stdout
    run("stat", "-f", mount)


def test_a_hundred_small_files(mount, stack):
    shell("for i in $(seq 100); do echo $i > f$i; done", mount)
    assert {path.name: path.read_text() for path in stack.disk.iterdir()} == \
        {f"f{number}": f"{number}\n" for number in range(1, 101)}
