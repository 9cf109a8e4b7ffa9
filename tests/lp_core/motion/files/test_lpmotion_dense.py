"""Dense motion in few bytes: what is read is what was stored, but for rounding; damage is noticed."""

import zlib

import cv2
import numpy as np
import pytest
from fakes.motion import performance, put_together, taken_apart

from lp_core.errors import BadMotionFile, MotionError
from lp_core.geometry.dense_codec import STEP, pack, unpack
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter
from lp_core.motion.files.lpmotion_header import DenseFacts

FACTS = DenseFacts((512, 512), (40, 31), 2)


def field(rng, width, height):
    """A smooth field with a step, as flow has them."""
    noise = rng.normal(size=(height, width, 2)).astype(np.float32) * 20
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    smooth[:, width // 2 :, 0] += 8
    return smooth


@pytest.mark.parametrize("width,height", [(256, 256), (341, 192), (191, 343), (16, 17)])
def test_a_field_comes_back_but_for_rounding(rng, width, height):
    whole = field(rng, width, height)
    again = unpack(pack(whole), (width, height))
    assert again.dtype == np.float32
    assert np.sqrt(((again - whole) ** 2).mean()) <= STEP / np.sqrt(12) * 1.05
    assert np.abs(again - whole).max() < 2 * STEP


def test_a_still_field_takes_hardly_a_byte():
    data = pack(np.zeros((256, 256, 2), np.float32))
    assert len(data) < 20
    assert (unpack(data, (256, 256)) == 0).all()


def test_a_field_takes_a_fraction_of_half_floats(rng):
    assert len(pack(field(rng, 256, 256))) < 256 * 256 * 2 * 2 / 8


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-3],
        lambda data: data + b"more",
        lambda data: b"",
        lambda data: bytes(40),
        lambda data: zlib.compress(bytes(1 << 26)),
        lambda data: zlib.compress(b"\xff" * 8),
        lambda data: zlib.compress(zlib.decompress(data)[:-4]),
    ],
)
def test_damage_is_noticed(rng, harm):
    with pytest.raises(ValueError):
        unpack(harm(pack(field(rng, 40, 31))), (40, 31))


def write(path, rng, frames=5):
    fields = [field(rng, 40, 31) if index != 3 else None for index in range(frames)]
    whole = performance(rig="mesh478")
    with MotionWriter(path, whole.rate, whole.rig) as writer:
        writer.extend(whole)
        writer.begin_dense(FACTS)
        for one in fields:
            writer.append_dense(b"" if one is None else pack(one))
        writer.commit()
    return fields


def test_a_motion_file_keeps_the_fields(rng, tmp_path):
    fields = write(tmp_path / "talk.lpmotion", rng)
    with MotionReader(tmp_path / "talk.lpmotion") as reader:
        assert reader.dense == FACTS
        for index, wanted in enumerate(fields):
            got = reader.dense_field(index)
            assert (got is None) == (wanted is None)
            if wanted is not None:
                np.testing.assert_allclose(got, wanted, atol=2 * STEP)


def test_a_motion_without_fields_has_none(tmp_path):
    whole = performance(rig="mesh478")
    with MotionWriter(tmp_path / "talk.lpmotion", whole.rate, whole.rig) as writer:
        writer.extend(whole)
        writer.commit()
    with MotionReader(tmp_path / "talk.lpmotion") as reader:
        assert reader.dense is None
        assert reader.dense_field(0) is None


def test_too_few_fields_are_refused(rng, tmp_path):
    with pytest.raises(MotionError, match="for 4 of 5 frames"):
        write(tmp_path / "talk.lpmotion", rng, frames=4)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "ends,words", [((9, 8), "out of order"), ((-1, 8), "out of order"), ((2, 2), "more dense motion")]
)
def test_fields_out_of_order_are_refused(rng, tmp_path, ends, words):
    path = tmp_path / "talk.lpmotion"
    write(path, rng)
    content, data = taken_apart(path)
    start, stop = content["dense_ends"]["data_offsets"]
    spoiled = np.frombuffer(data[start:stop], "<i8").copy()
    spoiled[:] = [*ends, *[ends[-1]] * 3]
    put_together(path, content, data[:start] + spoiled.tobytes() + data[stop:])
    with pytest.raises(BadMotionFile, match=words):
        MotionReader(path)


def test_a_damaged_field_is_named_when_it_is_read(rng, tmp_path):
    path = tmp_path / "talk.lpmotion"
    write(path, rng)
    content, data = taken_apart(path)
    start, _ = content["dense"]["data_offsets"]
    put_together(path, content, data[:start] + bytes(6) + data[start + 6 :])
    with MotionReader(path) as reader, pytest.raises(BadMotionFile, match="in frame 0"):
        reader.dense_field(0)
