"""Sliders from the command line, with the mesh engine."""

import numpy as np
import pytest
from fakes.films import read_pictures

from lp_core.cli.main import run

MESH = ("--engine", "mesh", "--calibration", "off", "--codec", "ffv1", "--fps", "8")


def animated(portrait, tmp_path, *options):
    out = tmp_path / f"{len(list(tmp_path.iterdir()))}.mkv"
    assert run(["animate", str(portrait), "demo:still", *MESH, *options, "-o", str(out)]) == 0
    return [picture.astype(int) for picture in read_pictures(out)]


def test_a_held_value_shows_in_every_frame(portrait, tmp_path):
    plain = animated(portrait, tmp_path)
    smiling = animated(portrait, tmp_path, "--edit", "smile=0.8", "--edit", "yaw=6")
    change = [np.abs(a - b).mean() for a, b in zip(smiling, plain, strict=True)]
    assert min(change) > 0.5
    assert max(change) == pytest.approx(min(change), rel=0.01)


def test_a_curve_goes_by_the_outputs_frames(portrait, tmp_path):
    (tmp_path / "edit.json").write_text('{"blink": [[4, 0], [10, -20]]}')
    plain = animated(portrait, tmp_path)
    blinking = animated(portrait, tmp_path, "--edit-file", str(tmp_path / "edit.json"))
    change = [np.abs(a - b).mean() for a, b in zip(blinking, plain, strict=True)]
    assert max(change[:5]) < 1e-9
    assert change[5] < change[7] < change[10]
    assert change[15] == pytest.approx(change[10], rel=1e-6)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--edit", "pouting=0.05"], "mesh engine cannot do the slider 'pouting'"),
        (["--edit", "smile"], "smile"),
        (["--edit", "smile=9"], "out of range"),
        (["--edit-file", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(portrait, tmp_path, capsys, options, named):
    out = tmp_path / "o.mp4"
    assert run(["animate", str(portrait), "demo:still", *MESH[:4], *options, "-o", str(out)]) == 2
    assert named in capsys.readouterr().err
    assert not out.exists()
