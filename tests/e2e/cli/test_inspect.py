"""`lpsuite inspect`."""

import json
from fractions import Fraction

import numpy as np
import pytest
from fakes.films import read_pictures

from lp_core.cli.main import run
from lp_core.media.image.stills import write_image


def test_a_portrait_for_people(portrait, capsys):
    assert run(["inspect", str(portrait)]) == 0
    text = capsys.readouterr().out
    assert "256x256 pixels, 1 face" in text
    assert "face 0: score 0." in text
    assert "yaw" in text
    assert "mouthSmile" in text


def test_two_faces_as_json_from_left_to_right(portrait, tmp_path, capsys):
    picture = read_pictures(portrait)[0]
    write_image(tmp_path / "two.png", np.concatenate([picture, picture], axis=1))
    assert run(["inspect", str(tmp_path / "two.png"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["width"], found["height"]) == (512, 256)
    first, second = found["faces"]
    assert (first["index"], second["index"]) == (0, 1)
    assert second["box"][0] - first["box"][0] == pytest.approx(256, abs=4)
    assert first["landmarks"] == 478
    assert len(first["blendshapes"]) == 52
    values = list(first["blendshapes"].values())
    assert values == sorted(values, reverse=True)
    assert set(first["pose"]) == {"pitch_deg", "yaw_deg", "roll_deg"}


def test_the_overlay_is_the_picture_with_marks(portrait, tmp_path, capsys):
    out = tmp_path / "overlay.png"
    assert run(["inspect", str(portrait), "--overlay", str(out)]) == 0
    drawn, picture = read_pictures(out)[0], read_pictures(portrait)[0]
    assert drawn.shape == picture.shape
    assert (drawn != picture).any()
    assert run(["inspect", str(portrait), "--overlay", str(out)]) == 15
    assert run(["inspect", str(portrait), "--overlay", str(out), "--overwrite"]) == 0


def test_a_frame_of_a_film(gap, capsys):
    assert run(["inspect", str(gap), "--json", "--frame", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["faces"] == []
    assert run(["inspect", str(gap), "--json", "--frame", "7"]) == 0
    assert len(json.loads(capsys.readouterr().out)["faces"]) == 1


def test_a_frame_beyond_the_end(gap, capsys):
    assert run(["inspect", str(gap), "--frame", "400"]) == 13
    assert "400" in capsys.readouterr().err


def test_a_clip_says_its_length(gap, portrait, capsys):
    frames = len(read_pictures(gap))
    assert run(["inspect", str(gap), "--json"]) == 0
    clip = json.loads(capsys.readouterr().out)["clip"]
    assert clip["frames"] == frames
    assert clip["duration_s"] == pytest.approx(frames / float(Fraction(clip["rate"])), abs=1e-5)
    assert run(["inspect", str(gap)]) == 0
    assert f"clip: {frames} frames at {clip['rate']} frames per second" in capsys.readouterr().out
    assert run(["inspect", str(portrait), "--json"]) == 0
    assert "clip" not in json.loads(capsys.readouterr().out)
