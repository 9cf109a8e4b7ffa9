"""Who decides about colors: the user's word, else the files."""

from fractions import Fraction

import numpy as np
import pytest

from lp_core.color.management import LINEAR, ColorManagement
from lp_core.frame import ClipInfo, ColorTags
from lp_core.settings import ColorSettings
from lp_core.timing import FrameRate


def info(**tags):
    return ClipInfo(8, 8, FrameRate(Fraction(24)), 1, color=ColorTags(**tags))


@pytest.fixture
def by_tags():
    return ColorManagement(ColorSettings())


class TestWithoutAWord:
    def test_a_result_of_the_sources_kind_keeps_its_numbers(self, by_tags):
        for transfer in ("linear", "bt709", "smpte2084"):
            encoding = by_tags.encoding(info(transfer=transfer), True)
            assert by_tags.conversion(encoding, True, True) is None
            assert by_tags.conversion(encoding, False, False) is None or transfer != "bt709"

    def test_linear_light_is_made_for_the_screen(self, by_tags):
        encoding = by_tags.encoding(info(transfer="linear"), True)
        conversion = by_tags.conversion(encoding, True, False)
        assert conversion.tags.transfer == "iec61966-2-1"
        assert conversion.convert(np.float32([[0.18] * 3]))[0, 0] == pytest.approx(0.4614, abs=1e-3)

    def test_exr_gets_linear_light(self, by_tags):
        encoding = by_tags.encoding(info(transfer="iec61966-2-1"), True)
        conversion = by_tags.conversion(encoding, False, True)
        assert conversion.tags == LINEAR
        assert conversion.convert(np.float32([[0.5] * 3]))[0, 0] == pytest.approx(0.21404, abs=1e-4)


class TestWithAWord:
    @pytest.fixture(autouse=True)
    def _needs_ocio(self):
        pytest.importorskip("PyOpenColorIO", reason="OpenColorIO (extra vfx) is not installed")

    def test_the_input_space_counts_for_the_source_alone(self):
        management = ColorManagement(ColorSettings(input_space="ACEScct"))
        assert management.encoding(info(), True).name == "ACEScct"
        assert management.encoding(info(), False).is_display

    def test_the_output_space_and_its_tags(self):
        management = ColorManagement(
            ColorSettings(output_space="Rec.2100-PQ - Display", input_space="ACEScg")
        )
        conversion = management.conversion(management.encoding(info(), True), True, False)
        assert (conversion.tags.primaries, conversion.tags.transfer) == ("bt2020", "smpte2084")
        management = ColorManagement(ColorSettings(output_space="ACEScg"))
        conversion = management.conversion(management.encoding(info(transfer="linear"), True), True, True)
        np.testing.assert_allclose(conversion.convert(np.ones((1, 3), np.float32)), 1, atol=1e-4)
