# SPDX-License-Identifier: MIT
"""The line itself: pace, pieces, echo, noise, and a device that comes and goes."""
import os
import socket
import time

import pytest

from at_line import Line, escaped
from conftest import wait_for
from test_l610 import ETX, get, payload, put, retrieve, store


def test_dialogue_with_and_without_echo(start):
    line, emulator = start()
    assert line.command("AT") == b"AT\r\r\nOK\r\n"
    assert line.command("ATE0") == b"ATE0\r\r\nOK\r\n"
    assert line.command("AT") == b"\r\nOK\r\n"
    assert line.command("at") == b"\r\nOK\r\n"
    assert line.command("AT+NONSENSE") == b"\r\nERROR\r\n"
    line.ok("AT+CMEE=1")
    assert line.command("AT+NONSENSE") == b"\r\n+CME ERROR: 4\r\n"
    line.ok("AT+CMEE=2")
    assert line.command("AT+FTPCDUP") == b"\r\n+CME ERROR: operation not allowed\r\n"
    assert line.command("ATV0", rb"0\r") == b"0\r"
    assert line.command("AT+CSQ", rb"0\r") == b"+CSQ: 23,99\r\n0\r"
    assert line.command("ATV1Q0+CREG?;+CPIN?") == (
        b"\r\n+CREG: 0,1\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n")
    assert b"\r\nL610-CN\r\n" in line.ok("ATI")
    assert b"\r\nFibocom\r\n" in line.ok("AT+CGMI")
    assert emulator.stats()["at"]["ATE"] == 1
    assert emulator.stats()["at"]["AT+CSQ"] == 1


@pytest.mark.parametrize("direction", ["down", "up"])
def test_pace_is_the_nominal_one(start, server, direction):
    baud = 115200
    line, emulator = start("--baud", str(baud), "--echo", "off")
    line.bring_up()
    data = bytes(65536)
    server.write("zeros", data)
    begin = time.monotonic()
    if direction == "down":
        assert retrieve(line, "/data/zeros") == data
    else:
        store(line, "/data/up", data)
    elapsed = time.monotonic() - begin
    assert len(data) * 10 / baud / elapsed > 0.95
    # Never faster than the line: that would be no pacing at all.
    assert len(data) * 10 / baud / elapsed <= 1.0


def test_pace_of_short_answers(start):
    line, _ = start("--baud", "9600", "--echo", "off")
    begin = time.monotonic()
    line.ok("AT+CSQ")
    # 7 bytes up, 23 down.
    # The clock may have saved up a slice or two.
    assert 0.015 < time.monotonic() - begin < 5


def test_every_round_trip_is_charged(start, server):
    line, _ = start("--rtt", "100")
    begin = time.monotonic()
    line.bring_up()
    # Connect, USER, PASS or not, PWD.
    assert 0.3 <= time.monotonic() - begin < 3
    begin = time.monotonic()
    line.ok("AT+FTPNOOP")
    assert line.verdict("+FTPNOOP") == 1
    assert 0.1 <= time.monotonic() - begin < 2


def test_noise_is_only_between_lines(start, server):
    line, emulator = start("--urc", "11", "--split", "5")
    line.ok("ATE0")
    line.ok("AT+CMEE=1")
    line.bring_up()
    data = payload(20000)
    store(line, "/data/f", data)
    assert retrieve(line, "/data/f") == data
    put(line, "/data/g", data)
    assert get(line, "/data/g") == data
    assert emulator.stats()["noise_urcs"] > 5


def test_commands_before_a_final_result_are_swallowed(start, server):
    line, emulator = start("--quirk", "ftpopen-error=result", "--rtt", "200", "--echo", "off")
    line.ok("AT+CMEE=1")
    line.ok('AT+CGDCONT=1,"IP","internet"')
    line.ok("AT+MIPCALL=1")
    line.until(rb"\+MIPCALL: ?[\d.]+\r\n")
    line.send(b'AT+FTPOPEN="ftp.example.com","ftp","x"\rAT+CSQ\r')
    line.until(rb"\r\nOK\r\n")
    assert line.verdict("+FTPOPEN") == 1
    assert emulator.stats()["swallowed_bytes"] == 7
    assert "AT+CSQ" not in emulator.stats()["at"]


def test_the_device_may_be_closed_and_opened(start):
    line, emulator = start()
    line.ok("ATE0")
    line.close()
    before = cpu_time(emulator)
    time.sleep(0.3)
    assert cpu_time(emulator) - before < 0.05
    line.__init__(str(emulator.device))
    assert line.command("AT") == b"\r\nOK\r\n"


def cpu_time(emulator):
    with open(f"/proc/{emulator.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_hang_up_and_return(start):
    line, emulator = start()
    line.ok("ATE0")
    assert emulator.control("hangup") == "ok"
    assert not os.path.lexists(emulator.device)
    with pytest.raises(OSError):
        while line.fill(1):
            pass
    line.close()
    assert emulator.control("return") == "ok"
    line.__init__(str(emulator.device))
    assert line.command("AT") == b"\r\nOK\r\n"


def test_the_link_goes_with_the_emulator(start):
    line, emulator = start()
    line.close()
    emulator.process.terminate()
    assert emulator.process.wait(5) == 0
    assert not os.path.lexists(emulator.device)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_sockets(binary, directory, kind):
    import subprocess

    path = directory / "socket"
    where = f"unix:{path}" if kind == "unix" else "tcp:0"
    process = subprocess.Popen([str(binary), "--listen", where], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split(" on ")[1].strip()
        if kind == "unix":
            caller = socket.socket(socket.AF_UNIX)
            caller.connect(str(path))
        else:
            caller = socket.create_connection(("127.0.0.1", int(address.split(":")[1])))
        caller.settimeout(5)
        caller.sendall(b"ATE0\r")
        answer = b""
        while not answer.endswith(b"OK\r\n"):
            answer += caller.recv(100)
        assert answer == b"ATE0\r\r\nOK\r\n"
        caller.close()
    finally:
        process.terminate()
        assert process.wait(5) == 0
        process.stdout.close()


def test_what_the_host_says_is_recorded_exactly(start, server):
    line, emulator = start()
    line.bring_up()
    data = payload(5000)
    store(line, "/data/f", data)
    said = emulator.said_by_host()
    assert escaped(data) + ETX in said
    assert said.startswith(b"ATE0\rAT+CMEE=1\r")
    assert len(said) == emulator.stats()["line"]["from_host"]


def test_statistics_file_follows(start):
    import json

    line, emulator = start()
    line.ok("ATE0")
    wait_for(lambda: json.loads(emulator.stats_file.read_text())["at"].get("ATE") == 1, "statistics")
    assert emulator.control("reset-stats") == "ok"
    assert emulator.stats()["at"]["total"] == 0
