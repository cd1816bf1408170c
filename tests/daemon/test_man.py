# SPDX-License-Identifier: MIT
"""The man pages know what the program knows, and nothing else."""
import os
import pathlib
import re
import subprocess

MAN = pathlib.Path(os.environ["SOURCE_ROOT"]) / "man"


def test_every_option_is_in_the_manual_and_no_other():
    done = subprocess.run([os.environ["MODEMFTPD"], "--help"], capture_output=True, text=True,
                          check=True, timeout=30)
    known = set(re.findall(r"--[a-z][a-z-]*", done.stdout))
    page = (MAN / "modemftpd.8.rst").read_text()
    options = page.split("\nOPTIONS\n")[1].split("\nSIGNALS\n")[0]
    documented = set(re.findall(r"^(?:-h, )?(--[a-z-]+)", options, re.MULTILINE))
    assert documented == known
