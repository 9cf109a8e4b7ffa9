"""Texts in Lua sources. Pure."""

_SIGNS = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}


def text(words: str) -> str:
    """A text as Lua 5.1 reads it; control characters, and all but ASCII, as bytes of UTF-8."""
    signs = (_SIGNS.get(sign) or (sign if " " <= sign <= "~" else _as_bytes(sign)) for sign in words)
    return '"' + "".join(signs) + '"'


def _as_bytes(sign: str) -> str:
    return "".join(f"\\{byte:03d}" for byte in sign.encode())
