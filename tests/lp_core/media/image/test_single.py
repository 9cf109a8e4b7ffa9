"""One image as an output."""

import numpy as np
import pytest

from lp_core.errors import EmptyVideo, MediaError, OutputExists, UnknownCodec
from lp_core.media.open import check_output, open_parts, open_sink, open_source

LOSSLESS = [".png", ".tiff", ".exr", ".dpx"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", [*LOSSLESS, ".jpg"])
def test_one_picture_is_written_under_its_own_name(tmp_path, frame, spec, suffix):
    path = tmp_path / f"größe 1{suffix}"
    with open_sink(path, spec(codec="h264")) as sink:
        sink.write(frame(0, 64, 48))
        assert not path.exists(), "it appears when it is complete"
        sink.commit()
    assert names(tmp_path) == [path.name]
    with open_source(path) as source:
        assert source.info.is_still
        (back,) = source
    if suffix in LOSSLESS:
        wanted = frame(0, 64, 48).pixels
        factor = 255 if back.pixels.dtype != np.uint16 else 1 / 257
        got = back.pixels if back.pixels.dtype == np.uint8 else np.rint(back.pixels * np.float64(factor))
        np.testing.assert_array_equal(got[..., :3], wanted)


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_a_second_picture_is_refused_and_what_lay_there_stays(tmp_path, frame, spec, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"precious")
    with (
        pytest.raises(MediaError, match=rf"single image .* out\.%04d\{suffix}, or a video"),
        open_sink(path, spec(overwrite=True)) as sink,
    ):
        sink.write(frame(0, 64, 48))
        sink.write(frame(1, 64, 48))
    assert path.read_bytes() == b"precious"
    assert names(tmp_path) == [path.name]


def test_one_that_exists_is_replaced_only_when_asked(tmp_path, frame, spec):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    with pytest.raises(OutputExists):
        open_sink(path, spec())
    with pytest.raises(OutputExists):
        check_output(path, overwrite=False, codec="h264")
    with open_sink(path, spec(overwrite=True)) as sink:
        sink.write(frame(0, 64, 48))
        sink.commit()
    assert path.read_bytes()[1:4] == b"PNG"


def test_none_at_all_leaves_nothing(tmp_path, spec):
    with pytest.raises(EmptyVideo), open_sink(tmp_path / "new" / "out.png", spec()) as sink:
        sink.commit()
    assert names(tmp_path) == []


def test_notes_name_the_picture_and_not_its_hidden_name(tmp_path, frame, spec):
    path = tmp_path / "out.exr"
    with open_sink(path, spec(exr_compression="dwaa:45")) as sink:
        sink.write(frame(0, 64, 48))
        sink.commit()
    (note,) = (note for note in sink.notes if "dwaa" in note)
    assert str(path) in note
    assert ".lpsuite" not in note


def test_it_is_not_made_in_parts(tmp_path, spec):
    with pytest.raises(UnknownCodec, match=r"not made in parts; .*out\.%04d\.png"):
        open_parts(tmp_path / "out.png", open_sink, spec(), tmp_path / "parts")
