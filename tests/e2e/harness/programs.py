# SPDX-License-Identifier: MIT
"""Ordinary programs on the mount, and the system calls that Python has no name for."""
import ctypes
import os
import subprocess

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


def run(*argv, cwd=None, timeout=120, ok=True, **options):
    """The finished program; AssertionError with its output when it fails."""
    done = subprocess.run([str(word) for word in argv], cwd=cwd, timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if ok:
        assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}"
    return done


def output_of(*argv, timeout=120):
    """What the program wrote, byte for byte."""
    return subprocess.run([str(word) for word in argv], timeout=timeout, check=True,
                          stdout=subprocess.PIPE).stdout


def pread(fd, length, at):
    """All of it, as a file that is still arriving may be read in shorter pieces."""
    pieces = []
    while length:
        piece = os.pread(fd, length, at)
        if not piece:
            break
        pieces.append(piece)
        length -= len(piece)
        at += len(piece)
    return b"".join(pieces)


def shell(script, cwd, ok=True):
    return run("bash", "-ec", script, cwd=cwd, ok=ok)


def renameat2(old, new, flags):
    """renameat2(2); OSError with its errno."""
    if _libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def drop_kernel_caches():
    """What the kernel remembers of any mount, so that the daemon is asked."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")
