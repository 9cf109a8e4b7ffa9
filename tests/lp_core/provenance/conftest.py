"""A signing key, made once; a claim; a short video."""

import shutil

import numpy as np
import pytest
from fakes.films import write_film

from lp_core.job import RenderJob
from lp_core.media.frame_pattern import files_of
from lp_core.provenance.config import KeyConfig, write_config
from lp_core.provenance.keys import make_chain
from lp_core.provenance.signing import Signer
from lp_core.settings import ProvenanceSettings, RenderSettings


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schlüssel")
    make_chain(folder, "Studio Ä", 30)
    write_config(folder, KeyConfig())
    return folder


@pytest.fixture
def keys(made_keys, tmp_path, monkeypatch):
    """The configuration folder in use, a copy that may be spoilt."""
    folder = tmp_path / "config"
    shutil.copytree(made_keys, folder)
    monkeypatch.setenv("LPSUITE_CONFIG", str(folder))
    return folder


@pytest.fixture(scope="session")
def made_film(tmp_path_factory):
    pictures = [np.full((64, 64, 3), 10 * index, np.uint8) for index in range(8)]
    return write_film(tmp_path_factory.mktemp("film") / "made.mp4", pictures)


@pytest.fixture
def film(made_film, tmp_path):
    return shutil.copy(made_film, tmp_path / "Szene ü.mp4")


@pytest.fixture
def sealer(made_film):
    """A function that makes the sealer of a job with an output and provenance settings."""

    def make(output, consent=None, is_plate=False, passes=(), **settings):
        given = RenderSettings(provenance=ProvenanceSettings(**settings))
        job = RenderJob(str(made_film), "demo:blink", str(output), given)
        return Signer(job, "mesh", "", is_plate, consent, files_of, passes)

    return make


@pytest.fixture
def flip():
    """A function that flips one bit in the middle of a file."""

    def spoil(path, at=None):
        data = bytearray(path.read_bytes())
        data[len(data) // 2 if at is None else at] ^= 1
        path.write_bytes(data)

    return spoil
