"""Every parser of ours, with small inputs that it reads: what benchmarks/fuzz.py damages."""

import io
import json
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lp_core.batch.marks import parse_pairs, read_map
from lp_core.batch.path_mapping import read_rules
from lp_core.batch.plan import BatchPlan, Shot, read_plan
from lp_core.color.icc import ProfileError, read_profile
from lp_core.errors import BadMotionFile, LpError
from lp_core.faces.hand_points import read_keys
from lp_core.faces.selector import parse_selector
from lp_core.geometry.dense_codec import pack, unpack
from lp_core.job import RenderJob
from lp_core.link.ring import RingReader, RingWriter
from lp_core.media.frame_pattern import SequencePattern
from lp_core.media.image.animation_header import read_animation
from lp_core.media.image.headers import read_header
from lp_core.media.image.tiff_tags import TagError, read_tags
from lp_core.media.kinds import foreign_format
from lp_core.media.part_journal import PartJournal
from lp_core.media.references import reference_kind
from lp_core.media.speech_sheet import SpeechSheet, read_sheet, speech_file
from lp_core.models.catalog import parse_catalog
from lp_core.motion.files import lpmotion_header
from lp_core.motion.files.pickles import pickled, read_pickle
from lp_core.motion.implicit.edit import read_curves
from lp_core.performance_name import parse as parse_name
from lp_core.provenance.consent import read_consent
from lp_core.render.cast_members import cast_of
from lp_core.saying.dub import read_cues
from lp_core.saying.scenes import read_scenes
from lp_core.settings import FaceSettings
from lp_core.speech.mouth_map import default_map, parse_map
from lp_core.speech.voices.script import read_script
from lp_core.timing import FrameRange, FrameRate, Timecode
from lp_core.training.config import read_config
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.live_mailbox import read_stream_file

EXPECTED = (LpError, TagError, ProfileError)
"""What a parser may raise."""
_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")


@dataclass(frozen=True)
class Parser:
    """One parser with inputs that it reads."""

    call: Callable[[bytes], object]
    """Parses; raises the errors of EXPECTED."""
    seeds: tuple[bytes, ...]
    """Valid inputs."""
    is_heavy: bool = False
    """Whether each run takes a file, or more than a tenth of a millisecond."""
    is_text: bool = False
    """Whether values of the inputs are replaced by odd ones too."""


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
    name = str(path)

    def call(data: bytes) -> object:
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)  # half the time of Path.write_bytes
        os.write(handle, data)
        os.close(handle)
        return parse(path)

    return call


def _in_file(path: Path, parse: Callable[[Path], object], *seeds: bytes) -> Parser:
    """Of a text in a file."""
    return Parser(_of_file(path, parse), seeds, is_heavy=True, is_text=True)


def _sound_png(data: bytes) -> bytes:
    """Every other damaged PNG with right checksums, so that what they guard is read too."""
    if len(data) % 2 or data[:8] != _png()[:8]:
        return data
    found, at = bytearray(data), 8
    while at + 12 <= len(found):
        length = int.from_bytes(found[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(found):
            break
        found[end : end + 4] = zlib.crc32(found[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(found)


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


def _sheet(folder: Path) -> bytes:
    """A WAV file with what is said in it."""
    times = (("M", 0.0, 0.1), ("AA", 0.1, 0.2))
    with speech_file(folder / "sheet.wav", 8000) as file:
        file.write(np.zeros(8, np.float32))
        file.finish(SpeechSheet("fake:one", "CC0-1.0", "1", "en", times, (("Ma", 0.0, 0.2),), ()))
    return (folder / "sheet.wav").read_bytes()


def _journal(path: Path) -> object:
    return PartJournal(path.parent).parts()


def _dense(data: bytes) -> object:
    try:
        return unpack(data, (8, 6))
    except ValueError as error:  # what it promises
        raise BadMotionFile(str(error)) from error


def _script_parsers(folder: Path) -> Mapping[str, Parser]:
    """Those of what is said, of training and of provenance."""
    given = {"portrait": "a.png"}
    cues = b"1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> there.\n\n2\n0:0:3.0 --> 0:0:4.5\nBye.\n"
    spoken = b'<speak>One <break time="1.5s"/><prosody rate="80%">two</prosody> <sub alias="x">three</sub>.</speak>'
    markdown = b"---\nportrait: a.jpg\nspeed: 1.2\n---\n# One\npause: 0.5\n\nHello there.\n# Two\nBye.\n"
    yaml = b"portrait: a.jpg\nscenes:\n- text: Hello.\n  speed: 1.2\n- {text: Bye, pause: 0.5}\n"
    config = b'name = "a"\n[schedule]\nsteps = 10\nbatch = 2\nlearns = ["F"]\n[optimizer]\nrate = 1e-4\n'
    catalog = b'[a]\ntitle = "b"\n[[a.files]]\nname = "c"\n'
    field = np.sin(np.arange(96, dtype=np.float32)).reshape(6, 8, 2)
    journal = b"%011d %019d %s\n" % (3, 100, b"a" * 64)

    def script(path: Path) -> object:
        return read_scenes(path, given)

    return {
        "subtitles": _in_file(folder / "s.srt", read_cues, cues),
        "ssml": Parser(_text(read_script), (spoken, b"Hello there. Two."), True, True),
        "markdown": _in_file(folder / "s.md", script, markdown),
        "yaml": _in_file(folder / "s.yaml", script, yaml),
        "sheet": _in_file(folder / "s.wav", read_sheet, _sheet(folder)),
        "training": _in_file(folder / "t.toml", read_config, config),
        "catalog": Parser(_text(parse_catalog), (catalog,), True, True),
        "dense": Parser(_dense, (pack(field),), True),
        "journal": Parser(_of_file(folder / "finished", _journal), (journal * 2,), True),
    }


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
        "consent": _in_file(folder / "c.json", read_consent, json.dumps(consent).encode()),
        "curves": _in_file(folder / "e.json", read_curves, b'{"smile": [[0, 0.0], [12, 0.8]], "yaw": 1}'),
        "points": _in_file(folder / "p.json", read_keys, points),
        "cast": _in_file(folder / "f.toml", _read_cast, b'[[faces]]\nface = 0\ndriving = "demo:nod"\n'),
        "plan": _in_file(folder / "plan.json", read_plan, _plan(folder)),
        "rules": _in_file(folder / "r.json", read_rules, rules),
        "mouth_map": Parser(lambda data: parse_map(data, "a.npz"), (default_map().to_bytes(),), True),
        "request": Parser(
            _text(lambda text: read_stream_file(text, Folders((folder,)))), (request,), True, True
        ),
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
        "png": Parser(lambda data: read_header(_sound_png(data)), (_png(), _png(*packed))),
        "jpeg": Parser(read_header, (_jpeg(),)),
        "tiff": Parser(read_header, (_tiff(), _tiff(">"))),
        "tags": Parser(read_tags, (_tiff(), _tiff(">"))),
        "animation": Parser(read_animation, (_gif(), _png(_chunk(b"acTL", struct.pack(">II", 2, 0))))),
        "kinds": Parser(lambda data: foreign_format(data, ".tif"), (_tiff(), movie, b"<?xml?><svg>")),
        "options": Parser(
            _text(_option), (b"1001-1100x2", b"24000/1001", b"01:00:00;02", b"a.%04d.png", b"camera:0")
        ),
        "marks": Parser(_text(lambda text: parse_pairs(text, "a")), marks),
        "job": Parser(_text(RenderJob.from_json), (job,), is_text=True),
        "lpmotion": Parser(_read_motion, (_motion(),)),
        "icc": Parser(lambda data: read_profile(data), (_profile(b"para"), _profile(b"curv"))),
        "selector": Parser(_text(parse_selector), (b"largest", b"12", b"12.5,3")),
        **_text_parsers(folder),
        **_script_parsers(folder),
        "pkl": Parser(_of_file(folder / "a.pkl", read_pickle), (pickle,), True),
        "ring": Parser(_of_file(folder / "a.ring", _read_ring), (ring_bytes,), True),
        "map": _in_file(folder / "a.toml", read_map, clip),
        "references": Parser(_of_file(folder / "a.mov", reference_kind), (movie, mxf, *playlists), True),
    }
