"""A user's matte, frame by frame."""

from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.frame import ClipInfo, Frame
from lp_core.media.base import AS_STORED
from lp_core.media.image.stills import write_image
from lp_core.media.in_step import matte_of, open_in_step
from lp_core.timing import FrameRate

INFO = ClipInfo(8, 6, FrameRate(Fraction(24)), 3)


def opened(path, info=INFO):
    return open_in_step(path, "holdout matte", matte_of, info, AS_STORED)


@pytest.fixture
def sequence(tmp_path):
    for number in range(3):
        write_image(tmp_path / f"matte.{number + 5:04d}.png", np.full((6, 8, 3), 100 * number, np.uint8))
    return str(tmp_path / "matte.%04d.png")


def test_a_sequence_goes_in_step_and_its_last_frame_stays(sequence):
    with opened(sequence)() as matte:
        values = [matte.at(index)[0, 0] for index in (0, 0, 1, 2, 7)]
    np.testing.assert_allclose(values, np.array([0, 0, 100, 200, 200]) / 255, rtol=1e-6)


def test_alpha_counts_before_red():
    pixels = np.zeros((2, 2, 4), np.float32)
    pixels[..., 3] = [[0.5, 2.0], [np.nan, -1.0]]
    np.testing.assert_array_equal(matte_of(Frame(pixels, 0, Fraction(0))), [[0.5, 1], [0, 0]])


def test_another_size_is_refused(sequence):
    with pytest.raises(SettingError, match="8x6 pixels and the source 9x6"):
        opened(sequence, ClipInfo(9, 6, FrameRate(Fraction(24)), 3))


def test_a_matte_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableMedia):
        opened(str(tmp_path / "none.png"))
