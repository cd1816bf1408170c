# SPDX-License-Identifier: MIT
"""Each reading of the manual, as a switch."""
import pathlib
import re
import subprocess
import time

import pytest

from at_line import ETX
from test_l610 import get, payload, receive, retrieve, store


def test_put_orders(start, server):
    expected = {
        "prompt-ok-data": (rb"\A\r\n\+FTPPUT: 2,4\r\n\r\nOK\r\n", rb"\A\r\n\+FTPPUT: 1\r\n"),
        "ok-prompt-data": (rb"\A\r\nOK\r\n\r\n\+FTPPUT: 2,4\r\n", rb"\A\r\n\+FTPPUT: 1\r\n"),
        "prompt-data-ok": (rb"\A\r\n\+FTPPUT: 2,4\r\n", rb"\A\r\n\+FTPPUT: 1\r\n\r\nOK\r\n"),
        "no-result": (rb"\A\r\n\+FTPPUT: 2,4\r\n", rb"\A\r\nOK\r\n"),
    }
    for reading, (before, after) in expected.items():
        line, _ = start("--quirk", f"ftpput={reading}")
        line.bring_up()
        line.send(b'AT+FTPPUT="/data/f",4,0\r')
        line.until(before)
        line.quiet(0.05)
        line.send(b"AT\r\x10")
        line.until(after)
        line.send(b'AT+FTPPUT="/data/f",4,1\r')
        line.until(before)
        line.send(b"+++\n")
        line.until(after)
        line.quiet(0.05)
        assert (server.data / "f").read_bytes() == b"AT\r\x10+++\n", reading
        (server.data / "f").unlink()


def test_a_failed_put_without_result_is_an_error(start, server):
    line, _ = start("--quirk", "ftpput=no-result")
    line.bring_up()
    line.send(b'AT+FTPPUT="/none/f",4,1\r')
    line.until(rb"\+FTPPUT: 2,4\r\n")
    line.send(b"abcd")
    line.until(rb"\+CME ERROR: 3\r\n")


def test_listing_escaped_and_glued(start, server):
    server.write("a\x03b\x10c", b"x")
    line, _ = start("--quirk", "ftplist=escaped", "--quirk", "ftplist-head=glued")
    line.bring_up()
    line.ok('AT+FTPLIST="/data"')
    line.until(rb"\n\+FTPLIST: 2(?=[^\r])")
    assert line.stream().endswith(b" a\x03b\x10c\r\n")
    assert line.verdict("+FTPLIST") == 1


@pytest.mark.parametrize("reading", ["early", "late", "none"])
def test_when_the_cache_is_told(start, server, reading):
    data = payload(3_000_00)
    server.write("f", data)
    line, emulator = start("--quirk", f"ftpget2={reading}", "--rtt", "20")
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    text = line.until(rb"\+FTPGET: 1\r\n")
    assert (b"\n+FTPGET: 2\r\n" in text) == (reading != "none")
    got = b""
    while len(got) < len(data):
        got += receive(line, 3000)[0]
    assert got == data


def test_directory_plain_and_texts_twice(start, server):
    line, _ = start("--quirk", "ftppwd=plain", "--quirk", "text-verdict=twice")
    line.bring_up()
    line.ok("AT+FTPPWD")
    line.until(rb"\A\r\n\+FTPPWD: 2,/\r\n\r\n\+FTPPWD: 1\r\n")


def test_receive_finds_nothing_at_first(start, server):
    data = payload(9000)
    server.write("f", data)
    line, emulator = start("--quirk", "recv-zero")
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    line.until(rb"\+FTPGET: 1\r\n")
    assert [len(receive(line, 3000)[0]) for _ in range(6)] == [0, 3000, 0, 3000, 0, 3000]


def test_download_mode_until_all_is_read(start, server):
    server.write("f", b"12345")
    line, _ = start("--quirk", "download-mode=read")
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    line.until(rb"\+FTPGET: 1\r\n")
    assert b"+CME ERROR: 3" in line.command("AT+FTPNOOP")
    assert b'+FTPGET: "/data/f",1,1' in line.ok("AT+FTPGET?")
    assert receive(line, 100)[0] == b"12345"
    assert b"+FTPGET" not in line.ok("AT+FTPGET?")
    line.ok("AT+FTPNOOP")


def test_what_nobody_reads_is_dropped(start, server):
    server.write("f", b"12345")
    line, _ = start("--quirk", "discard=1")
    line.bring_up()
    line.ok('AT+FTPGET="/data/f"')
    line.until(rb"\+FTPGET: 1\r\n")
    assert b"+FTPRECV: 5" in line.ok("AT+FTPRECV?")
    end = time.monotonic() + 5
    while b"+FTPRECV: 5" in line.ok("AT+FTPRECV?") and time.monotonic() < end:
        line.fill(0.05)
    assert b"+FTPRECV: 0" in line.ok("AT+FTPRECV?")
    assert b"+FTPOPEN: 0" in line.ok("AT+FTPOPEN?")


def test_formatting(start, server):
    line, _ = start("--quirk", "no-blank", "--quirk", "creg-names", "--quirk", "cme-text",
                    "--quirk", "id=prefixed")
    line.bring_up()
    assert b"\r\n+CREG:0,1\r\n" in line.ok("AT+CEREG?")
    assert b"\r\n+CGMM:\"L610-CN\"\r\n" in line.ok("AT+CGMM")
    assert b"+CME ERROR: operation not allowed" in line.command('AT+MIPCALL=1')
    line, _ = start("--quirk", "blank=mixed")
    assert len({line.ok("AT+CSQ") for _ in range(40)}) == 2


def test_usb_port_is_slowed_by_its_limit(start, server):
    data = payload(14600)
    server.write("f", data)
    line, _ = start("--quirk", "port=usb")
    line.bring_up()
    begin = time.monotonic()
    assert retrieve(line, "/data/f") == data
    assert time.monotonic() - begin > 9 * 0.050
    line.ok('AT+GTSET="FTPLIMIT",0')
    begin = time.monotonic()
    assert retrieve(line, "/data/f") == data
    assert time.monotonic() - begin < 9 * 0.050


def test_secure_mode(start, directory, server):
    key = directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", str(key), "-out", str(directory / "cert.pem")],
        check=True, capture_output=True)
    server.stop()
    server.extra = (
        f"ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"
        f"rsa_private_key_file={key}\nrsa_cert_file={directory / 'cert.pem'}\n"
        "require_ssl_reuse=NO\nssl_ciphers=HIGH\n")
    server.start()
    line, emulator = start()
    line.bring_up_bearer()
    line.ok('AT+FTPOPEN="h","ftp","x",,,21,0,1')
    assert line.verdict("+FTPOPEN") == 0
    line.ok('AT+FTPOPEN="h","ftp","x",,,21,0,0')
    assert line.verdict("+FTPOPEN") == 0
    line, emulator = start("--quirk", "sftp=tls")
    line.bring_up_bearer()
    line.ok('AT+FTPOPEN="h","ftp","x",,,21,0,1')
    assert line.verdict("+FTPOPEN") == 1
    data = payload(200_000)
    store(line, "/data/f", data)
    assert retrieve(line, "/data/f", 1000) == data[1000:]
    assert emulator.stats()["ftp"]["PROT"] == 1


def test_wrong_options_are_refused(binary):
    for argv, words in (
        (["--link", "/tmp/x", "--quirk", "ftpput=never"], "prompt-ok-data"),
        (["--link", "/tmp/x", "--quirk", "nonsense"], "nonsense"),
        (["--link", "/tmp/x", "--family", "none"], "fibocom-l610"),
        ([], "--link"),
    ):
        done = subprocess.run([str(binary), *argv], capture_output=True, text=True)
        assert done.returncode == 2 and words in done.stderr
    done = subprocess.run([str(binary), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for word in ("--pin", "break-data", "ftpget2=early|late|none", "creg-names"):
        assert word in done.stdout
    done = subprocess.run([str(binary), "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("modemftp-emulator 0.")


def test_the_man_page_has_every_option_fault_and_quirk(binary):
    page = pathlib.Path(__file__).parents[2] / "man" / "modemftp-emulator.1.rst"
    text = page.read_text()
    shown = subprocess.run([str(binary), "--help"], capture_output=True, text=True).stdout
    options = set(re.findall(r"--[a-z][a-z-]*", shown.split("Faults")[0]))
    assert options <= set(re.findall(r"--[a-z][a-z-]*", text)), "options"
    assert set(re.findall(r"^--[a-z][a-z-]*", text, re.M)) <= options
    faults = shown.split("socket):\n")[1].split("\n\n")[0]
    names = set(re.findall(r"^  ([a-z-]+)", faults, re.M))
    section = text.split("\nFAULTS\n")[1].split("\nQUIRKS\n")[0]
    assert names <= set(re.findall(r"[a-z][a-z-]+", section)), "faults"
    quirks = re.findall(r"^  ([a-z0-9-]+)=(\S+)", shown, re.M)
    section = text.split("\nQUIRKS\n")[1]
    for name, values in quirks:
        expected = f"{name}=SECONDS" if values.startswith("#") else f"{name}={values}"
        assert re.search(rf"^{re.escape(expected)}$", section, re.M), expected
    assert len(quirks) == len(re.findall(r"^[a-z0-9-]+=\S+$", section, re.M))
