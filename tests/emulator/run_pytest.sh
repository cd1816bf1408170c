#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests of a directory that need a real FTP server; 77 tells meson that they are skipped.
set -eu
for need in vsftpd openssl /usr/bin/python3; do
    if ! command -v "$need" >/dev/null; then
        echo "SKIPPED: $need is not installed" >&2
        exit 77
    fi
done
if [ "$(id -u)" -ne 0 ]; then
    echo "SKIPPED: vsftpd with its own root directory needs root" >&2
    exit 77
fi
if ! /usr/bin/python3 -c 'import pytest' 2>/dev/null; then
    echo "SKIPPED: python3-pytest is not installed" >&2
    exit 77
fi
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider "$1"
