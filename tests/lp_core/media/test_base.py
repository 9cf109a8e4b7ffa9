from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from lp_core.errors import SettingError
from lp_core.media.base import AudioTrack


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"height": -1},
        {"bit_depth": 10},
        {"bit_depth": 64},
    ],
)
def test_impossible_specifications(spec, changes):
    with pytest.raises(SettingError):
        spec(**changes)


@pytest.mark.parametrize(("start", "duration"), [(-1, None), (0, 0), (0, -2)])
def test_impossible_cuts(start, duration):
    with pytest.raises(SettingError, match="voice.wav"):
        AudioTrack(Path("voice.wav"), Fraction(start), None if duration is None else Fraction(duration))
