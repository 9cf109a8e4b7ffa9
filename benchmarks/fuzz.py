"""Throws damaged input at every parser of ours; only the typed errors of the program may come out.

    python benchmarks/fuzz.py [--parser png] [--runs 1000000] [--seconds 60] [--seed 1] [--resume counts.json]
        [--atheris]

Seeded mutations of small valid inputs, in chunks of 10,000: with ``--resume`` the finished chunks of each parser are
kept in a file, and a run that was stopped goes on after them. With ``--atheris`` and one ``--parser`` the mutations are
guided by coverage, where atheris is installed (pip install atheris). Prints executions and rate; an exception that is
not the program's own ends the run with the input that raised it.
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
from lp_core.batch.path_mapping import read_rules
from lp_core.batch.plan import BatchPlan, Shot, read_plan
from lp_core.color.icc import ProfileError, read_profile
from lp_core.errors import LpError
from lp_core.faces.hand_points import read_keys
from lp_core.faces.selector import parse_selector
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
from lp_core.motion.implicit.edit import read_curves
from lp_core.performance_name import parse as parse_name
from lp_core.provenance.consent import read_consent
from lp_core.render.cast_members import cast_of
from lp_core.settings import FaceSettings
from lp_core.speech.mouth_map import default_map, parse_map
from lp_core.timing import FrameRange, FrameRate, Timecode
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.live_mailbox import read_stream_file

EXPECTED = (LpError, TagError, ProfileError)
"""What a parser may raise."""
_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
CHUNK = 10_000
"""Inputs of one seed; what is kept of a campaign are whole chunks."""
_WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
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


def _profile(curve: bytes) -> bytes:
    """A color profile of one matrix and curve."""
    values = struct.pack(">HHi", 0, 0, 1 << 17) if curve == b"para" else struct.pack(">I2H", 2, 0, 65535)
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", 1 << 15, 1 << 15, 1 << 14)
        for name in (b"rXYZ", b"gXYZ", b"bXYZ")
    }
    tags |= {name: curve + bytes(4) + values for name in (b"rTRC", b"gTRC", b"bTRC")}
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 2) + b"a\0"
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content
    head = bytes(16) + b"RGB XYZ " + bytes(12) + b"acsp" + bytes(88)
    return head + struct.pack(">I", len(tags)) + table + body


def _plan(folder: Path) -> bytes:
    """A plan of one job."""
    job = RenderJob(str(folder / "a.png"), "demo:nod", str(folder / "b.mp4"))
    shot = Shot(
        id="a", name="b", words="c", clips=(0,), job=job, is_still=True, frames=2, fps="25", clock_start=0.0,
        clock_rate=25.0, driver_frames=(0, 1), driver_fps="25", driver_start_s="0", driver_speed="1",
    )  # fmt: skip
    return BatchPlan(str(folder / "t.otio"), str(folder), (shot,)).to_json().encode()


def _read_cast(path: Path) -> object:
    return cast_of(FaceSettings(cast=str(path)), "demo:nod")


def _read_ring(path: Path) -> None:
    reader = RingReader(path)
    try:
        reader.read()
        reader.status()
        reader.drawn()
    finally:
        reader.close()


def _text_parsers(folder: Path) -> Mapping[str, Parser]:
    """Those of JSON and TOML files, and of the mouth map."""
    consent = {
        "schema": "lpsuite.consent",
        "version": 1,
        "person": "a",
        "granted_by": "b",
        "valid_until": "2999-01-01",
    }
    points = (
        b'{"schema": "lpsuite.points", "version": 1, "keys": [{"frame": 0, "points": '
        b"[[10, 10], [30, 10], [20, 20], [12, 30], [28, 30]]}]}"
    )
    rules = b'{"path_mapping_rules": [{"source_path": "/a", "destination_path": "/b"}]}'
    request = (
        b'{"version": 1, "pid": 1, "recentre": 0, "stream": {"portrait": "/a.png", "driver": "demo:nod"}}'
    )
    return {
        "consent": Parser(_of_file(folder / "c.json", read_consent), (json.dumps(consent).encode(),), True),
        "curves": Parser(
            _of_file(folder / "e.json", read_curves), (b'{"smile": [[0, 0.0], [12, 0.8]], "yaw": 1}',), True
        ),
        "points": Parser(_of_file(folder / "p.json", read_keys), (points,), True),
        "cast": Parser(
            _of_file(folder / "f.toml", _read_cast), (b'[[faces]]\nface = 0\ndriving = "demo:nod"\n',), True
        ),
        "plan": Parser(_of_file(folder / "plan.json", read_plan), (_plan(folder),), True),
        "rules": Parser(_of_file(folder / "r.json", read_rules), (rules,), True),
        "mouth_map": Parser(lambda data: parse_map(data, "a.npz"), (default_map().to_bytes(),), True),
        "request": Parser(_text(lambda text: read_stream_file(text, Folders((folder,)))), (request,), True),
    }


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
        "icc": Parser(lambda data: read_profile(data), (_profile(b"para"), _profile(b"curv"))),
        "selector": Parser(_text(parse_selector), (b"largest", b"12", b"12.5,3")),
        **_text_parsers(folder),
        "pkl": Parser(_of_file(folder / "a.pkl", read_pickle), (pickle,), True),
        "ring": Parser(_of_file(folder / "a.ring", _read_ring), (ring_bytes,), True),
        "map": Parser(_of_file(folder / "a.toml", read_map), (clip,), True),
        "references": Parser(_of_file(folder / "a.mov", reference_kind), (movie, mxf, *playlists), True),
    }


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A damaged copy."""
    data, number = bytearray(seed), chance.random
    for _ in range(1 + int(number() * 6)):
        at = int(number() * (len(data) + 1))
        kind = int(number() * 6)
        if kind == 0 and data:
            data[at % len(data)] = int(number() * 256)
        elif kind == 1 and data:
            data[at % len(data)] = _BITS[int(number() * len(_BITS))]
        elif kind == 2:
            del data[at : at + 1 + int(number() * 8)]
        elif kind == 3:
            data[at:at] = data[at : at + 1 + int(number() * 16)]
        elif kind == 4:
            data[at : at + 4] = _WORDS[int(number() * len(_WORDS))]
        elif number() < 0.2:
            del data[at:]
    return bytes(data)


def fuzz(name: str, parser: Parser, runs: int, until: float, seed: int, first: int = 0) -> int:
    """Runs a parser on chunks of damaged inputs; returns how many inputs of finished chunks it took.

    Args:
        name: of the parser.
        parser: what runs.
        runs: inputs.
        until: time.monotonic() at which to stop.
        seed: of the campaign.
        first: chunks that were run before.

    Raises:
        SystemExit: an exception came that is not the program's own; the text has the input.
    """
    done = 0
    for number in range(first, first + -(-runs // CHUNK)):
        chance = random.Random(f"{name} {seed} {number}")  # noqa: S311 - repeatable, not secret
        count = min(CHUNK, runs - done)
        for index in range(count):
            if index % 64 == 0 and time.monotonic() > until:
                return done + index
            data = mutated(parser.seeds[int(chance.random() * len(parser.seeds))], chance)
            try:
                parser.call(data)
            except EXPECTED:
                continue
            except Exception as error:
                raise SystemExit(f"{name}: {type(error).__name__}: {error} by {data[:200]!r}") from error
        done += count
    return done


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


def campaign(name: str, item: Parser, options: Any, kept: dict[str, list[float]]) -> None:  # noqa: ANN401
    """Runs what is left of one parser's inputs, keeps the counts and prints them."""
    runs = options.runs or (100_000 if item.is_heavy else 1_000_000)
    done, took = kept.get(name, [0, 0.0])
    until, start = time.monotonic() + options.seconds, time.perf_counter()
    while done < runs and time.monotonic() < until:
        before = time.perf_counter()
        count = fuzz(name, item, min(CHUNK, runs - int(done)), until, options.seed, int(done) // CHUNK)
        if options.resume is None or count == CHUNK:
            done, took = done + count, took + time.perf_counter() - before
            kept[name] = [done, took]
        if options.resume is not None:
            options.resume.write_text(json.dumps(kept))
        if count < CHUNK and done < runs:
            break
    took = took or time.perf_counter() - start
    print(f"{name}: {int(done)} executions in {took:.1f} s ({done / took:.0f} a second), no finding")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parser", help="one of them; default: all")
    parser.add_argument("--runs", type=int, help="default: 1,000,000, and 100,000 for heavy ones")
    parser.add_argument("--seconds", type=float, default=3600.0, help="at most, for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, help="file with the counts of what was run before")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage; needs --parser")
    options: Any = parser.parse_args(arguments)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a fresh folder in it
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        found = parsers(Path(folder))
        kept = json.loads(options.resume.read_text()) if options.resume and options.resume.exists() else {}
        for name in [options.parser] if options.parser else found:
            if options.atheris:
                guided(name, found[name], options.runs or 1_000_000, options.seconds, options.seed)
            campaign(name, found[name], options, kept)


if __name__ == "__main__":
    main()
