# SPDX-License-Identifier: MIT
"""Everything that can be made to go wrong."""
import time

import pytest

from at_line import ETX, escaped
from conftest import wait_for
from test_l610 import payload, receive, retrieve, store, transfers


def users(server):
    return [c for c in server.commands() if c.startswith("USER")]


def noop(line):
    line.ok("AT+FTPNOOP")
    return line.verdict("+FTPNOOP")


def test_silence(start, server):
    line, emulator = start()
    line.bring_up()
    assert emulator.control("silence on") == "ok"
    line.send(b"AT\r")
    line.quiet()
    assert emulator.control("silence off") == "ok"
    assert line.command("AT") == b"\r\nOK\r\n"
    assert noop(line) == 1


def test_a_trigger_strikes_at_the_third_command(start, server):
    server.write("f", payload(9000))
    line, emulator = start("--fault", "when AT+FTPRECV 3 silence on")
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    line.until(rb"\+FTPGET: 1\r\n")
    receive(line, 100)
    receive(line, 100)
    line.send(b"AT+FTPRECV=100\r")
    line.quiet()
    emulator.control("silence off")
    assert receive(line, 100)[0] == payload(9000)[200:300]


def test_reset(start, server):
    line, emulator = start("--boot-time", "100")
    line.bring_up()
    assert emulator.control("reset") == "ok"
    line.until(rb"\r\nRDY\r\n.*\+CFUN: 1\r\n")
    assert line.command("AT") == b"AT\r\r\nOK\r\n"
    assert line.command("AT+FTPNOOP").endswith(b"\r\nERROR\r\n")
    assert b"+MIPCALL: 0" in line.ok("AT+MIPCALL?")
    line.bring_up()
    assert noop(line) == 1
    assert emulator.stats()["reboots"] == 1
    # The session that died said no QUIT.
    assert "QUIT" not in server.commands()


def test_restart_by_command(start, server):
    line, _ = start("--boot-time", "100")
    line.ok("AT+CFUN=1,1")
    line.until(rb"\r\nRDY\r\n.*\+CFUN: 1\r\n")
    line.ok("AT")


def test_bearer_lost(start, server):
    line, emulator = start()
    line.bring_up()
    assert emulator.control("drop-bearer") == "ok"
    line.until(rb"\r\n\+MIPCALL: 0\r\n")
    assert b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?")
    assert b"+CME ERROR: 2031" in line.command('AT+FTPOPEN="h","ftp","x"')
    line.ok("AT+MIPCALL=1")
    line.until(rb"\+MIPCALL: [\d.]+\r\n")
    line.open()


def test_bearer_lost_during_a_stream(start, server):
    server.write("f", payload(300_000))
    line, emulator = start("--baud", "460800")
    line.bring_up()
    line.ok('AT+FTPRETR="/data/f"')
    assert line.verdict("+FTPRETR") == 2
    line.exactly(5000)
    emulator.control("drop-bearer")
    line.until(rb"\r\n\+MIPCALL: 0\r\n")
    line.ok("AT")


def test_deaf_network(start, server):
    line, emulator = start("--patience", "1")
    line.bring_up()
    emulator.control("blackhole on")
    begin = time.monotonic()
    line.ok("AT+FTPNOOP")
    assert line.verdict("+FTPNOOP") == 0
    assert 0.9 < time.monotonic() - begin < 5
    assert b"+MIPCALL: 1," in line.ok("AT+MIPCALL?")
    line.ok("AT+MIPCALL=0")
    line.until(rb"\+MIPCALL: 0\r\n")
    line.ok("AT+MIPCALL=1")
    line.until(rb"\+MIPCALL: [\d.]+\r\n")
    line.open()
    assert noop(line) == 1


def test_lost_and_doubled_bytes(start):
    line, emulator = start("--echo", "off")
    line.ok("AT")
    emulator.control("lose 1 2")
    line.send(b"AT\r")
    line.until(rb"\A\r\nK\r\n")
    emulator.control("double 1 3")
    line.send(b"AT\r")
    line.until(rb"\A\r\nOKK\r\n")
    emulator.control("lose 1 0 in")
    line.send(b"AT\r")
    line.quiet(0.1)
    line.ok("AT")


def test_garbled_result(start):
    line, emulator = start("--echo", "off")
    emulator.control("garble next")
    line.send(b"AT\r")
    assert line.until(rb"\A\r\n[^\r]{2}\r\n") != b"\r\nOK\r\n"
    assert line.command("AT") == b"\r\nOK\r\n"


def test_flood(start):
    line, emulator = start("--echo", "off")
    emulator.control("urc-flood 500")
    assert line.until(rb"(\r\n[+^R][^\r]*\r\n){500}")
    line.ok("AT")


@pytest.mark.parametrize("code", [425, 450, 452, 550, 553])
def test_replies_before_data(start, server, code):
    server.write("f", b"12345")
    line, emulator = start()
    line.bring_up()
    line.ok("AT+FTPINFO=1")
    emulator.control(f"reply {code} RETR")
    line.ok('AT+FTPRETR="/data/f"')
    text = line.until(rb"\+FTPRETR: 0\r\n")
    assert b"+FTPINFO:%d " % code in text
    assert transfers(server) == []
    line.ok("AT+FTPINFO=0")
    assert retrieve(line, "/data/f") == b"12345"


@pytest.mark.parametrize("code", [426, 552])
def test_replies_after_data(start, server, code):
    line, emulator = start()
    line.bring_up()
    emulator.control(f"reply {code} STOR 2")
    store(line, "/data/f", b"12345", good=0)
    store(line, "/data/f", b"12345", good=0)
    store(line, "/data/f", b"12345", good=1)
    assert len(users(server)) == 1


def test_service_closing(start, server):
    line, emulator = start()
    line.bring_up()
    emulator.control("reply 421 NOOP")
    assert noop(line) == 0
    assert b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?")
    line.open()
    assert noop(line) == 1


def test_login_refused(start, server):
    line, emulator = start()
    line.bring_up_bearer()
    emulator.control("reply 530 PASS")
    line.ok('AT+FTPOPEN="h","ftp","x"')
    assert line.verdict("+FTPOPEN") == 0
    line.ok('AT+FTPOPEN="h","nobody-here","x"')
    assert line.verdict("+FTPOPEN") == 0
    line.open()


@pytest.mark.parametrize("reading,answer", [
    ("result", rb"\A\r\n\+CME ERROR: %d\r\n"),
    ("verdict", rb"\A\r\nOK\r\n\r\n\+FTPOPEN: 0\r\n"),
    ("urc", rb"\A\r\nOK\r\n\r\n\+CME ERROR: %d\r\n\r\n\+FTPOPEN: 0\r\n"),
])
def test_no_address_and_no_connection(start, server, reading, answer):
    line, emulator = start("--quirk", f"ftpopen-error={reading}")
    line.bring_up_bearer()
    for fault, code in (("dns-fail", 2002), ("connect-fail", 2012)):
        emulator.control(fault)
        line.send(b'AT+FTPOPEN="h","ftp","x"\r')
        line.until(answer % code if b"%d" in answer else answer)
    # The real thing.
    server.stop()
    line.send(b'AT+FTPOPEN="h","ftp","x"\r')
    line.until(answer % 2012 if b"%d" in answer else answer)
    server.start()


def test_download_breaks_at_every_place(start, server):
    data = payload(50_000)
    server.write("f", data)
    line, emulator = start()
    line.bring_up()
    for at in (0, 1, 4095, 30_000, 49_999):
        emulator.control(f"break-data {at}")
        line.ok('AT+FTPRETR="/data/f"')
        text = line.until(rb"\+FTPRETR: ([02])\r\n")
        if line.match.group(1) == b"2":
            assert line.stream() == data[:at]
            assert line.verdict("+FTPRETR") == 0
        else:
            assert at == 0, text
        assert retrieve(line, "/data/f", at) == data[at:]
    assert len(users(server)) == 1


def test_upload_breaks_and_goes_on(start, server):
    data = b"0123456789" * 5000
    line, emulator = start()
    line.bring_up()
    emulator.control("break-data 20000")
    store(line, "/data/f", data, good=0)
    assert (server.data / "f").read_bytes() == data[:20000]
    # What the host still sent was taken for a command line.
    line.send(b"\rAT\r")
    line.until(rb"\A\r\nOK\r\n")
    store(line, "/data/f", data[20000:], 20000)
    assert (server.data / "f").read_bytes() == data
    assert len(users(server)) == 1


def test_sim_and_registration(start, server):
    line, emulator = start("--fault", "sim pin", "--pin", "4321")
    line.ok("ATE0")
    line.ok("AT+CMEE=1")
    assert b"+CPIN: SIM PIN" in line.ok("AT+CPIN?")
    assert b"+CREG: 0,0" in line.ok("AT+CREG?")
    assert b"+CME ERROR: 11" in line.command("AT+MIPCALL=1")
    assert b"+CME ERROR: 16" in line.command('AT+CPIN="1111"')
    line.ok('AT+CPIN="4321"')
    assert b"+CPIN: READY" in line.ok("AT+CPIN?")
    line.ok("AT+CREG=1")
    emulator.control("creg 2")
    line.until(rb"\r\n\+CREG: 2\r\n")
    assert b"+CREG: 1,2" in line.ok("AT+CREG?")
    assert b"+CME ERROR: 30" in line.command("AT+MIPCALL=1")
    emulator.control("creg 1")
    emulator.control("sim absent")
    assert b"+CME ERROR: 10" in line.command("AT+CPIN?")


def test_break_off_by_plus(start, server):
    data = payload(2_000_000)
    server.write("f", data)
    line, emulator = start("--baud", "921600", "--echo", "off")
    line.bring_up()
    line.ok('AT+FTPRETR="/data/f"')
    assert line.verdict("+FTPRETR") == 2
    # The guard time before; nothing reads meanwhile, so the modem waits too.
    time.sleep(1)
    line.send(b"+++")
    # The line stays busy for the guard time, then the stream ends as any other.
    line.stream()
    line.until(rb"\A\r\nOK\r\n\r\n\+FTPRETR: 0\r\n")
    assert noop(line) == 1
    assert len(users(server)) == 1
    assert emulator.stats()["air"]["payload_down"] < 300_000


def test_pluses_in_an_upload_are_data(start, server):
    line, _ = start("--echo", "off")
    line.bring_up()
    line.ok('AT+FTPSTOR="/data/f"')
    assert line.verdict("+FTPSTOR") == 2
    line.send(b"+++")
    line.send(b"abc+++" + ETX)
    assert line.verdict("+FTPSTOR") == 1
    assert (server.data / "f").read_bytes() == b"+++abc+++"


def test_break_off_an_upload_by_plus(start, server):
    line, _ = start("--echo", "off")
    line.bring_up()
    line.ok('AT+FTPSTOR="/data/f"')
    assert line.verdict("+FTPSTOR") == 2
    line.send(b"12345")
    wait_for(lambda: (server.data / "f").exists() and (server.data / "f").stat().st_size == 5,
             "the first bytes on the server")
    time.sleep(1)  # the guard time itself
    line.send(b"+++")
    assert line.verdict("+FTPSTOR", 5) == 0
    assert (server.data / "f").read_bytes() == b"12345"
    assert noop(line) == 1


def test_dtr(start, server):
    server.write("f", payload(2_000_000))
    line, emulator = start("--baud", "921600", "--echo", "off")
    line.bring_up()
    line.ok('AT+FTPRETR="/data/f"')
    assert line.verdict("+FTPRETR") == 2
    line.exactly(1000)
    emulator.control("dtr")
    line.until(rb"\r\nNO CARRIER\r\n")
    assert b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?")
    line.open()


def test_close_ends_a_download(start, server):
    server.write("f", payload(2_000_000))
    line, emulator = start()
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    line.until(rb"\+FTPGET: 2\r\n")
    receive(line, 3000)
    line.ok("AT+FTPCLOSE")
    assert line.verdict("+FTPCLOSE") == 1
    assert b"+FTPRECV: 0" in line.ok("AT+FTPRECV?")
    line.open()


def test_server_closes_an_idle_session(start, server):
    server.stop()
    server.extra = "idle_session_timeout=1\n"
    server.start()
    line, emulator = start()
    line.bring_up()
    wait_for(lambda: b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?"), "the server's time-out")
    assert b"+CME ERROR: 3" in line.command("AT+FTPNOOP")
    line.open()


def test_wrong_control_lines_are_told(start):
    line, emulator = start()
    for text in ("nonsense", "reply 200", "lose x", "when AT", "sim none", "silence"):
        assert emulator.control(text).startswith("error: "), text
