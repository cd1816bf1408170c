#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns what meson and pytest leave behind into tools/test's one line a test case.

results.py meson BUILD LABEL STATUS FILE     reads BUILD/meson-logs/testlog.json and .junit.xml
results.py pytest XML LABEL STATUS FILE      reads pytest's --junitxml

Appends `pass|fail|skip <TAB> name [<TAB> reason]` to FILE. STATUS is the exit status of the
runner: one that failed without a failing case (a leak at exit, a crash, no tests at all) counts as
a failure of its own. Exits 1 when the cases could not be read at all.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as et


def one_line(text):
    return " ".join((text or "").split())


def cases(root, label):
    """Yields (kind, name, text) of every test case in a junit document."""
    for suite in root.iter("testsuite"):
        for case in suite.findall("testcase"):
            where = case.get("classname") or suite.get("name") or ""
            name = one_line(f"{label}: {where}.{case.get('name')}")
            # gtest marks a skipped test with an attribute in old versions.
            skipped = case.find("skipped")
            broken = [*case.findall("failure"), *case.findall("error")]
            if broken:
                yield "fail", name, "\n".join(
                    f"{part.get('message') or ''}\n{part.text or ''}".strip() for part in broken)
            elif skipped is not None or case.get("result") == "skipped":
                reason = "" if skipped is None else skipped.get("message") or skipped.text
                yield "skip", name, one_line(reason) or "no reason given"
            else:
                yield "pass", name, ""


def write(file, rows, show_failures):
    with open(file, "a", encoding="utf-8") as out:
        for kind, name, text in rows:
            if kind == "fail" and show_failures:
                print(f"--- FAILED: {name}\n{text}\n---")
            out.write(f"{kind}\t{name}" + (f"\t{one_line(text)}" if kind == "skip" else "") + "\n")


def meson(build, label, status, file):
    logs = pathlib.Path(build) / "meson-logs"
    junit = et.parse(logs / "testlog.junit.xml").getroot()
    rows = list(cases(junit, label))
    write(file, rows, show_failures=False)
    failures = sum(kind == "fail" for kind, _, _ in rows)
    bad = []
    for line in (logs / "testlog.json").read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
            continue
        bad.append(test["name"])
        print(f"--- FAILED: {label}: {test['name']} ({test['result']}, status "
              f"{test.get('returncode')})\n{test.get('stdout', '')}\n{test.get('stderr', '')}\n---")
    if len(bad) > failures:
        write(file, [("fail", f"{label}: {name} did not end well", "") for name in bad[failures:]],
              show_failures=False)
    elif status and not failures:
        write(file, [("fail", f"{label}: meson test ended with status {status}", "")], False)


def pytest(xml, label, status, file):
    rows = list(cases(et.parse(xml).getroot(), label))
    write(file, rows, show_failures=False)  # pytest has printed them
    if status and not any(kind == "fail" for kind, _, _ in rows):
        write(file, [("fail", f"{label}: pytest ended with status {status}", "")], False)


def main():
    kind, source, label, status, file = sys.argv[1:]
    try:
        {"meson": meson, "pytest": pytest}[kind](source, label, int(status), file)
    except (OSError, et.ParseError, json.JSONDecodeError) as error:
        print(f"no results of {label}: {error}")
        write(file, [("fail", f"{label}: no results ({one_line(str(error))})", "")], False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
