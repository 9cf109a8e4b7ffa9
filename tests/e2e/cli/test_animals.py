"""Animals in the LivePortrait engine from the command line: whole renders, by points and by the cat's cascade."""

# ruff: noqa: E402 - imports follow the check for the library

import json

import numpy as np
import pytest
from fakes.films import read_pictures

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.liveportrait import engine as engine_module
from lp_core.engines.liveportrait.synth import write_synthetic
from lp_core.engines.liveportrait.table import ANIMALS

ANIMAL = ("--engine", "liveportrait", "--model", "liveportrait-animals")
NINE = ((92, 98), (116, 98), (142, 98), (166, 98), (129, 130), (110, 152), (148, 152), (129, 145), (129, 162))
"""On the face of the small portrait, in the order of animal landmark models."""


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"schema": "lpsuite.points", "version": 1, "points": NINE}))
    return path


def test_a_person_plays_an_animal_whose_points_were_set(
    monkeypatch, portrait, driving, points, lpsuite, tmp_path
):
    networks = FakeNetworks(model=ANIMALS)
    monkeypatch.setattr(engine_module, "load_for", lambda settings: networks)
    code, lines = lpsuite("animate", portrait, driving, *ANIMAL, "--points", points, "-o", tmp_path / "o.mp4")
    assert code == 0, lines
    assert (lines[-1]["frames"], lines[-1]["engine"]) == (12, "liveportrait")
    assert len(networks.log.driven) == 12
    assert np.ptp(np.concatenate(networks.log.driven), axis=0).max() > 1e-3
    assert networks.log.stitched == []


@pytest.mark.slow
def test_a_cat_by_the_cascade_with_the_networks_of_the_published_sizes(media, lpsuite, tmp_path):
    """Synthetic weights: the head's square is drawn, everything outside of it keeps its bits."""
    write_synthetic(tmp_path / "weights", 20240703, ANIMALS)
    cat = media / "portraits" / "s39.jpg"
    code, lines = lpsuite(
        "animate", cat, "demo:nod", *ANIMAL, "--weights", tmp_path / "weights", "--precision", "fp32",
        "--frames", "0-1", "--no-sign", "-o", tmp_path / "o.%04d.png",
    )  # fmt: skip
    assert code == 0, lines
    assert lines[-1]["frames"] == 2
    assert any("synthetic" in note for note in lines[-1]["notes"])
    still = read_pictures(cat)[0].astype(int)
    frames = [frame.astype(int) for frame in read_pictures(tmp_path / "o.%04d.png")]
    changed = [(np.abs(frame - still).max(axis=2) > 0) for frame in frames]
    for mask in changed:
        assert 0.02 < mask.mean() < 0.9
        assert not mask[:5].any()
        assert mask[480, 500]  # between the eyes
    assert np.abs(frames[0] - frames[1]).max() > 0
