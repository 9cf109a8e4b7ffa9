"""A stage of small media: a portrait, and a video in which it moves."""

import numpy as np
import pytest
from fakes.cuts import clip_of, file_at, gap_of, timeline_of, write
from fakes.films import CROP, write_film, write_portrait

FRAMES = 72


@pytest.fixture(scope="session")
def stage(tmp_path_factory, astronaut):
    """Folder with portrait.png and film.mkv (256x256, 72 frames at 25)."""
    folder = tmp_path_factory.mktemp("batch")
    write_portrait(folder / "portrait.png", astronaut)
    face = np.ascontiguousarray(astronaut[CROP])
    pictures = [np.roll(face, round(6 * np.sin(index / 9)), axis=1) for index in range(FRAMES)]
    write_film(folder / "film.mkv", pictures, rate="25", codec="ffv1")
    return folder


@pytest.fixture
def cut(stage, tmp_path):
    """A timeline of a still, a gap and the video at double speed."""
    import opentimelineio as otio

    still = clip_of("still", file_at(stage / "portrait.png", 25, 1), 25, 0, 60, "demo:nod")
    film = clip_of(
        "film", file_at(stage / "film.mkv", 25, FRAMES), 25, 10, 20, stage / "film.mkv", audio="none"
    )
    film.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    return write(timeline_of("cut", [[still, gap_of(25, 5), film]]), tmp_path / "cut.otio")
