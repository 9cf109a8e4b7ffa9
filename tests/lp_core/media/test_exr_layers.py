"""Which channels of a file are its picture."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.exr import write_exr

from lp_core.errors import (
    SettingError,
    UnreadableMedia,
)
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


class TestLayers:
    @pytest.fixture
    def path(self, tmp_path):
        """Two parts, two layers, two views."""
        names = [
            "R",
            "G",
            "B",
            "A",
            "diffuse.R",
            "diffuse.G",
            "diffuse.B",
            "right.R",
            "right.G",
            "right.B",
            "Z",
        ]
        first = oiio.ImageSpec(8, 4, len(names), "half")
        first.channelnames = tuple(names)
        first.attribute("multiView", oiio.TypeDesc("string[2]"), ("left", "right"))
        first.attribute("oiio:subimagename", "rgba")
        second = oiio.ImageSpec(8, 4, 3, "half")
        second.attribute("oiio:subimagename", "hero")
        file = oiio.ImageOutput.create("x.exr")
        path = str(tmp_path / "x.exr")
        assert file.open(path, [first, second])
        values = np.arange(len(names), dtype=np.float32)
        assert file.write_image(np.broadcast_to(values, (4, 8, len(names))).copy())
        assert file.open(path, second, "AppendSubimage")
        assert file.write_image(np.full((4, 8, 3), 77, np.float32))
        assert file.close()
        return path

    @pytest.mark.parametrize(
        ("layer", "view", "expected"),
        [
            (None, None, (0, 1, 2, 3)),
            (None, "left", (0, 1, 2, 3)),
            ("diffuse", None, (4, 5, 6)),
            (None, "right", (7, 8, 9)),
            ("hero", None, (77, 77, 77)),
        ],
    )
    def test_the_choice(self, path, layer, view, expected):
        with open_source(path, options=ReadOptions(layer=layer, view=view)) as source:
            (frame,) = source
        assert source.info.is_still
        assert frame.pixels[0, 0].tolist() == list(expected)

    def test_what_is_not_there_is_named(self, path):
        with pytest.raises(
            SettingError, match=r"no picture in a layer 'spec'; its layers are .*diffuse, hero"
        ):
            open_source(path, options=ReadOptions(layer="spec"))
        with pytest.raises(SettingError, match="no view 'centre'; its views are left, right"):
            open_source(path, options=ReadOptions(view="centre"))

    def test_data_alone_is_no_picture(self, tmp_path):
        write_exr(tmp_path / "z.exr", np.zeros((16, 24, 1), np.float32), names=["Z"])
        with pytest.raises(UnreadableMedia, match="R, G and B"):
            open_source(tmp_path / "z.exr")
