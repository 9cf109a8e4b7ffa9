"""Throws damaged input at every parser of ours; only the typed errors of the program may come out.

    python benchmarks/fuzz.py [--parser png] [--runs 1000000] [--seconds 60] [--seed 1] [--atheris]

Seeded mutations of small valid inputs. With ``--atheris`` and one ``--parser`` the mutations are guided by coverage,
where atheris is installed (pip install atheris). Prints executions and rate; an exception that is not the program's own
ends the run with the input that raised it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.batch.marks import parse_pairs, read_map
from lp_core.errors import LpError
from lp_core.job import RenderJob
from lp_core.link.ring import RingReader, RingWriter
from lp_core.media.frame_pattern import SequencePattern
from lp_core.media.image.animation_header import read_animation
from lp_core.media.image.headers import read_header
from lp_core.media.image.tiff_tags import TagError, read_tags
from lp_core.media.kinds import foreign_format
from lp_core.media.references import reference_kind
from lp_core.motion.files import lpmotion_header
from lp_core.motion.files.pickles import pickled, read_pickle
from lp_core.performance_name import parse as parse_name
from lp_core.timing import FrameRange, FrameRate, Timecode

EXPECTED = (LpError, TagError)
"""What a parser may raise."""
_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
_BITS = (0, 1, 2, 4, 8, 16, 0x7F, 0x80, 0xFF)


@dataclass(frozen=True)
class Parser:
    """One parser with inputs that it reads."""

    call: Callable[[bytes], object]
    """Parses; raises the errors of EXPECTED."""
    seeds: tuple[bytes, ...]
    """Valid inputs."""
    is_heavy: bool = False
    """Whether each run takes a file, or more than a tenth of a millisecond."""


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(*between: bytes) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(14)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(between) + pixels + _chunk(b"IEND", b"")


def _tiff(order: str = "<") -> bytes:
    entries = ((256, 3, 1, 2), (257, 3, 1, 2), (274, 3, 1, 6), (277, 3, 1, 3), (273, 4, 1, 8))
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IH", 8, len(entries)) + body + bytes(4)


def _jpeg() -> bytes:
    exif = b"Exif\0\0" + _tiff(">")
    segments = [
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xE1, exif),
        (0xC0, b"\x08\0\2\0\2\x03" + bytes(9)),
        (0xDA, b"\0" * 10),
    ]
    packed = b"".join(
        b"\xff" + bytes([mark]) + struct.pack(">H", len(body) + 2) + body for mark, body in segments
    )
    return b"\xff\xd8" + packed + b"\0\xff\xd9"


def _gif() -> bytes:
    frame = b"\x21\xf9\4\0\x0a\0\0\0\x2c\0\0\0\0\2\0\2\0\0\2\2\x4c\1\0"
    return b"GIF89a\2\0\2\0\x80\0\0" + bytes(6) + frame * 2 + b";"


def _motion() -> bytes:
    content = json.dumps(
        {"__metadata__": {"schema": "a"}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    )
    return struct.pack("<Q", len(content)) + content.encode() + bytes(4)


def _read_motion(data: bytes) -> object:
    path = Path("a.lpmotion")
    header = lpmotion_header.read_header(io.BytesIO(data), path)
    return lpmotion_header.understood(lpmotion_header.upgraded(header, path), path)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "replace"))


def _option(text: str) -> None:
    for parse in (FrameRate.parse, FrameRange.parse, SequencePattern.parse, parse_name):
        try:
            parse(text)
        except LpError:  # noqa: PERF203 - each has to be tried
            continue
    Timecode.parse(text, FrameRate(25))


def _of_file(path: Path, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    def call(data: bytes) -> object:
        path.write_bytes(data)
        return parse(path)

    return call


def _read_ring(path: Path) -> None:
    reader = RingReader(path)
    try:
        reader.read()
        reader.status()
        reader.drawn()
    finally:
        reader.close()


def parsers(folder: Path) -> Mapping[str, Parser]:
    """Every parser, by name; files are made in a folder."""
    ring = RingWriter(folder / "seed.ring", 2, 2)
    ring.write(bytes(16), 1)
    ring_bytes = ring.path.read_bytes()
    ring.close()
    inside = b"".join(b"\0\0\0" + bytes([48 - 8 * k]) + name for k, name in enumerate(_BOXES))
    movie = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + inside
    mxf = bytes.fromhex("060e2b34020501010d01020101020400") + b"\x83\0\0\x04abcd"
    job = json.dumps(
        {"schema": "lpsuite.job", "version": 2, "source": "/a.png", "driving": "demo:nod", "output": "/b.mp4",
         "settings": {"motion": {"strength": 1.5}}}
    ).encode()  # fmt: skip
    packed = _chunk(b"gAMA", b"\0\0\xb1\x8f"), _chunk(b"iCCP", b"a\0\0" + zlib.compress(b"b"))
    marks = b"driver=nod strength=1.5", b'driver="a b" on_lost=hold'
    pickle = pickled({"a": [1, 2.5, "b"], "n": (True, None)})
    clip = b'[[clip]]\nname = "a"\ndriver = "demo:nod"\n'
    playlists = b"#EXTM3U\n", b"ffconcat version 1.0"
    return {
        "png": Parser(read_header, (_png(), _png(*packed))),
        "jpeg": Parser(read_header, (_jpeg(),)),
        "tiff": Parser(read_header, (_tiff(), _tiff(">"))),
        "tags": Parser(read_tags, (_tiff(), _tiff(">"))),
        "animation": Parser(read_animation, (_gif(), _png(_chunk(b"acTL", struct.pack(">II", 2, 0))))),
        "kinds": Parser(lambda data: foreign_format(data, ".tif"), (_tiff(), movie, b"<?xml?><svg>")),
        "options": Parser(
            _text(_option), (b"1001-1100x2", b"24000/1001", b"01:00:00;02", b"a.%04d.png", b"camera:0")
        ),
        "marks": Parser(_text(lambda text: parse_pairs(text, "a")), marks),
        "job": Parser(_text(RenderJob.from_json), (job,)),
        "lpmotion": Parser(_read_motion, (_motion(),)),
        "pkl": Parser(_of_file(folder / "a.pkl", read_pickle), (pickle,), True),
        "ring": Parser(_of_file(folder / "a.ring", _read_ring), (ring_bytes,), True),
        "map": Parser(_of_file(folder / "a.toml", read_map), (clip,), True),
        "references": Parser(_of_file(folder / "a.mov", reference_kind), (movie, mxf, *playlists), True),
    }


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A damaged copy."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] = chance.randrange(256)
        elif kind == 1 and data:
            data[at % len(data)] = chance.choice(_BITS)
        elif kind == 2:
            del data[at : at + chance.randint(1, 8)]
        elif kind == 3:
            data[at:at] = data[at : at + chance.randint(1, 16)]
        elif kind == 4:
            data[at : at + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
            )
        elif chance.random() < 0.2:
            del data[at:]
    return bytes(data)


def fuzz(name: str, parser: Parser, runs: int, seconds: float, seed: int) -> int:
    """Runs a parser so often, or so long; returns how often.

    Raises:
        SystemExit: an exception came that is not the program's own; the text has the input.
    """
    chance, until = random.Random(seed), time.monotonic() + seconds  # noqa: S311 - repeatable, not secret
    for count in range(runs):
        if count % 64 == 0 and time.monotonic() > until:
            return count
        data = mutated(chance.choice(parser.seeds), chance)
        try:
            parser.call(data)
        except EXPECTED:
            continue
        except Exception as error:
            raise SystemExit(f"{name}: {type(error).__name__}: {error} by {data[:200]!r}") from error
    return runs


def guided(name: str, parser: Parser, runs: int, seconds: float, seed: int) -> None:
    """The same, guided by coverage; does not return."""
    import atheris

    atheris.instrument_all()

    def one(data: bytes) -> None:
        try:
            parser.call(data)
        except EXPECTED:
            return

    with tempfile.TemporaryDirectory() as corpus:
        for number, content in enumerate(parser.seeds):
            (Path(corpus) / str(number)).write_bytes(content)
        options = [f"-runs={runs}", f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=4096"]
        atheris.Setup([name, *options, "-print_final_stats=1", corpus], one)
        atheris.Fuzz()


def main(arguments: list[str] | None = None) -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parser", help="one of them; default: all")
    parser.add_argument("--runs", type=int, help="default: 1,000,000, and 100,000 for heavy ones")
    parser.add_argument("--seconds", type=float, default=3600.0, help="at most, for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="guided by coverage; needs --parser")
    options: Any = parser.parse_args(arguments)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a fresh folder in it
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        found = parsers(Path(folder))
        for name in [options.parser] if options.parser else found:
            item = found[name]
            runs = options.runs or (100_000 if item.is_heavy else 1_000_000)
            if options.atheris:
                guided(name, item, runs, options.seconds, options.seed)
            start = time.perf_counter()
            count = fuzz(name, item, runs, options.seconds, options.seed)
            took = time.perf_counter() - start
            print(f"{name}: {count} executions in {took:.1f} s ({count / took:.0f} a second), no finding")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
