"""Odd names on the command line: taken literally, or refused in one sentence before any work."""

import shutil

import pytest

from lp_core.cli.main import run
from lp_core.media.open import open_source

LONG = "x" * 252


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("100%done/p.png", "o.mp4"),
        ("take #1/p %d.png", "take #2.mp4"),
        ("Final%20dailies/-p.png", "take %2d.mov"),
        ("größe/[1-2] @.png", "50%d seq/a.%04d.mkv"),
        ("%04d/####.png", "out #1/take #3.png"),
    ],
)
def test_names_are_literal(lpsuite, portrait, tmp_path, source, output):
    (tmp_path / source).parent.mkdir(parents=True)
    shutil.copy(portrait, tmp_path / source)
    frames = "0-0" if output.endswith(".png") else "0-1"
    arguments = ("--frames", frames, "--engine", "mesh", "--calibration", "off", "--codec")
    codec = "ffv1" if output.endswith(".mkv") else "h264"
    out = tmp_path / "out" / output
    code, lines = lpsuite("animate", tmp_path / source, "demo:nod", "-o", out, *arguments, codec)
    assert code == 0, lines
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [out]
    with open_source(out) as made:
        assert len(list(made)) == int(frames[-1]) + 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("animate", "{portrait}", "demo:nod", "-o", f"{{folder}}/{LONG}.mp4"),
        ("animate", "{portrait}", "demo:nod", "-o", f"{{folder}}/{LONG}.%04d.png"),
        ("animate", "{portrait}", "demo:nod", "-o", f"{{folder}}/{LONG}xxxx/o.mp4"),
        ("animate", f"{{folder}}/{LONG}.png", "demo:nod", "-o", "{folder}/o.mp4"),
        ("animate", "{portrait}", f"{{folder}}/{LONG}.mp4", "-o", "{folder}/o.mp4"),
        ("animate", "{portrait}", f"{{folder}}/{LONG}.lpmotion", "-o", "{folder}/o.mp4"),
        ("animate", "{portrait}", f"{{folder}}/{LONG}.pkl", "-o", "{folder}/o.mp4"),
        ("extract", "{portrait}", "-o", f"{{folder}}/{LONG}.lpmotion"),
        ("inspect", f"{{folder}}/{LONG}.png"),
        ("upscale", f"{{folder}}/{LONG}.png", "-o", "{folder}/o.png"),
        ("batch", f"{{folder}}/{LONG}.otio", "-o", "{folder}/out"),
        ("batch", "{portrait}", "-o", f"{{folder}}/{LONG}xxxx"),
        (
            *("animate", "{portrait}", "demo:nod", "-o", "{folder}/o.mp4"),
            *("--engine", "liveportrait", "--weights", f"{{folder}}/{LONG}xxxx"),
        ),
        ("provenance", "show", f"{{folder}}/{LONG}.png"),
    ],
)
def test_a_name_too_long_is_one_sentence(portrait, tmp_path, capsys, arguments):
    before = sorted(tmp_path.iterdir())
    assert run([word.format(portrait=portrait, folder=tmp_path) for word in arguments]) not in (0, 1, 70)
    words = capsys.readouterr().err.strip().splitlines()
    assert len(words) == 1 and "x" * 20 in words[0]
    assert sorted(tmp_path.iterdir()) == before
