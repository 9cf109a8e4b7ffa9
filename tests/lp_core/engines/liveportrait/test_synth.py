"""Synthetic weights: the recorded bits, the labelled folder, the command."""

import hashlib
import sys
from dataclasses import replace

import numpy as np
import pytest

from lp_core.engines.liveportrait import synth, weight_layout
from lp_core.engines.liveportrait.table import BASE_NETWORKS, LIVEPORTRAIT, STITCHING
from lp_core.errors import MissingDependency

DIGESTS = {  # of seed 20240703; the recordings of the official networks were made with these bits
    "F": "f8179cfa8f1d24410bd9a9f5f8371ff1d2d7072de933e2bd0a41c73dfccbde3c",
    "stitching": "cc8721f5f1253a9fda4b2b22a47b4763dde74d6ceb1414982a1da10ec34ee58e",
    "eye": "e2b0889bce2177ce0c675f11b078af90fa0347e1266afc247e280fe1733474dc",
    "lip": "231b0362b90efcf017a0371a50969e349edee007fdd5f06be7306104cfb773b8",
    "M": "62b1bd939316af2ac39b7557348b8b24b0c4db99c807481b13d040ed8c5b7e56",
    "W": "2e77f71af1a9bafcd6683906bacaafe069d37a0231d2a7ef33469eca373aef52",
    "G": "20a93454fa9decfd9b6051a4dde5fc5d62ada9dd3b7421febaa08bf7d428fa1a",
}


def digest(arrays):
    h = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        h.update(f"{key}|{array.dtype.str}|{array.shape}".encode())
        h.update(array.tobytes())
    return h.hexdigest()


@pytest.mark.parametrize(
    "network", ["F", "stitching", "eye", "lip", *(pytest.param(n, marks=pytest.mark.slow) for n in "MWG")]
)
def test_values_are_the_recorded_bits(network):
    shapes = weight_layout.load_shapes()[network]
    assert digest(synth.synthetic_weights(shapes, 20240703)) == DIGESTS[network]


def test_another_seed_gives_other_values():
    shapes = weight_layout.load_shapes()["lip"]
    a, b = synth.synthetic_weights(shapes, 1), synth.synthetic_weights(shapes, 2)
    assert all(not np.array_equal(a[key], b[key]) for key in a)


def test_the_folder_has_the_official_layout_and_a_label(weights_dir):
    label = weight_layout.read_label(weights_dir)
    assert label is not None
    assert label.seed == 20240703
    assert set(label.sha256) == {
        *(f"liveportrait/base_models/{stem}.pth" for stem in BASE_NETWORKS),
        "liveportrait/retargeting_models/stitching_retargeting_module.pth",
    }
    for name, wanted in label.sha256.items():
        assert weight_layout.sha256_of(weights_dir / name) == wanted


def test_the_command_writes_small_networks(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    small = replace(LIVEPORTRAIT, files={STITCHING: LIVEPORTRAIT.files[STITCHING]})
    monkeypatch.setitem(synth.PUBLISHED_MODELS, "liveportrait", small)
    assert synth.main([str(tmp_path / "ü w"), "--seed", "5"]) == 0
    assert weight_layout.read_label(tmp_path / "ü w").seed == 5


def test_the_command_says_in_one_line_why_it_cannot_write(tmp_path, capsys):
    pytest.importorskip("torch")
    blocked = tmp_path / "file"
    blocked.write_text("x")
    assert synth.main([str(blocked / "w")]) == 16
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert str(blocked) in lines[0]


def test_without_torch_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependency, match=r"lp-suite\[neural\]"):
        synth.write_synthetic(tmp_path)
