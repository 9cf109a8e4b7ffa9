"""From knobs to pictures: real EXR plates, the real worker, passes read back as Nuke's Read would."""

import numpy as np
import pytest
from fakes.exr import stored

pytest.importorskip("fastapi", reason="the extra worker is not installed")

FIRST, LAST = 1001, 1006


def shown(node):
    """The pattern that the node's inner Read shows."""
    return node.node("Result")["file"].value()


def test_outside_the_matte_the_input_is_kept_to_the_bit(make, rendered, plate, nuke):
    node = rendered(make())
    assert nuke.double.messages == []
    assert node["status"].value() == "up to date"
    touched = []
    for number in range(FIRST, LAST + 1):
        spec, pixels = stored(shown(node) % number)
        _, source = stored(plate % number)
        names = list(spec.channelnames)
        assert set(names) == {
            "R",
            "G",
            "B",
            "A",
            "matte.A",
            "stmap.red",
            "stmap.green",
            "forward.u",
            "forward.v",
        }
        outside = pixels[..., names.index("matte.A")] == 0
        picture = np.stack([pixels[..., names.index(name)] for name in "RGBA"], axis=2).astype(np.float16)
        np.testing.assert_array_equal(picture[outside].view(np.uint16), source[outside].view(np.uint16))
        touched.append((~outside).mean())
        assert (picture[~outside] != source[~outside]).any() or number == FIRST
    assert 0.02 < np.mean(touched) < 0.9
