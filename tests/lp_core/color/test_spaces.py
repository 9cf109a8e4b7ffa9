"""Named spaces by OpenColorIO's own configurations."""

import numpy as np
import pytest

from lp_core.errors import SettingError

pytest.importorskip("PyOpenColorIO", reason="OpenColorIO (extra vfx) is not installed")
from lp_core.color.encoding import encoding_of
from lp_core.color.spaces import Spaces
from lp_core.frame import ColorTags


@pytest.fixture(scope="module")
def spaces():
    return Spaces("ocio://default")


@pytest.mark.parametrize("name", ["ACEScg", "ACES2065-1", "scene_linear", "Linear P3-D65", "sRGB - Texture"])
def test_there_and_back_below_zero_and_above_white(spaces, name, rng):
    space = spaces.space(name)
    codes = (rng.random((20, 10, 3)) * 9 - 1).astype(np.float32)
    np.testing.assert_allclose(space.from_linear(space.to_linear(codes)), codes, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(space.from_display(space.to_display(codes)), codes, rtol=1e-4, atol=1e-5)


def test_log_codes_come_back(spaces, rng):
    space = spaces.space("ACEScct")
    codes = rng.random((20, 10, 3)).astype(np.float32)
    np.testing.assert_allclose(space.from_display(space.to_display(codes)), codes, atol=2e-4)


def test_it_agrees_with_our_own_matrices(spaces, rng):
    codes = rng.random((30, 3)).astype(np.float32)
    acescg = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    ours = encoding_of(ColorTags(primaries="unspecified", transfer="linear"), acescg)
    np.testing.assert_allclose(spaces.space("ACEScg").to_linear(codes), ours.to_linear(codes), atol=1e-4)


def test_colours_given_are_not_written_to(spaces):
    codes = np.float32([[0.1, 0.2, 0.3]])
    spaces.space("ACEScct").to_linear(codes)
    np.testing.assert_array_equal(codes, np.float32([[0.1, 0.2, 0.3]]))


def test_a_space_that_is_not_there_is_named_with_those_that_are(spaces):
    with pytest.raises(SettingError, match="no color space 'Rec709-nonsense'.*ACEScg"):
        spaces.space("Rec709-nonsense")


def test_a_configuration_that_is_not_there(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        Spaces(str(tmp_path / "none.ocio"))


def test_ocio_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("OCIO", str(tmp_path / "none.ocio"))
    with pytest.raises(SettingError, match="none.ocio"):
        Spaces(None)
