"""Fixtures of the LivePortrait tests: the plain networks, tiny sizes, seeded weights."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SEED = 20240703


@pytest.fixture(scope="session")
def plain():
    """The module of the plain networks."""
    pytest.importorskip("torch")
    path = ROOT / "benchmarks" / "plain_liveportrait.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def seeded():
    """A function (network, dtype) that gives it synthetic values and returns its state dict."""
    torch = pytest.importorskip("torch")
    from lp_core.engines.liveportrait.synth import synthetic_weights

    def fill(network, dtype=None):
        dtype = dtype or torch.float64
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        values = synthetic_weights(shapes, SEED)
        state = {
            key: torch.from_numpy(value).to(dtype) if value.dtype == "float32" else torch.from_numpy(value)
            for key, value in values.items()
        }
        network.to(dtype).load_state_dict(state)
        network.eval().requires_grad_(False)
        return state

    return fill


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory):
    """A folder of synthetic weights in the official layout; written once a session for all tests."""
    pytest.importorskip("torch")
    from lp_core.engines.liveportrait.synth import write_synthetic

    folder = tmp_path_factory.getbasetemp() / "liveportrait-synthetic"
    if not folder.exists():
        write_synthetic(folder, SEED)
    return folder
