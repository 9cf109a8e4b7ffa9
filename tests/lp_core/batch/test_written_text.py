"""Text formats of timelines carry a character or refuse it, and no name adds an event to an EDL."""

import pytest
from fakes.cuts import clip_of, file_at, otio, read, timeline_of

from lp_core.batch.otio.timeline import write_timeline
from lp_core.errors import SettingError

ADAPTERS = {".edl": "otio_cmx3600_adapter", ".xml": "otio_fcp_adapter", ".fcpxml": "otio_fcpx_xml_adapter"}
CONTROL = [chr(code) for code in (*range(1, 0x20), *range(0x7F, 0xA0), 0x2028)]
"""Without zero, which ends a name in the library itself."""


def cut(tmp_path, name):
    clip = clip_of(name, file_at(tmp_path / "film.mkv", 24, 72), 24, 10, 20)
    clip.media_reference.name = "reel"
    return timeline_of("cut", [[clip]])


@pytest.mark.parametrize("suffix", list(ADAPTERS))
def test_every_control_character_comes_back_or_is_refused(tmp_path, suffix):
    pytest.importorskip(ADAPTERS[suffix])
    path = tmp_path / f"cut{suffix}"
    for sign in CONTROL:
        path.unlink(missing_ok=True)
        name = f"a{sign}b"
        try:
            write_timeline(cut(tmp_path, name), path)
        except SettingError as error:
            assert "\x1b" not in str(error)
            assert [item.name for item in tmp_path.iterdir()] == []
            continue
        names = [clip.name for clip in read(path).find_clips()]
        assert names in ([name], [name.replace("\r", "\n")]), repr(sign)  # XML itself turns CR into LF


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\n", "\r", "\u2028"])
def test_the_edl_and_its_notes_refuse_them(tmp_path, sign):
    pytest.importorskip("otio_cmx3600_adapter")
    forged = f"a{sign}002  AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00"
    clip = clip_of("a", file_at(tmp_path / "film.mkv", 24, 72), 24, 10, 20)
    for harm in ("name", "reference", "marker", "reel"):
        made = clip.deepcopy()
        if harm == "name":
            made.name = forged
        elif harm == "reference":
            made.media_reference.target_url = forged
        elif harm == "marker":
            marker = otio.schema.Marker(name="m", marked_range=made.source_range)
            marker.comment = forged
            made.markers.append(marker)
        else:
            made.metadata["cmx_3600"] = {"comments": [forged]}
        path = tmp_path / "cut.edl"
        try:
            write_timeline(timeline_of("cut", [[made]]), path)
        except SettingError:
            continue
        assert sign not in path.read_bytes().decode().replace("\n", "")
        assert "002  AX" not in path.read_text() or sign not in "\n\r\u2028"


def test_the_own_format_keeps_them(tmp_path):
    name = "".join(CONTROL)
    write_timeline(cut(tmp_path, name), tmp_path / "cut.otio")
    assert [clip.name for clip in read(tmp_path / "cut.otio").find_clips()] == [name]
