"""The demo: no network, no driver, a video and a contact sheet."""

import numpy as np
import pytest
from fakes.films import read_pictures, write_film

from lp_core.cli import demo
from lp_core.cli.main import run


def test_the_portrait_is_the_one_that_scikit_image_publishes(astronaut):
    np.testing.assert_array_equal(read_pictures(demo.PORTRAIT)[0], astronaut)


def test_half_size_is_the_mean_of_blocks(rng):
    picture = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    halved = demo.half_size(picture)
    assert halved.shape == (2, 3, 3)
    assert np.array_equal(halved[1, 2], np.rint(picture[2:4, 4:6].reshape(4, 3).mean(axis=0)))


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_sheet_shows_a_film_from_its_first_to_its_last_frame(tmp_path, count):
    pictures = [np.full((32, 32, 3), 40 + 4 * index, np.uint8) for index in range(count)]
    film = write_film(tmp_path / "film.mp4", pictures)
    sheet = demo.contact_sheet(film)
    assert sheet.shape == (demo.ROWS * 16, demo.COLUMNS * 16, 3)
    assert sheet[8, 8, 0] == pytest.approx(40, abs=3)
    if count >= demo.COLUMNS * demo.ROWS:
        assert sheet[-8, -8, 0] == pytest.approx(40 + 4 * (count - 1), abs=3)


@pytest.mark.slow
def test_the_demo_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["demo"]) == 0
    text = capsys.readouterr().out
    assert str(tmp_path / "out" / "demo.mp4") in text
    assert len(read_pictures(tmp_path / "out" / "demo.mp4")) > 50
    assert read_pictures(tmp_path / "out" / "demo.png")[0].shape == (768, 1536, 3)
