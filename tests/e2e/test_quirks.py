# SPDX-License-Identifier: MIT
"""Where the manual can be read in several ways, and where modules differ, the mount is the same."""
import os
import random

import pytest

from harness.programs import run

READINGS = ["blank=no", "blank=mixed", "creg-names=creg", "id=prefixed", "cme-text=yes",
            "gap=needed", "ftpget2=late", "ftpget2=none", "ftplist=escaped", "ftplist-head=glued",
            "ftpput=ok-prompt-data", "ftpput=prompt-data-ok", "ftpput=no-result", "ftppwd=plain",
            "ftprest=once", "mipcall-again=ok", "port=usb", "recv-zero=yes", "text-verdict=twice",
            "download-mode=read", "ftpopen-error=verdict"]


@pytest.mark.parametrize("way", ["stream", "paced"])
@pytest.mark.parametrize("reading", READINGS)
def test_everything_works_with(make_stack, reading, way):
    data = random.Random(9).randbytes(20_000)

    def prepare(server):
        server.put("file", data)
        server.put("d/inner", b"inner")
    stack = make_stack(config={"modem": {"transfer": way}}, emulator={"quirk": [reading]},
                       prepare=prepare)
    mount, disk = stack.mount, stack.disk
    assert sorted(os.listdir(mount)) == ["d", "file"]
    with open(mount / "file", "rb") as file:
        file.seek(15_000)
        assert file.read(100) == data[15_000:15_100]
    assert (mount / "file").read_bytes() == data
    (mount / "new").write_bytes(data[:7000])
    assert (disk / "new").read_bytes() == data[:7000]
    with open(mount / "file", "ab") as file:
        file.write(b"more")
    assert (disk / "file").read_bytes() == data + b"more"
    (mount / "made").mkdir()
    os.rename(mount / "new", mount / "made/renamed")
    assert (disk / "made/renamed").read_bytes() == data[:7000]
    run("rm", "-r", mount / "made", mount / "d")
    assert os.listdir(disk) == ["file"]
    assert stack.emulator.stats()["swallowed_bytes"] == 0
