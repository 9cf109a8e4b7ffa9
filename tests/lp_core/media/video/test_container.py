import re
from pathlib import Path

import av
import pytest

from lp_core.errors import UnreadableMedia
from lp_core.media.open import open_source
from lp_core.media.video.container import DEMUXERS, REFERENCE_DEMUXERS, open_container

ROOT = Path(__file__).parents[4]


def test_ffmpeg_opens_containers_in_one_place_only() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("lp_core", "upscale", "hosts")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(
            r"\bav\.open\(|\bav import open\b|container import open\b", path.read_text(encoding="utf-8")
        )
    ]
    assert found == ["lp_core/media/video/container.py"]


def test_the_listed_demuxers_exist_and_none_opens_other_files() -> None:
    assert set(DEMUXERS) <= {part for name in av.formats_available for part in name.split(",")}
    others = {"concat", "hls", "dash", "imf", "image2", "sdp", "rtsp", "lavfi", "tty", "vobsub", "applehttp"}
    assert not others & set(DEMUXERS)
    assert "image2" not in REFERENCE_DEMUXERS


@pytest.mark.parametrize(
    "data",
    [
        b"WEBVTT\n\n00:00.000 --> 00:01.000\nsecret\n",
        b"[Script Info]\nScriptType: v4.00+\n",
        b"# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n",
        b";FFMETADATA1\ntitle=a\n",
    ],
)
def test_a_format_that_is_not_listed_is_not_opened(data, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(UnreadableMedia):
        open_source(path)
    with pytest.raises(av.ArgumentError):
        open_container(path)


@pytest.mark.parametrize("name", ["concat:a.mp4", "frame%03d.mp4", "-i.mp4", "pipe:0.mp4"])
def test_a_name_has_no_special_meaning(name, make_film, tmp_path: Path, monkeypatch) -> None:
    make_film("plain.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with open_container(Path(name)) as container:
        assert container.streams.video
