# SPDX-License-Identifier: MIT
"""The host's end of the line: bytes, and just enough AT to read them."""
import os
import re
import select
import termios
import time
import tty

DLE, ETX = b"\x10", b"\x03"


class Line:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd, termios.TCSANOW)
        self.buffer = b""

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def send(self, data):
        while data:
            select.select([], [self.fd], [], 10)
            data = data[os.write(self.fd, data[:4096]):]

    def fill(self, seconds):
        """More bytes into the buffer; False when none come."""
        ready, _, _ = select.select([self.fd], [], [], max(seconds, 0))
        if not ready:
            return False
        data = os.read(self.fd, 65536)
        if not data:
            raise OSError("the line has hung up")
        self.buffer += data
        return True

    def until(self, pattern, seconds=10):
        """Everything up to the end of the first match, which is taken from the buffer."""
        end = time.monotonic() + seconds
        wanted = re.compile(pattern, re.S)
        while True:
            match = wanted.search(self.buffer)
            if match:
                taken, self.buffer = self.buffer[: match.end()], self.buffer[match.end():]
                self.match = match
                return taken
            if not self.fill(end - time.monotonic()):
                if time.monotonic() >= end:
                    raise AssertionError(f"no {pattern!r} in {self.buffer!r}")

    def exactly(self, count, seconds=30):
        end = time.monotonic() + seconds
        while len(self.buffer) < count:
            if not self.fill(end - time.monotonic()) and time.monotonic() >= end:
                raise AssertionError(f"only {len(self.buffer)} of {count} bytes")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def quiet(self, seconds=0.3):
        """Nothing must come for so long."""
        assert not self.fill(seconds), f"unexpected {self.buffer!r}"

    def command(self, text, final=rb"\r\n(OK|ERROR|\+CME ERROR: [^\r]*)\r\n", seconds=10):
        """Sends a command and returns everything up to its final result."""
        self.send(text.encode() + b"\r")
        return self.until(final, seconds)

    def ok(self, text, seconds=10):
        answer = self.command(text, seconds=seconds)
        assert answer.endswith(b"\r\nOK\r\n"), answer
        return answer

    def verdict(self, name, seconds=10):
        self.until(rb"[\r\n]" + re.escape(name.encode()) + rb": ?(\d)[^\r]*\r\n", seconds)
        return int(self.match.group(1))

    def stream(self, seconds=60):
        """A DLE/ETX stream up to its unescaped ETX."""
        out = bytearray()
        end = time.monotonic() + seconds
        at = 0
        while True:
            while at < len(self.buffer):
                byte = self.buffer[at:at + 1]
                if byte == DLE:
                    if at + 1 >= len(self.buffer):
                        break
                    out += self.buffer[at + 1:at + 2]
                    at += 2
                elif byte == ETX:
                    self.buffer = self.buffer[at + 1:]
                    return bytes(out)
                else:
                    out += byte
                    at += 1
            self.buffer = self.buffer[at:]
            at = 0
            if not self.fill(end - time.monotonic()) and time.monotonic() >= end:
                raise AssertionError(f"the stream does not end after {len(out)} bytes")

    def bring_up_bearer(self):
        """From power-on to an address."""
        self.ok("ATE0")
        self.ok("AT+CMEE=1")
        self.ok('AT+CGDCONT=1,"IP","internet"')
        self.ok("AT+MIPCALL=1")
        self.until(rb"\+MIPCALL: ?[\d.]+\r\n")

    def bring_up(self, password="x@y"):
        """From power-on to a session."""
        self.bring_up_bearer()
        self.open(password)

    def open(self, password="x@y"):
        self.ok(f'AT+FTPOPEN="ftp.example.com","ftp","{password}",,,21,0')
        assert self.verdict("+FTPOPEN") == 1


def escaped(data):
    return data.replace(DLE, DLE + DLE).replace(ETX, DLE + ETX)
