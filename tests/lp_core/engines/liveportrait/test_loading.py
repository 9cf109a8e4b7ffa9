"""Loading: every key accounted for, every damage named, nothing un-pickled freely."""

# ruff: noqa: E402 - imports follow the check for the library

import builtins
import dataclasses
import json
import os
import subprocess
import sys

import pytest

from lp_core.errors import MissingDependency, ModelDamaged, ModelMissing, SettingError

torch = pytest.importorskip("torch")
from safetensors.torch import save_file

from lp_core.engines.liveportrait import checkpoints, load_networks, weight_layout
from lp_core.engines.liveportrait.checkpoints import check_state, read_checkpoints
from lp_core.engines.liveportrait.table import LIVEPORTRAIT, PERFORMRECAST, STITCHING

F_NAME = "appearance_feature_extractor"
FETCH = "lpsuite models fetch liveportrait"


@pytest.fixture
def folder(weights_dir, tmp_path):
    """A copy of the weights by links, without the label; files may be replaced."""
    for stem in LIVEPORTRAIT.stems:
        path = tmp_path / weight_layout.official_path(stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(weights_dir / weight_layout.official_path(stem))
    return tmp_path


@pytest.fixture
def only_small(monkeypatch):
    """Lets a folder consist of F and S alone, so that a whole read is quick."""
    files = {stem: LIVEPORTRAIT.files[stem] for stem in (F_NAME, STITCHING)}
    small = dataclasses.replace(LIVEPORTRAIT, files=files)
    monkeypatch.setattr(checkpoints.read_checkpoints, "__defaults__", (None, small))


def replace(folder, stem, content):
    path = folder / weight_layout.official_path(stem)
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    return path


def state_of(folder, stem=F_NAME):
    return torch.load(folder / weight_layout.official_path(stem), weights_only=True)


def test_a_labelled_folder_is_synthetic(weights_dir, only_small):
    found = read_checkpoints(weights_dir)
    assert found.origin == "synthetic"
    assert set(found.states) == {"F", "stitching", "eye", "lip"}


def test_a_folder_without_label_is_unverified(folder, only_small):
    assert read_checkpoints(folder).origin == "unverified"


def test_all_checksums_right_is_verified(folder, only_small):
    checksums = {
        path.name: weight_layout.sha256_of(path) for path in weight_layout.find_files(folder).values()
    }
    assert read_checkpoints(folder, checksums).origin == "verified"


def test_a_wrong_checksum_names_the_file_and_the_remedy(folder, only_small):
    checksums = {
        path.name: weight_layout.sha256_of(path) for path in weight_layout.find_files(folder).values()
    }
    checksums[f"{F_NAME}.pth"] = "0" * 64
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.pth .*{'0' * 64}.*{FETCH}"):
        read_checkpoints(folder, checksums)


def test_a_file_without_checksum_is_refused_where_checksums_are_given(folder, only_small):
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.pth is not a published file"):
        read_checkpoints(folder, {})


def test_a_changed_synthetic_file_is_refused(weights_dir, folder, only_small):
    (folder / weight_layout.LABEL_NAME).write_bytes((weights_dir / weight_layout.LABEL_NAME).read_bytes())
    state = state_of(folder)
    state["first.conv.bias"][0] += 1
    replace(folder, F_NAME, state)
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.pth .*liveportrait\.synth"):
        read_checkpoints(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "else"}', '{"schema": "x", "seed": "y"}'])
def test_a_damaged_label_is_named(folder, only_small, text):
    (folder / weight_layout.LABEL_NAME).write_text(text)
    with pytest.raises(ModelDamaged, match=r"synthetic\.json"):
        read_checkpoints(folder)


def test_safetensors_load_like_the_official_layout(weights_dir, tmp_path, only_small):
    save_file(state_of(weights_dir), tmp_path / f"{F_NAME}.safetensors")
    small = state_of(weights_dir, STITCHING)
    flat = {f"{entry}_{key}": value for entry, inner in small.items() for key, value in inner.items()}
    flat["another_module.mlp.0.weight"] = torch.zeros(2)
    save_file(flat, tmp_path / f"{STITCHING}.safetensors")
    ours, official = read_checkpoints(tmp_path), read_checkpoints(weights_dir)
    for network, state in official.states.items():
        assert list(ours.states[network]) == list(state)
        assert all(torch.equal(ours.states[network][key], value) for key, value in state.items())


def test_safetensors_come_before_the_official_layout(folder, only_small):
    state = state_of(folder)
    state["first.conv.bias"][:] = 7
    save_file(state, folder / f"{F_NAME}.safetensors")
    assert float(read_checkpoints(folder).states["F"]["first.conv.bias"][0]) == 7


def test_further_entries_of_the_stitching_file_are_ignored(folder, only_small):
    content = state_of(folder, STITCHING) | {"retarget_else": {"x": torch.zeros(1)}, "epoch": 3}
    replace(folder, STITCHING, content)
    assert set(read_checkpoints(folder).states) == {"F", "stitching", "eye", "lip"}


def test_a_missing_stitching_entry_is_named(folder, only_small):
    content = state_of(folder, STITCHING)
    del content["retarget_eye"]
    replace(folder, STITCHING, content)
    with pytest.raises(ModelDamaged, match="retarget_eye"):
        read_checkpoints(folder)


def test_a_missing_file_names_what_was_looked_for(folder):
    (folder / weight_layout.official_path(F_NAME)).unlink()
    with pytest.raises(ModelMissing, match=rf"{F_NAME}\.safetensors and liveportrait/base_models/.*{FETCH}"):
        load_networks(folder)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ModelMissing, match="nowhere"):
        load_networks(tmp_path / "nowhere")


@pytest.mark.parametrize("kept", [0, 1, 100, 100_000, -1])
def test_a_truncated_file_is_named(folder, kept):
    whole = (folder / weight_layout.official_path(F_NAME)).read_bytes()
    replace(folder, F_NAME, whole[:kept])
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.pth .*{FETCH}"):
        load_networks(folder)


@pytest.mark.parametrize("kept", [0, 7, 1000, -1])
def test_a_truncated_safetensors_file_is_named(folder, kept):
    path = folder / f"{F_NAME}.safetensors"
    save_file(state_of(folder), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.safetensors .*{FETCH}"):
        load_networks(folder)


class Hostile:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_a_hostile_pickle_is_refused_and_does_not_run(folder, tmp_path):
    marker = tmp_path / "ran"
    replace(folder, F_NAME, {"first.conv.weight": Hostile(marker)})
    with pytest.raises(ModelDamaged, match=F_NAME):
        load_networks(folder)
    assert not marker.exists()


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"first.conv.weight": 3}])
def test_a_file_that_holds_no_state_dict_is_refused(folder, content):
    replace(folder, F_NAME, content)
    with pytest.raises(ModelDamaged, match=F_NAME):
        load_networks(folder)


def broken(state, how):
    key = "second.weight"
    if how == "missing":
        del state[key]
    elif how == "extra":
        key = "second.other"
        state[key] = torch.zeros(1)
    elif how == "misshapen":
        state[key] = state[key][:, :, 0]
    elif how == "of another type":
        state[key] = state[key].half()
    elif how == "not a number":
        state[key] = torch.full_like(state[key], float("nan"))
    else:
        state[key] = "text"
    return key


@pytest.mark.parametrize(
    "how", ["missing", "extra", "misshapen", "of another type", "not a number", "no tensor"]
)
def test_a_wrong_key_is_named(folder, how):
    state = state_of(folder)
    key = broken(state, how)
    replace(folder, F_NAME, state)
    with pytest.raises(ModelDamaged, match=rf"{F_NAME}\.pth.*{key}.*{FETCH}"):
        load_networks(folder)


def test_many_missing_keys_are_counted(tmp_path):
    shapes = {f"k{i}": (1,) for i in range(10)}
    with pytest.raises(ModelDamaged, match="k0, k1, k2 and 7 more"):
        check_state({}, shapes, tmp_path / "x.pth")


def test_an_unknown_precision_is_refused(weights_dir):
    with pytest.raises(SettingError, match="float64"):
        load_networks(weights_dir, dtype=torch.float64)


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_an_absent_device_is_refused(weights_dir, device):
    with pytest.raises(SettingError, match=device):
        load_networks(weights_dir, device=device)


def test_shapes_are_the_published_ones():
    shapes = weight_layout.load_shapes()
    assert {name: len(keys) for name, keys in shapes.items()} == {
        "F": 107,
        "M": 212,
        "W": 97,
        "G": 182,
        "stitching": 8,
        "eye": 12,
        "lip": 8,
    }
    assert shapes["W"]["dense_motion_network.mask.weight"] == (22, 142, 7, 7, 7)


@pytest.mark.parametrize(
    "model,name", [(LIVEPORTRAIT, "state_dict_manifest.json"), (PERFORMRECAST, "performrecast_manifest.json")]
)
def test_shapes_equal_the_specification(model, name):
    path = weight_layout.Path(__file__).resolve().parents[5] / "shared" / "spec" / name
    if not path.is_file():
        pytest.skip("the specification is not here")
    manifest = json.loads(path.read_text())
    ours = weight_layout.load_shapes(model)
    assert {name: list(keys) for name, keys in manifest.items()} == {n: list(k) for n, k in ours.items()}
    assert all(
        tuple(manifest[n][k]["shape"]) == shape for n, keys in ours.items() for k, shape in keys.items()
    )


def test_importing_the_package_loads_no_heavy_library():
    code = (
        "import sys, lp_core.engines.liveportrait as p; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'safetensors', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_torch_the_error_names_the_extra(monkeypatch):
    from lp_core.engines import liveportrait

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.startswith("lp_core.engines.liveportrait.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(liveportrait, "networks", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependency, match=r"lp-suite\[neural\]"):
        _ = liveportrait.load_networks


def test_an_unknown_public_name_is_an_attribute_error():
    from lp_core.engines import liveportrait

    with pytest.raises(AttributeError, match="nothing"):
        _ = liveportrait.nothing
