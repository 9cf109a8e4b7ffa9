"""The pass regions: where a landmarker finds eyes and mouth in the drawn image."""

import numpy as np
from fakes.mesh import grimace, reading

from lp_core.engines.mesh.engine import MeshEngine
from lp_core.faces.regions import contours_of
from lp_core.geometry.face_regions import region_coverage
from lp_core.settings import OutputSettings, RenderSettings


def test_contours_are_those_that_a_landmarker_reads(sitter, as_frame, still_analyzer, engine):
    asked = MeshEngine(RenderSettings(output=OutputSettings(passes="beauty,regions")))
    portrait = asked.prepare(as_frame(sitter.picture), sitter.face)
    shown = asked.animate(portrait, grimace(sitter.neutral), sitter.neutral)
    face, _ = reading(still_analyzer, shown.pixels)
    wanted = region_coverage(contours_of(face.landmarks_frame, face.scheme), (512, 512))
    found = region_coverage(shown.contours, (512, 512))
    source = region_coverage(contours_of(sitter.face.landmarks_frame, sitter.face.scheme), (512, 512))
    for index, least in ((0, 0.93), (1, 0.5), (2, 0.6)):

        def agreement(one, other, index=index):
            return np.minimum(one, other)[..., index].sum() / np.maximum(one, other)[..., index].sum()

        assert agreement(found, wanted) > least
        assert agreement(found, wanted) > agreement(source, wanted)
    assert engine.animate(portrait, grimace(sitter.neutral), sitter.neutral).contours is None
