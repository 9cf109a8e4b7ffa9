"""Texts in files of hosts: every character comes back, or is refused."""

import re

import pytest

from hosts.kit.lua_text import text
from hosts.nuke.lp_nuke.tcl import word
from hosts.obs import options

SIGNS = [chr(code) for code in (*range(0x180), 0x2028, 0x202E, 0xFEFF, 0x1F600)]


def lua(written):
    """What Lua 5.1 reads."""
    body = written[1:-1].encode()
    plain = {b"n": b"\n", b'"': b'"', b"\\": b"\\"}

    def read(match):
        return bytes([int(match[1])]) if match[1].isdigit() else plain[match[1]]

    assert not re.search(rb'(?<!\\)(?:\\\\)*"', body)
    return re.sub(rb"\\([0-9]{1,3}|.)", read, body, flags=re.DOTALL).decode()


@pytest.mark.parametrize("after", ["", "1", "\\", '"', "u001b"])
def test_lua_gives_every_character_back(after):
    for sign in SIGNS:
        written = text(f"a{sign}{after}")
        assert written.isascii() and written.isprintable()
        assert lua(written) == f"a{sign}{after}"
        assert lua(options.lua(f"a{sign}{after}")) == f"a{sign}{after}"


def test_tcl_keeps_or_refuses_every_control_character():
    for sign in SIGNS:
        if sign in "\n\t" or sign >= " " and sign != "\x7f":
            assert word(f"a {sign}")
        else:
            with pytest.raises(ValueError, match="control character"):
                word(f"a {sign}")
