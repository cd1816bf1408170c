#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Includes point one way: daemon -> fusefs -> modem, and config is a leaf.

check_includes.py [ROOT]      prints each include that breaks a rule; exit 1 when there is one
check_includes.py --self-test proves on made-up trees that each rule can fail
"""
import pathlib
import re
import sys
import tempfile

# Directory -> directories whose headers it may include. The most specific directory counts.
ALLOWED = {
    "config": {"config"},
    "modem": {"modem", "config"},
    "fusefs": {"fusefs", "modem", "config"},
    "daemon": {"daemon", "fusefs", "modem", "config"},
    "tests": {"tests", "daemon", "fusefs", "modem", "config"},
    # The emulated modem must not agree with the dialects by sharing their code.
    "tests/emulator": {"tests/emulator", "tests/fakes"},
    # The layers of the line: bytes, AT, FTP's words, one family's words.
    "modem/line": {"modem", "modem/line", "config"},
    "modem/at": {"modem", "modem/line", "modem/at", "config"},
    "modem/ftp": {"modem", "modem/line", "modem/at", "modem/ftp", "config"},
}
# A system header -> the directories that may know of it.
SYSTEM = {
    r"fuse.*": {"fusefs", "tests"},
    r"sqlite3\.h": {"fusefs", "tests"},
    r"libserialport\.h": {"modem/line", "tests"},
    r"systemd/.*": {"daemon", "tests"},
    r"toml\+\+.*": {"config"},
    r"curl/.*": {"tests/emulator"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def covering(directory, table):
    """The longest entry of the table that is the directory or a parent of it."""
    path = pathlib.PurePosixPath(directory)
    for candidate in [path, *path.parents]:
        if str(candidate) in table:
            return str(candidate)
    return None


def below(directory, tops):
    return covering(directory, tops) is not None


def project_include(root, source, name):
    """What is wrong with `#include "name"` in source, or None."""
    where = str(pathlib.PurePosixPath(source).parent)
    if not (root / name).is_file():
        return "is not a file of the tree named from its root"
    owner = covering(where, ALLOWED)
    target = str(pathlib.PurePosixPath(name).parent)
    allowed = ALLOWED[owner]
    # "modem" beside a deeper entry means modem's own headers, not those of every layer.
    if any(other.startswith("modem/") for other in allowed) and target.startswith("modem"):
        fine = target in allowed
    else:
        fine = below(target, allowed)
    return None if fine else f"{owner}/ must not include {target}/"


def system_include(source, name):
    where = str(pathlib.PurePosixPath(source).parent)
    for pattern, owners in SYSTEM.items():
        if re.fullmatch(pattern, name) and not below(where, owners):
            return f"only {', '.join(sorted(owners))} may include it"
    return None


def violations(root):
    for top in ("config", "modem", "fusefs", "daemon", "tests"):
        for path in sorted((root / top).rglob("*.[ch]pp")):
            source = path.relative_to(root).as_posix()
            text = path.read_text(encoding="utf-8")
            for found in INCLUDE.finditer(text):
                quote, name = found.groups()
                wrong = (project_include(root, source, name) if quote == '"'
                         else system_include(source, name))
                if wrong:
                    line = text.count("\n", 0, found.start(2)) + 1
                    yield f"{source}:{line}: {name}: {wrong}"


def self_test():
    headers = ["config/c.hpp", "modem/m.hpp", "modem/line/l.hpp", "modem/at/a.hpp",
               "modem/ftp/f.hpp", "modem/dialects/d.hpp", "fusefs/f.hpp", "daemon/d.hpp",
               "tests/emulator/e.hpp"]
    good = [("daemon/x.cpp", '"fusefs/f.hpp"'), ("fusefs/x.cpp", '"modem/m.hpp"'),
            ("modem/at/x.cpp", '"modem/line/l.hpp"'), ("modem/x.cpp", '"config/c.hpp"'),
            ("fusefs/x.cpp", "<fuse_lowlevel.h>"), ("tests/x.cpp", '"daemon/d.hpp"'),
            ("tests/emulator/x.cpp", "<curl/curl.h>"), ("modem/x.cpp", '"modem/dialects/d.hpp"')]
    bad = [("config/x.cpp", '"modem/m.hpp"'), ("modem/x.cpp", '"fusefs/f.hpp"'),
           ("modem/x.hpp", '"daemon/d.hpp"'), ("fusefs/x.cpp", '"daemon/d.hpp"'),
           ("modem/line/x.cpp", '"modem/at/a.hpp"'), ("modem/at/x.cpp", '"modem/ftp/f.hpp"'),
           ("modem/ftp/x.cpp", '"modem/dialects/d.hpp"'), ("tests/emulator/x.cpp", '"modem/m.hpp"'),
           ("modem/x.cpp", "<fuse_lowlevel.h>"), ("fusefs/x.cpp", "<systemd/sd-bus.h>"),
           ("daemon/x.cpp", "<sqlite3.h>"), ("modem/at/x.cpp", '"a.hpp"'),
           ("fusefs/x.cpp", '"../modem/m.hpp"')]
    wrong = []
    for expected, rows in ((0, good), (1, bad)):
        for source, include in rows:
            with tempfile.TemporaryDirectory() as directory:
                root = pathlib.Path(directory)
                for name in [*headers, source]:
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_text("", encoding="utf-8")
                (root / source).write_text(f"#include {include}\n", encoding="utf-8")
                if len(list(violations(root))) != expected:
                    wrong.append(f"{source} with {include}: expected {expected} complaint(s)")
    return wrong


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        wrong = self_test()
    else:
        root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent)
        wrong = list(violations(root))
    print("\n".join(wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
