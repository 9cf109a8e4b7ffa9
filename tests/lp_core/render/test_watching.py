"""What can be trusted of a performance, and fading where little can."""

import numpy as np

from lp_core.motion.builtin import builtin_motion
from lp_core.motion.reliability import CAUSES
from lp_core.render.watching import Trust


def trust(values):
    three = np.array(values, np.float32)[:, None].repeat(3, axis=1)
    return Trust(three, np.full(three.shape, CAUSES.index("pose"), np.uint8))


def test_it_is_stored_and_read(tmp_path):
    assert Trust.load(tmp_path) is None
    trust([1, 0.5, 0.2]).save(tmp_path)
    read = Trust.load(tmp_path)
    values, cause = read.at(2)
    assert (round(float(values[0]), 3), cause) == (0.2, "pose")
    assert read.at(99)[0][0] == read.at(2)[0][0]
    assert read.at(-5)[0][0] == 1


def test_fading_has_no_jumps_and_ends_at_the_limit():
    one = trust([1.0] * 20 + [0.1] * 20)
    shares = [one.fade(index, 0.5) for index in range(40)]
    assert shares[0] == 1
    assert shares[-1] < 0.25
    assert np.abs(np.diff(shares)).max() < 0.15
    assert one.fade(39, 0.05) == 1


def test_a_stored_motion_knows_its_poses():
    assert (Trust.of_stored(builtin_motion("nod")).values > 0.5).all()
