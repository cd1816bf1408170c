# SPDX-License-Identifier: MIT
"""A real FTP server, an emulated modem and modemftpd, for the tests and for tools/demo."""
