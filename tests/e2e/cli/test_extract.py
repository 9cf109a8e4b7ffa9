"""`lpsuite extract`: what it refuses; that it works is shown with `animate`."""

import pytest

from lp_core.cli.main import run
from lp_core.motion.files.lpmotion import read_motion


@pytest.mark.parametrize(
    ("name", "output", "named"),
    [("{film}", "talk.mp4", ".lpmotion"), ("{motion}", "o.lpmotion", "a motion already")],
)
def test_names_that_make_no_sense(name, output, named, gap, motion, tmp_path, capsys):
    name = name.format(film=gap, motion=motion)
    assert run(["extract", name, "-o", str(tmp_path / output)]) == 2
    assert named in capsys.readouterr().err


def test_an_output_that_exists_is_refused_before_the_work(gap, motion, capsys, tmp_path):
    out = tmp_path / "o.lpmotion"
    out.write_bytes(b"precious")
    assert run(["extract", str(gap), "-o", str(out)]) == 15
    assert out.read_bytes() == b"precious"
    assert run(["extract", str(gap), "-o", str(out), "--overwrite"]) == 0


def test_lost_frames_stay_in_the_file_with_confidence_0(gap, lpsuite, tmp_path):
    code, lines = lpsuite("extract", gap, "-o", tmp_path / "o.lpmotion")
    assert code == 0
    assert lines[-1]["lost_driving_frames"] == [[4, 5]]
    stored = read_motion(tmp_path / "o.lpmotion")
    assert len(stored) == 12
    assert [index for index in range(12) if stored.confidence[index] == 0] == [4, 5]
