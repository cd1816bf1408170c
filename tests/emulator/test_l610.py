# SPDX-License-Identifier: MIT
"""The Fibocom L610's commands, against a real server."""
import hashlib
import random
import re

import pytest

from at_line import ETX, escaped

EVERY_BYTE = bytes(range(256)) + b"\r\nOK\r\n+FTPGET: 1\r\n+++\x10\x03\x03\x10NO CARRIER\r\n"


def payload(size, seed=1):
    return (EVERY_BYTE + random.Random(seed).randbytes(size))[:size]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def transfers(server):
    return [c for c in server.commands() if c.split()[0] in ("REST", "STOR", "APPE", "RETR")]


def put(line, name, data):
    """FTPPUT in blocks, the prompt-ok-data reading."""
    pieces = [data[at:at + 1024] for at in range(0, len(data), 1024)]
    for number, piece in enumerate(pieces):
        last = int(number == len(pieces) - 1)
        answer = line.ok(f'AT+FTPPUT="{name}",{len(piece)},{last},1')
        assert b"+FTPPUT: 2,%d\r\n" % len(piece) in answer
        line.send(piece)
        assert line.verdict("+FTPPUT") == 1


def store(line, name, data, offset=None, good=1):
    tail = "" if offset is None else f",1,{offset}"
    line.ok(f'AT+FTPSTOR="{name}"{tail}')
    assert line.verdict("+FTPSTOR") == 2
    line.send(escaped(data) + ETX)
    assert line.verdict("+FTPSTOR") == good


def retrieve(line, name, offset=None, good=1):
    tail = "" if offset is None else f",1,{offset}"
    line.ok(f'AT+FTPRETR="{name}"{tail}')
    assert line.verdict("+FTPRETR") == 2
    data = line.stream()
    assert line.verdict("+FTPRETR") == good
    return data


def receive(line, count):
    line.send(b"AT+FTPRECV=%d\r" % count)
    before = line.until(rb"\r\n\+FTPRECV: ?(\d+)\r\n")
    data = line.exactly(int(line.match.group(1)))
    before += line.until(rb"\r\nOK\r\n")
    return data, [int(v) for v in re.findall(rb"\n\+FTPGET: ?(\d)\r\n", before)]


def get(line, name, offset=None, step=2560):
    """FTPGET and FTPRECV to the end of the file."""
    tail = "" if offset is None else f",1,{offset}"
    line.ok(f'AT+FTPGET="{name}"{tail}')
    data = b""
    ended = False
    while True:
        piece, verdicts = receive(line, step)
        assert 0 not in verdicts
        data += piece
        if ended and not piece:
            return data
        ended = ended or 1 in verdicts


def test_login_and_list(start, server):
    server.write("a b.txt", b"hello")
    line, emulator = start()
    line.bring_up()
    line.ok('AT+FTPLIST="/data"')
    line.until(rb"\n\+FTPLIST: 2\r\n")
    listing = line.until(rb"\r\n\+FTPLIST: 1\r\n")
    assert b"5 " in listing and b" a b.txt\r\n" in listing
    assert [c for c in server.commands() if c.startswith("LIST")] == ["LIST /data"]
    assert emulator.stats()["ftp"]["LIST"] == 1


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 3000, 3001, 65536, 1_000_003])
def test_streams_carry_every_byte(start, server, size):
    line, emulator = start("--split", "7")
    line.bring_up()
    data = payload(size)
    store(line, "/data/up.bin", data)
    assert digest((server.data / "up.bin").read_bytes()) == digest(data)
    assert digest(retrieve(line, "/data/up.bin")) == digest(data)
    stats = emulator.stats()
    assert stats["line"]["payload_from_host"] == stats["line"]["payload_to_host"] == size
    assert stats["air"] == {"payload_down": size, "payload_up": size}
    assert transfers(server) == ["STOR /data/up.bin", "RETR /data/up.bin"]


@pytest.mark.parametrize("size", [1, 1024, 1025, 65536])
def test_blocks_carry_every_byte(start, server, size):
    line, _ = start("--split", "3")
    line.bring_up()
    data = payload(size)
    put(line, "/data/up.bin", data)
    assert digest((server.data / "up.bin").read_bytes()) == digest(data)
    assert digest(get(line, "/data/up.bin")) == digest(data)
    assert transfers(server) == ["STOR /data/up.bin", "RETR /data/up.bin"]


def test_store_at_an_offset_is_rest_and_stor(start, server):
    server.write("log", b"0123456789")
    line, _ = start()
    line.bring_up()
    store(line, "/data/log", b"abcd", 10)
    assert (server.data / "log").read_bytes() == b"0123456789abcd"
    store(line, "/data/log", b"XY", 3)
    assert (server.data / "log").read_bytes()[:5] == b"012XY"
    assert transfers(server) == [
        "REST 10", "STOR /data/log", "REST 3", "STOR /data/log"]


def test_store_into_a_new_file_at_an_offset_leaves_nulls(start, server):
    line, _ = start()
    line.bring_up()
    store(line, "/data/new", b"tail", 10)
    assert (server.data / "new").read_bytes() == bytes(10) + b"tail"


def test_a_big_download_refills_the_buffer(start, server):
    data = payload(1_200_000)
    server.write("big", data)
    line, emulator = start()
    line.bring_up()
    line.ok('AT+FTPGET="/data/big",1')
    line.until(rb"\n\+FTPGET: 2\r\n")
    while b"512000" not in line.ok("AT+FTPRECV?"):
        pass
    got, _ = receive(line, 3000)
    assert got == data[:3000]
    # In download mode nothing else is answered.
    assert b"+CME ERROR: 3" in line.command("AT+FTPNOOP")
    assert b"+FTPOPEN: 1" in line.ok("AT+FTPOPEN?")
    while len(got) < len(data):
        got += receive(line, 3000)[0]
    assert digest(got) == digest(data)
    rests = [c for c in transfers(server) if c.startswith("REST")]
    assert rests and rests[0] == "REST 512000"
    # The session has lived through the closed data connections.
    assert [c for c in server.commands() if c.startswith("USER")] == ["USER ftp"]
    # What was fetched twice over the air is bounded by what a socket buffers.
    assert emulator.stats()["air"]["payload_down"] < len(data) + 300_000


def test_download_from_an_offset(start, server):
    data = payload(70_000)
    server.write("f", data)
    line, _ = start()
    line.bring_up()
    assert retrieve(line, "/data/f", 69_000) == data[69_000:]
    assert get(line, "/data/f", 69_900) == data[69_900:]
    line.ok("AT+FTPREST=69990")
    assert retrieve(line, "/data/f") == data[69_990:]
    # An offset of the command's own goes before FTPREST's.
    assert retrieve(line, "/data/f", 69_999) == data[69_999:]


@pytest.mark.parametrize("quirk,second", [("lasts", b"89"), ("once", b"0123456789")])
def test_rest_lasts_or_not(start, server, quirk, second):
    server.write("f", b"0123456789")
    line, _ = start("--quirk", f"ftprest={quirk}")
    line.bring_up()
    line.ok("AT+FTPREST=8")
    assert retrieve(line, "/data/f") == b"89"
    assert retrieve(line, "/data/f") == second


def test_names(start, server):
    line, _ = start()
    line.bring_up()
    name = "w\u00f6rter %41 ;type=a #?&+=[x]~"
    line.ok(f'AT+FTPMKD="/data/{name}"')
    assert line.verdict("+FTPMKD") == 1
    assert (server.data / name).is_dir()
    line.ok(f'AT+FTPCWD="/data/{name}"')
    assert line.verdict("+FTPCWD") == 1
    store(line, f"{name}.txt", b"x")
    assert (server.data / name / f"{name}.txt").read_bytes() == b"x"
    assert retrieve(line, f"/data/{name}/{name}.txt") == b"x"
    line.ok("AT+FTPPWD")
    line.until(rb"\+FTPPWD: 2,(\"[^\r]*\")\r\n")
    assert line.match.group(1).decode() == f'"/data/{name}"'
    line.ok(f'AT+FTPLIST="{name}.txt"')
    line.until(rb"\n\+FTPLIST: 2\r\n")
    assert f" {name}.txt\r\n".encode() in line.until(rb"\+FTPLIST: 1\r\n")
    line.ok(f'AT+FTPREN="{name}.txt","/data/plain"')
    assert line.verdict("+FTPREN") == 1
    assert (server.data / "plain").read_bytes() == b"x"
    line.ok("AT+FTPCDUP")
    assert line.verdict("+FTPCDUP") == 1
    line.ok(f'AT+FTPRMD="{name}"')
    assert line.verdict("+FTPRMD") == 1
    line.ok('AT+FTPDEL="plain"')
    assert line.verdict("+FTPDEL") == 1
    assert list(server.data.iterdir()) == []
    line.ok('AT+FTPDEL="plain"')
    assert line.verdict("+FTPDEL") == 0


def test_texts_and_small_commands(start, server):
    server.write("f", b"12345")
    line, _ = start()
    line.bring_up()
    line.ok("AT+FTPSYST")
    line.until(rb"\r\n\+FTPSYST: 2,UNIX Type: L8\r\n")
    line.ok('AT+FTPSTAT="/data/f"')
    assert b" 5 " in line.until(rb"\+FTPSTAT: 2,213-.*213 End of status\r\n")
    line.ok("AT+FTPNOOP")
    assert line.verdict("+FTPNOOP") == 1
    line.ok("AT+FTPINFO=1")
    line.ok("AT+FTPNOOP")
    line.until(rb"\+FTPINFO:NOOP\r\n.*\+FTPINFO:200 NOOP ok\.\r\n.*\+FTPNOOP: 1\r\n")
    assert b"+FTPINFO: 1" in line.ok("AT+FTPINFO?")
    assert b"+FTPMODE: 0" in line.ok("AT+FTPMODE?")
    line.ok("AT+FTPMODE=1")
    line.ok("AT+FTPINFO=0")
    assert retrieve(line, "/data/f") == b"12345"
    assert any(c.startswith("PORT ") for c in server.commands())
    line.ok("AT+FTPCLOSE")
    assert line.verdict("+FTPCLOSE") == 1
    assert "QUIT" in server.commands()
    assert b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?")


def test_every_form_of_the_manual(start, server):
    line, _ = start()
    line.bring_up()
    for name in ("CWD", "MKD", "RMD", "DEL", "REN", "LIST", "STAT", "STOR", "RETR", "GET", "RECV",
                 "PUT", "OPEN", "INFO", "REST", "MODE"):
        assert f"+FTP{name}: ".encode() in line.ok(f"AT+FTP{name}=?")
    for name in ("CLOSE", "PWD", "CDUP", "SYST", "NOOP"):
        assert b"+CME ERROR: 4" in line.command(f"AT+FTP{name}=?")
    for name in ("CLOSE", "CWD", "MKD", "RMD", "PWD", "CDUP", "DEL", "REN", "LIST", "STAT",
                 "SYST", "NOOP", "STOR", "RETR", "PUT"):
        assert b"+CME ERROR: 4" in line.command(f"AT+FTP{name}?")
    assert b'+GTSET: "FTPLIMIT",50' in line.ok("AT+GTSET?")
    line.ok('AT+GTSET="FTPLIMIT",0')
    for bad in ("AT+FTPRECV=3001", "AT+FTPRECV=0", "AT+FTPMODE=2", 'AT+FTPPUT="a",1025,1',
                'AT+FTPPUT="a",0,1', 'AT+FTPRETR="a",2', "AT+FTPMKD=a", 'AT+FTPMKD="a',
                'AT+GTSET="FTPLIMIT",1001'):
        assert b"+CME ERROR: 50" in line.command(bad), bad
    assert b"+CME ERROR: 24" in line.command(f'AT+FTPMKD="{"n" * 256}"')


def test_what_is_missing_on_the_server(start, server):
    line, _ = start()
    line.bring_up()
    line.ok('AT+FTPRETR="/data/none"')
    assert line.verdict("+FTPRETR") == 0
    line.ok('AT+FTPGET="/data/none"')
    assert line.verdict("+FTPGET") == 0
    line.ok('AT+FTPSTOR="/none/none"')
    assert line.verdict("+FTPSTOR") == 0
    line.ok('AT+FTPCWD="/none"')
    assert line.verdict("+FTPCWD") == 0
    line.ok("AT+FTPNOOP")
    assert line.verdict("+FTPNOOP") == 1
    assert [c for c in server.commands() if c.startswith("USER")] == ["USER ftp"]
