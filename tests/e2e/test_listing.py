# SPDX-License-Identifier: MIT
"""Directories: what they cost, and odd ones."""
import concurrent.futures
import os
import re

import pytest

from harness.programs import drop_kernel_caches, run
from harness.waiting import let_time_pass


def many(count):
    return lambda server: [server.put(f"many/file-{number:05}", b"x" * (number % 7))
                           for number in range(count)]


@pytest.mark.quick
def test_a_cold_listing_of_1000_is_one_list_and_a_warm_one_nothing(make_stack):
    stack = make_stack(prepare=many(1000))
    run("ls", stack.mount)
    with stack.cost() as cold:
        listing = run("ls", "-l", stack.mount / "many").stdout.splitlines()
    assert len(listing) == 1001
    assert {name: count for name, count in cold.commands.items() if name.startswith("FTP")} == \
        {"FTPLIST": 1}
    assert [verb for verb, _ in cold.ftp if verb in ("LIST", "NLST", "SIZE", "MDTM", "RETR")] == \
        ["LIST"]
    with stack.cost() as warm:
        assert run("ls", "-l", stack.mount / "many").stdout.splitlines() == listing
    assert warm.line == 0


def test_ten_stats_side_by_side_share_one_list(make_stack):
    stack = make_stack(prepare=many(10), emulator={"rtt": 100})
    run("stat", stack.mount)
    run("ls", stack.mount)
    with stack.cost() as cost:
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            sizes = list(pool.map(
                lambda number: os.stat(stack.mount / f"many/file-{number:05}").st_size, range(10)))
    assert sizes == [number % 7 for number in range(10)]
    assert cost.commands["FTPLIST"] == 1


def test_sizes_times_and_kinds_are_the_servers(make_stack):
    def prepare(server):
        server.put("plain", b"12345", age=400 * 86400)
        server.put("recent", b"", age=7200)
        server.make_directory("sub")
    stack = make_stack(prepare=prepare)
    plain = os.stat(stack.mount / "plain")
    assert plain.st_size == 5
    # LIST tells days of old files and minutes of recent ones.
    assert abs(plain.st_mtime - os.stat(stack.disk / "plain").st_mtime) < 86400
    recent = os.stat(stack.mount / "recent")
    assert abs(recent.st_mtime - os.stat(stack.disk / "recent").st_mtime) < 60
    assert (stack.mount / "sub").is_dir()
    assert sorted(os.listdir(stack.mount)) == ["plain", "recent", "sub"]


def test_a_missing_name_is_asked_for_once(make_stack):
    stack = make_stack(prepare=lambda server: server.put("there"))
    run("ls", stack.mount)
    with stack.cost() as cost:
        for _ in range(5):
            assert not (stack.mount / "nowhere").exists()
    assert cost.line == 0


def test_what_the_server_changed_is_seen_after_the_ttl(make_stack):
    stack = make_stack(config={"cache": {"directory-ttl": "1s"}},
                       prepare=lambda server: server.put("one"))
    assert os.listdir(stack.mount) == ["one"]
    stack.server.put("two")
    let_time_pass(1.1)
    assert sorted(os.listdir(stack.mount)) == ["one", "two"]


def test_our_own_changes_need_no_list(stack):
    os.listdir(stack.mount)
    with stack.cost() as cost:
        (stack.mount / "d").mkdir()
        (stack.mount / "d/f").write_bytes(b"text")
        os.rename(stack.mount / "d/f", stack.mount / "f")
        assert os.listdir(stack.mount / "d") == []
        (stack.mount / "d").rmdir()
        assert os.listdir(stack.mount) == ["f"]
    assert [argument for verb, argument in cost.ftp if verb == "LIST" and "f" not in argument] == []


@pytest.mark.footprint
def test_10000_entries_stay_under_16_mib(make_stack):
    stack = make_stack(prepare=many(10_000))
    listing = run("ls", "-lR", stack.mount).stdout
    assert len(re.findall(r"file-\d{5}$", listing, re.MULTILINE)) == 10_000
    resident = stack.daemon.resident()
    assert resident < 16 << 20, f"{resident / (1 << 20):.1f} MiB"


def test_find_crawls_a_deep_tree_with_one_list_a_directory(make_stack):
    depth = 12
    stack = make_stack(prepare=lambda server: server.put("/".join("d" * depth) + "/leaf", b"1"))
    with stack.cost() as cost:
        found = run("find", stack.mount).stdout.splitlines()
    assert len(found) == depth + 2
    assert cost.commands["FTPLIST"] == depth + 1


def test_odd_names_that_the_server_has(make_stack):
    names = ["with blank", " leading", "trailing ", "über.txt", "日本語", "-dash", "a -> b",
             "#hash", "semi;colon", "comma,name", "per%cent", "tab\tname", "it's", "back\\slash",
             "e\u0301"]
    stack = make_stack(prepare=lambda server: [
        server.put(name, name.encode()) for name in names])
    seen = set(os.listdir(stack.mount))
    carried = {name for name in names if "\t" not in name}
    assert carried <= seen
    for name in carried:
        assert (stack.mount / name).read_bytes() == name.encode(), name


def test_a_listing_survives_the_kernels_forgetting(make_stack):
    stack = make_stack(prepare=many(100))
    run("ls", "-l", stack.mount / "many")
    with stack.cost() as cost:
        drop_kernel_caches()
        assert len(os.listdir(stack.mount / "many")) == 100
    assert cost.line == 0
