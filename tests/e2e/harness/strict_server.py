# SPDX-License-Identifier: MIT
"""strict_server.py PORT ROOT: an FTP server on loopback that answers 550 to a rename onto an
existing name, as several Windows and embedded servers do."""
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS, FilesystemError
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


class StrictFilesystem(AbstractedFS):
    def rename(self, src, dst):
        if os.path.lexists(dst):
            raise FilesystemError("Target exists.")
        super().rename(src, dst)


class StrictHandler(FTPHandler):
    abstracted_fs = StrictFilesystem
    authorizer = DummyAuthorizer()


def main():
    port, root = int(sys.argv[1]), sys.argv[2]
    StrictHandler.authorizer.add_anonymous(root, perm="elradfmwMT")
    FTPServer(("127.0.0.1", port), StrictHandler).serve_forever()


if __name__ == "__main__":
    main()
