import struct
from pathlib import Path

import pytest

from lp_core.errors import UnreadableMedia
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source
from lp_core.media.references import reference_kind


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


def movie(entry: bytes) -> bytes:
    """A QuickTime movie with one data reference."""
    references = box(b"dref", struct.pack(">II", 0, 1), entry)
    inside = box(b"trak", box(b"mdia", box(b"minf", box(b"dinf", references))))
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"mvhd", bytes(100)), inside)


def klv(key: str, content: bytes = b"") -> bytes:
    return bytes.fromhex(key.replace(".", "")) + b"\x83" + len(content).to_bytes(3, "big") + content


PARTITION = "060e2b34.02050101.0d010201.01020400"
LOCATOR = "060e2b34.02530101.0d010101.01013200"
ESSENCE = "060e2b34.01020101.0d010301.15010500"
OUTSIDE = box(b"url ", struct.pack(">I", 0), b"file:///etc/passwd\0")
INSIDE = box(b"alis", struct.pack(">I", 1))
LONG = struct.pack(">I4sQ", 1, b"moov", 16 + len(movie(OUTSIDE)[20 + 8 :])) + movie(OUTSIDE)[20 + 8 :]

REFERENCES = {
    "hls": b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "hls with a mark": b"\xef\xbb\xbf\n #EXTM3U\n/etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "bare concat": b"file '/etc/passwd'\n",
    "dash": b'<?xml version="1.0"?>\n<!-- a -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "smooth": b"<SmoothStreamingMedia MajorVersion='2'/>",
    "imf": b'<?xml version="1.0"?><cpl:CompositionPlaylist xmlns:cpl="x"/>',
    "pls": b"[playlist]\nFile1=/etc/passwd\n",
    "asx": b"<ASX version='3'><entry/></ASX>",
    "asf": b"[Reference]\nRef1=http://127.0.0.1/a\n",
    "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    "mov": movie(OUTSIDE),
    "mov, long size": box(b"wide") + LONG,
    "reference movie": box(b"moov", box(b"rmra", box(b"rmda"))),
    "mxf": klv(PARTITION) + klv(LOCATOR, b"file:///etc/passwd"),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("suffix", [".mp4", ".mxf", ".mov"])
def test_files_that_name_their_media_are_refused_under_any_name(name, suffix, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(REFERENCES[name])
    with pytest.raises(UnreadableMedia, match="names its media in other files; give the video itself"):
        open_source(path)


@pytest.mark.parametrize(
    "data",
    [
        movie(INSIDE),
        klv(PARTITION) + klv(LOCATOR, b"origin.mov") + klv(ESSENCE, b"frame"),
        klv(PARTITION)[:30],
        b"RIFF\0\0\0\0AVI ",
        b"",
        b"#EXT",
        movie(OUTSIDE)[:60],
    ],
)
def test_files_that_hold_their_media_are_not(data, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert reference_kind(path) is None


def test_a_movie_of_endless_boxes_is_left_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(box(b"ftyp", b"qt  ") + box(b"free") * 200_000 + movie(OUTSIDE))
    assert reference_kind(path) is None


def test_boxes_nested_deeply_need_no_stack(tmp_path: Path) -> None:
    data = b""
    for _ in range(3000):
        data = box(b"moov", data)
    path = tmp_path / "a.mov"
    path.write_bytes(box(b"ftyp", b"qt  ") + data)
    assert reference_kind(path) is None


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile film.mp4\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_the_user_may_ask_for_them(name, script, make_film, tmp_path: Path) -> None:
    make_film("film.mp4")
    make_film("film.ts")
    path = tmp_path / name
    path.write_text(script)
    with open_source(path, options=ReadOptions(references="follow")) as source:
        assert sum(1 for _ in source) == 20
