"""Which weights are taken, and what is known of them."""

# ruff: noqa: E402 - imports follow the check for the library

import hashlib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from lp_core.engines.liveportrait import weights
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.table import BASE_NETWORKS, LIVEPORTRAIT, STITCHING
from lp_core.engines.liveportrait.weights import (
    LABELS,
    compiled,
    find_weights,
    load_for,
    published_checksums,
)
from lp_core.engines.registry import LIVEPORTRAIT_MODELS
from lp_core.errors import ModelMissing, SettingError
from lp_core.models.catalog import load_catalog
from lp_core.settings import EngineSettings

NAMES = [f"{stem}.safetensors" for stem in (*BASE_NETWORKS, STITCHING)]


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


class Store:
    """Has what it is given."""

    root = Path("nowhere")

    def __init__(self, *names):
        self.names = names

    def locate(self, name):
        if name not in self.names:
            raise ModelMissing(f"{name} is not here; get it with: lpsuite models fetch {name}.")
        return Path(name)


def test_every_file_has_a_published_hash():
    checksums = published_checksums(load_catalog())
    for stem in (*BASE_NETWORKS, STITCHING):
        assert len(checksums[f"{stem}.pth"]) == len(checksums[f"{stem}.safetensors"]) == 64


def test_the_cache_is_taken_with_its_hashes():
    path, checksums = find_weights(None, Store(*LIVEPORTRAIT_MODELS))
    assert path == Path("liveportrait")
    assert checksums
    assert find_weights(None, Store("liveportrait-pth"))[0] == Path("liveportrait-pth")


def test_an_empty_cache_names_the_command():
    with pytest.raises(ModelMissing, match="lpsuite models fetch liveportrait[.]"):
        find_weights(None, Store())


def test_a_folder_of_other_files_is_not_taken_for_the_published_ones(folder):
    assert find_weights(str(folder)) == (folder, None)


def test_a_folder_of_the_published_files_is(folder, monkeypatch):
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES}
    monkeypatch.setattr(weights, "published_checksums", lambda catalog, model: hashes)
    assert find_weights(str(folder)) == (folder, hashes)


def test_a_labelled_folder_never_is(folder):
    (folder / "synthetic.json").write_text(
        '{"schema": "lp-suite/synthetic-weights/1", "seed": 1, "sha256": {}}'
    )
    assert find_weights(str(folder)) == (folder, None)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=tmp_path.name):
        find_weights(str(tmp_path))


def test_the_device_and_the_precision_reach_the_networks(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(weights, "load_networks", lambda *args, **options: asked.append((args, options)))
    load_for(EngineSettings(weights=str(folder), device="cpu", precision="bf16"))
    assert asked == [((folder, "cpu", torch.bfloat16), {"checksums": None, "model": LIVEPORTRAIT})]


def test_a_device_that_is_not_there(folder):
    if torch.cuda.device_count() > 6:
        pytest.skip("this machine has that many devices")
    with pytest.raises(SettingError, match="cuda:7"):
        load_for(EngineSettings(weights=str(folder), device="cuda:7"))


def test_every_origin_has_its_label():
    assert LABELS["verified"] == ""
    assert all(LABELS[origin] for origin in ("synthetic", "unverified"))


def test_the_two_large_networks_are_compiled(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda network, dynamic: f"compiled {network}")
    parts = [None, None, "W", "G", {}]
    plain = Networks(*parts, device=torch.device("cpu"), dtype=torch.float32, origin="synthetic")
    quick = compiled(plain)
    assert (quick.warping_module, quick.spade_generator) == ("compiled W", "compiled G")
