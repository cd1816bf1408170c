#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tour that tools/demo gives. Each step shows a command in the mount, what it cost, and what
the server's disk says about it; a step that is not as it must be ends the tour with status 1."""
import pathlib
import shlex
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))

from harness.stack import Stack  # noqa: E402

# (what, command in the mount, command on the server's disk, what the latter must print)
STEPS = [
    ("list", "ls -l . firmware", "ls", "archive\nfirmware\nnotes.txt\n"),
    ("read", "cat notes.txt", "cat notes.txt", "Pump 3 was greased.\n"),
    ("read the beginning of a large file", "head -c 16 firmware/image.bin | od -An -tx1",
     "head -c 16 firmware/image.bin | od -An -tx1", None),
    ("write", "seq 1 2000 > numbers.txt", "sha256sum < numbers.txt",
     "6251e5743b6fd6a7d606130bdf7c15077ce85ebd3a0fdee284d15a46df199e38  -\n"),
    ("append: only the new bytes travel", "echo 'Valve 7 was closed.' >> notes.txt",
     "cat notes.txt", "Pump 3 was greased.\nValve 7 was closed.\n"),
    ("copy in and compare", "cp numbers.txt archive/copy.txt && cmp numbers.txt archive/copy.txt",
     "cmp numbers.txt archive/copy.txt && echo same", "same\n"),
    ("make a directory", "mkdir -p reports/2024", "find reports", "reports\nreports/2024\n"),
    ("rename", "mv numbers.txt reports/2024/count.txt", "ls reports/2024", "count.txt\n"),
    ("synchronise, and again: nothing to do",
     "rsync -a archive/ reports/mirror && rsync -ai archive/ reports/mirror",
     "ls reports/mirror", "copy.txt\n"),
    ("delete", "rm -r archive reports notes.txt", "ls", "firmware\n"),
]


class StepFailed(Exception):
    pass


def indent(text, mark):
    for line in text.splitlines():
        print(f"    {mark}{line}")


def shell(command, directory):
    return subprocess.run(["bash", "-ec", command], cwd=directory, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def step(stack, number, what, command, proof, expected):
    print(f"\n{number}. {what}\n    $ {command}", flush=True)
    with stack.cost() as cost:
        done = shell(command, stack.mount)
    indent(done.stdout, "")
    commands = ", ".join(f"{name} {count}" for name, count in sorted(cost.commands.items()))
    print(f"    cost: {sum(cost.commands.values())} AT commands"
          f"{f' ({commands})' if commands else ''}, {cost.line:,} bytes on the line")
    if done.returncode:
        raise StepFailed(f"step {number} ({what}): the command ended with {done.returncode}")
    seen = shell(proof, stack.disk)
    print(f"    on the server's disk: $ {proof}")
    indent(seen.stdout, "")
    if seen.returncode or expected not in (None, seen.stdout):
        raise StepFailed(f"step {number} ({what}): the server's disk is not as it must be")
    if expected is None and seen.stdout != done.stdout:
        raise StepFailed(f"step {number} ({what}): the mount and the server differ")


def sample_files(server):
    server.put("notes.txt", b"Pump 3 was greased.\n")
    server.put("firmware/image.bin", bytes(range(256)) * 1024)
    server.make_directory("archive")


def totals(stack):
    stats = stack.emulator.stats()
    line, air = stats["line"], stats["air"]
    print(f"\nIn all: {stats['at']['total']} AT commands; on the line {line['from_host']:,} bytes to "
          f"the modem and {line['to_host']:,} from it; FTP payload {air['payload_up']:,} bytes up, "
          f"{air['payload_down']:,} down.")


def tour(stack):
    print(f"FTP server   127.0.0.1:{stack.server.port}, its files in {stack.disk}")
    print(f"modem        emulated Fibocom L610 on {stack.emulator.link}, 115200 baud")
    print(f"mount        {stack.mount}")
    for number, row in enumerate(STEPS, 1):
        step(stack, number, *row)
    totals(stack)


def keep(stack):
    print(f"\nEverything stays up. Mounted at:\n\n    {stack.mount}\n\n"
          f"    the server's side   {stack.disk}\n"
          f"    the AT dialogue     tail -f {shlex.quote(str(stack.daemon.trace))}\n"
          f"    the daemon's log    {stack.daemon.log}\n\nCtrl-C ends it.", flush=True)
    while stack.daemon.process.alive() and stack.emulator.process.alive():
        signal.sigtimedwait([], 1)
    raise StepFailed("something ended by itself; see the log")


def stop(*_):
    raise KeyboardInterrupt


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    stack = Stack(emulator={"baud": 115200, "rtt": 40}, prepare=sample_files,
                  config={"log": {"level": "info"}})
    status = 1
    try:
        stack.start()
        tour(stack)
        if "--keep" in sys.argv[1:]:
            keep(stack)
        status = 0
    except KeyboardInterrupt:
        print("\nending")
        status = 0 if "--keep" in sys.argv[1:] else 130
    except (StepFailed, AssertionError, RuntimeError, OSError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        for name, text in stack.logs():
            print(f"--- the end of {name}\n{text[-1500:]}", file=sys.stderr)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        problems = stack.stop()
        stack.clean_up()
    if problems and status == 0:
        print("FAILED: " + "\n".join(problems), file=sys.stderr)
        status = 1
    if status == 0:
        print("Unmounted and cleaned up.")
    return status


if __name__ == "__main__":
    sys.exit(main())
