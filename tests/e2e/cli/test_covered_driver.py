"""A performer whose mouth is covered for some frames: held, reported, and nothing of the cover in the result."""

import json

import pytest
from fakes.films import read_pictures, write_film

COVERED = range(4, 8)


@pytest.fixture
def behind_a_bar(driving, tmp_path):
    """The driving video with a blue bar over the mouth in some frames."""
    pictures = read_pictures(driving)
    for index in COVERED:
        pictures[index][128:152, 60:200] = (30, 60, 220)
    return write_film(tmp_path / "bar.mp4", pictures, "30000/1001")


def test_a_covered_mouth_is_held_and_reported(portrait, behind_a_bar, lpsuite, tmp_path):
    code, lines = lpsuite(
        "animate", portrait, behind_a_bar, "--engine", "mesh", "--calibration", "off", "--holdout", "auto",
        "--passes", "confidence", "--reference", "0", "-o", tmp_path / "o.mp4",
    )  # fmt: skip
    assert code == 0, lines
    assert (
        "Something covers the performer's mouth in 4 frames (4-7): the motion of that region holds."
        in (lines[-1]["notes"])
    )
    rows = json.loads((tmp_path / "o.confidence.json").read_text())["frames"]
    assert [index for index, row in enumerate(rows) if row.get("cause") == "covered"] == list(COVERED)
    assert all(rows[index]["mouth"] == 0 and rows[index]["eyes"] == 1 for index in COVERED)
    frames = read_pictures(tmp_path / "o.mp4")
    for frame in frames:
        colors = frame.astype(int)
        assert ((colors[..., 2] - colors[..., 0]) > 100).sum() < 20, "the bar is in the mouth"
