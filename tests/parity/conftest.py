"""Fixtures of the parity tests: networks with the recorded weights, the recordings, the rule to compare.

Recordings were made with the official modules and the weights of ``lp_core.engines.liveportrait.synth``. The
full set is next to the repository where it is present; ``data/networks.npz`` is its small copy, see
``make_small.py``.
"""

import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pytest
from parity_arrays.tolerances import LIVEPORTRAIT as TOLERANCES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SEED = 20240703
KEEP = 300  # numbers of an array in the small copy of networks and chain
KEEP_MODES = 60  # numbers of key points in the small copy of modes and editor


class Recording:
    """Recorded arrays, whole or thinned: ``array.ravel()[::ceil(size / keep)]``."""

    def __init__(self, path, keep=None):
        with np.load(path) as archive:
            self.arrays = {key: archive[key] for key in archive.files}
        self.keep = keep

    def __getitem__(self, key):
        return self.arrays[key]

    def difference(self, key, actual):
        """Absolute differences of an array, flat; ``actual`` has the recorded array's full shape."""
        actual = np.asarray(actual, dtype=np.float64)
        wanted = self.arrays[key]
        if self.keep is not None and actual.shape != wanted.shape:
            actual = actual.ravel()[:: math.ceil(actual.size / self.keep)]
        assert actual.shape == wanted.shape, f"{key}: {actual.shape} is not the recorded {wanted.shape}"
        return np.abs(actual - wanted).ravel()

    def check(self, key, actual):
        """Holds an array against its recording within the key's tolerance."""
        tolerance = next(value for pattern, value in TOLERANCES if re.search(pattern, key))
        worst = self.difference(key, actual).max()
        assert worst <= tolerance, f"{key}: off by {worst:.2e}, {tolerance:.0e} allowed"


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def full_recordings():
    """Folder of the full recordings; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "fixtures"
    if not (folder / "parity_seedA.npz").is_file():
        pytest.skip("the full recordings are not here")
    return folder


@pytest.fixture(scope="session", params=["small", "full"])
def recording(request):
    """The recorded arrays, once as kept here and once whole."""
    if request.param == "small":
        return Recording(HERE / "data" / "networks.npz", KEEP)
    return Recording(request.getfixturevalue("full_recordings") / "parity_seedA.npz")


@pytest.fixture(scope="session", params=["small", "full"])
def modes(request):
    """The recorded animation modes, editor settings and smoothings, once as kept here and once whole."""
    if request.param == "small":
        return Recording(HERE / "data" / "modes.npz", KEEP_MODES)
    return Recording(request.getfixturevalue("full_recordings") / "parity_seedA.npz")


@pytest.fixture(scope="session", params=["small", "full"])
def geometry(request):
    """The recorded crop geometry, once as kept here and once whole."""
    if request.param == "small":
        return Recording(HERE / "data" / "geometry.npz")
    return Recording(request.getfixturevalue("full_recordings") / "geometry_seedA.npz")


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory):
    """A folder with the recorded weights in the official layout; written once a session for all tests."""
    pytest.importorskip("torch")
    from lp_core.engines.liveportrait.synth import write_synthetic

    folder = tmp_path_factory.getbasetemp() / "liveportrait-synthetic"
    if not folder.exists():
        write_synthetic(folder, SEED)
    return folder


# A skip inside the fixture would tear down the CPU networks and everything drawn with them, so a mark skips.
NO_CUDA = "not __import__('torch').cuda.is_available()"
CUDA = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(NO_CUDA, reason="needs a CUDA device")]
)


@pytest.fixture(scope="session", params=["cpu", CUDA])
def networks(request, weights_dir):
    """The networks with the recorded weights, float32."""
    pytest.importorskip("torch")
    from lp_core.engines.liveportrait import load_networks

    return load_networks(weights_dir, device=request.param)


@pytest.fixture(scope="session")
def pictures():
    """The rules of the recorded inputs, the module ``pictures``."""
    return _load(HERE / "pictures.py")
