"""The invisible mark: only inside the matte, faint, found again, and never where there is none."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.frame import Frame
from lp_core.geometry.paste import halved
from lp_core.provenance.detect import LEAST_SCORE, detect
from lp_core.provenance.open_watermark import number_of, open_marker
from lp_core.provenance.watermark import REPEATS, Marker, pattern, repeats_for
from lp_core.provenance.watermark_code import CODE_BITS, decode, encode
from lp_core.settings import ProvenanceSettings

numbers = st.integers(0, 2**32 - 1)
SIZE = 360


@pytest.fixture(scope="module")
def clip():
    """Twelve frames of clouds that drift, so that there is something to hide in."""
    rng = np.random.default_rng(5)
    clouds = rng.normal(size=(SIZE + 40, SIZE + 40, 3))
    for axis in (0, 1):
        for _ in range(6):
            clouds = clouds + np.roll(clouds, 1, axis) + np.roll(clouds, -1, axis)
    clouds = 128 + 40 * clouds / clouds.std()
    parts = [clouds[index : index + SIZE, 2 * index : 2 * index + SIZE] for index in range(12)]
    return [np.clip(part, 0, 255).astype(np.uint8) for part in parts]


@pytest.fixture(scope="module")
def matte():
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    return np.clip((140 - np.hypot(x, y)) / 10, 0, 1).astype(np.float32)


def marked(clip, matte, number):
    marker = Marker(number, SIZE, SIZE)
    return [marker(Frame(one, 0, Fraction(0)), matte, (0, 0, SIZE, SIZE)).pixels for one in clip]


@pytest.mark.parametrize("number", [0, 1, 0xDEADBEEF, 2**32 - 1])
def test_it_is_found_again_whole_halved_and_cropped(clip, matte, number):
    frames = marked(clip, matte, number)
    assert detect(frames).number == number
    assert detect([np.rint(halved(one)).astype(np.uint8) for one in frames]).number == number
    assert detect([one[11:-7, 3:-15] for one in frames]).number == number


def test_it_is_faint_and_only_inside_the_matte(clip, matte):
    for before, after in zip(clip, marked(clip, matte, 77), strict=True):
        change = after.astype(float) - before
        assert not change[matte == 0].any()
        assert 10 * np.log10(255**2 / np.mean(change[matte > 0] ** 2)) >= 40
        assert abs((change @ [0.2126, 0.7152, 0.0722]).mean()) < 0.2


def test_nothing_is_found_where_nothing_is(clip):
    found = detect(clip)
    assert found.number is None
    assert found.score < LEAST_SCORE


@pytest.mark.parametrize(
    "frames", [[], [np.zeros((40, 60, 3), np.uint8)] * 3, [np.zeros((2, 2, 3), np.uint8)]]
)
def test_empty_black_and_tiny_films_have_no_mark(frames):
    assert detect(frames).number is None


def test_sixteen_bits_and_light_are_marked_alike(clip, matte):
    region = (0, 0, SIZE, SIZE)
    marker = Marker(5, SIZE, SIZE)
    wide = [marker(Frame(one.astype(np.uint16) * 257, 0, Fraction(0)), matte, region).pixels for one in clip]
    assert wide[0].dtype == np.uint16
    assert detect([np.rint(one / 257).astype(np.uint8) for one in wide]).number == 5
    light = [((one / 255) ** 2.2).astype(np.float32) for one in clip]
    lit = [marker(Frame(one, 0, Fraction(0)), matte, region).pixels for one in light]
    assert lit[0].dtype == np.float32
    shown = [np.rint(np.clip(one, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8) for one in lit]
    assert detect(shown).number == 5


def test_alpha_and_an_empty_matte_stay(clip, matte):
    frame = Frame(np.dstack([clip[0], clip[1][..., 0]]), 0, Fraction(0))
    after = Marker(5, SIZE, SIZE)(frame, matte, (0, 0, SIZE, SIZE)).pixels
    np.testing.assert_array_equal(after[..., 3], frame.pixels[..., 3])
    assert Marker(5, SIZE, SIZE)(frame, matte * 0, (0, 0, SIZE, SIZE)) is frame


def test_the_pattern_has_no_mean_and_unit_power():
    for repeats in REPEATS:
        whole = pattern(9, 640, 480, repeats)
        assert abs(whole.mean()) < 0.05
        assert abs(whole.std() - 1) < 0.1


def test_a_small_matte_is_given_a_small_pattern(clip):
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    small = np.clip((60 - np.hypot(x, y)) / 10, 0, 1).astype(np.float32)
    assert repeats_for(small, SIZE, SIZE) > repeats_for(np.ones_like(small), SIZE, SIZE) == REPEATS[0]
    assert detect(marked(clip, small, 0xBEEF)).number == 0xBEEF


@given(numbers)
def test_every_number_has_a_code_that_comes_back(number):
    assert decode(encode(number)) == number


@given(numbers, st.sets(st.integers(0, CODE_BITS // 4 - 1), min_size=0, max_size=3), st.randoms())
def test_three_wrong_symbols_are_put_right(number, spoilt, random):
    soft = encode(number)
    for symbol in spoilt:
        bits = random.sample(range(4), random.randint(1, 4))
        soft[[4 * symbol + bit for bit in bits]] *= -0.5
    assert decode(soft) == number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("0x1F", 31), ("4294967295", 2**32 - 1)])
def test_numbers_are_read_decimal_or_hexadecimal(text, number):
    assert number_of(ProvenanceSettings(watermark=text).watermark) == number
    assert open_marker(text) is not None
    assert open_marker(None) is None


@pytest.mark.parametrize("text", ["-1", "4294967296", "0x100000000", "1F", "", "1.5", "seven"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(SettingError, match="watermark"):
        ProvenanceSettings(watermark=text)
