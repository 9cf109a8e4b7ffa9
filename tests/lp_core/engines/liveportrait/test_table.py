"""The table of published models, the choice among them, imported weights and accepted license notes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lp_core.cli.main import run
from lp_core.engines import registry
from lp_core.engines.liveportrait import table
from lp_core.engines.liveportrait.installed import import_folder, is_ready, model_obstacle, read_import
from lp_core.engines.liveportrait.table import (
    ANIMALS,
    LIVEPORTRAIT,
    PERFORMRECAST,
    PUBLISHED_MODELS,
    STITCHING,
    published_model,
)
from lp_core.engines.liveportrait.weight_layout import find_files, load_shapes
from lp_core.engines.registry import choose_engine, with_model
from lp_core.errors import LicenseNotAccepted, ModelDamaged, ModelMissing, SettingError
from lp_core.models.acceptance import ACCEPTED, accept, demand_accepted, is_accepted
from lp_core.models.catalog import Catalog
from lp_core.models.imports import IMPORT_LIST
from lp_core.models.store import ModelStore
from lp_core.motion.sequence import EXTRAS, RIGS
from lp_core.provenance.models import LANDMARKS, models_in_use
from lp_core.settings import RenderSettings
from lp_core.settings.engines import MODELS
from lp_core.settings.table import with_values

SMALL = replace(
    LIVEPORTRAIT, name="performrecast", files={STITCHING: LIVEPORTRAIT.files[STITCHING]}, catalog=()
)
"""A model of one small file, that replaces PerformRecast."""


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """An empty model folder."""
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def download(tmp_path):
    """A folder with the small model's file, as a user would have it."""
    pytest.importorskip("torch")
    from lp_core.engines.liveportrait.synth import write_synthetic

    write_synthetic(tmp_path / "own", 5, SMALL)
    (tmp_path / "own" / "synthetic.json").unlink()
    return tmp_path / "own"


def test_the_choices_and_the_rigs_are_those_of_the_table():
    assert ("auto", *PUBLISHED_MODELS) == MODELS
    for row in PUBLISHED_MODELS.values():
        assert RIGS[row.rig.name] == row.rig.keypoints == row.motion.keypoints == row.warping.keypoints
        assert EXTRAS[row.rig.name]["keypoints"] == (row.rig.keypoints, 3)
        assert row.rig.scales == row.motion.scales
        shapes = load_shapes(row)
        assert set(shapes) >= {"F", "M", "W", "G"}
        assert ("stitching" in shapes) == row.has_small_networks == (STITCHING in row.files)
        assert all(row.notes) or row is LIVEPORTRAIT
    assert published_model("auto") is LIVEPORTRAIT
    with pytest.raises(SettingError, match="performrecast"):
        published_model("nonsense")


@pytest.mark.parametrize("row", PUBLISHED_MODELS.values(), ids=list(PUBLISHED_MODELS))
@pytest.mark.parametrize("form", ["official", "flat"])
def test_files_are_found_in_every_layout(row, form, tmp_path):
    for places in row.files.values():
        name = [p for p in places if p.endswith(".pth" if form == "official" else ".safetensors")][
            0 if form == "official" else -1
        ]
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert set(find_files(tmp_path, row)) == set(row.files)
    next(iter(find_files(tmp_path, row).values())).unlink()
    with pytest.raises(ModelMissing, match=row.name):
        find_files(tmp_path, row)


def settings(**values):
    return with_values(RenderSettings(), values)


@pytest.mark.parametrize(
    "region,is_filmed,is_there,wanted",
    [
        ("expression", True, True, "performrecast"),
        ("lips", True, True, "performrecast"),
        ("expression", True, False, "liveportrait"),
        ("expression", False, True, "liveportrait"),
        ("all", True, True, "liveportrait"),
        ("eyes", True, True, "liveportrait"),
    ],
)
def test_auto_takes_performrecast_for_the_expression_of_a_filmed_source(
    region, is_filmed, is_there, wanted, monkeypatch
):
    missing = None if is_there else ModelMissing("it is not here.")
    monkeypatch.setattr(registry, "model_obstacle", lambda name, folder: missing)
    chosen, notes = with_model(settings(region=region), "liveportrait", is_filmed)
    assert chosen.engine.model == wanted
    assert bool(notes) == (wanted == "performrecast")
    assert with_model(settings(region=region), "mesh", is_filmed) == (settings(region=region), ())
    stored = with_model(settings(region=region), "liveportrait", is_filmed, "liveportrait21")
    assert stored[0].engine.model == "liveportrait"


def test_a_named_model_is_taken_and_animals_need_stills():
    chosen, notes = with_model(settings(model="performrecast"), "liveportrait", False)
    assert (chosen.engine.model, notes) == ("performrecast", ())
    assert choose_engine(settings(model="performrecast"))[0] == "liveportrait"
    with pytest.raises(SettingError, match="stills"):
        with_model(settings(model="liveportrait-animals"), "liveportrait", True)


def test_notes_are_accepted_once_and_asked_again_when_they_change(root):
    notes = PERFORMRECAST.notes
    with pytest.raises(LicenseNotAccepted, match="lpsuite models accept performrecast"):
        demand_accepted(root, "performrecast", notes)
    accept(root, "performrecast", notes)
    demand_accepted(root, "performrecast", notes)
    assert not is_accepted(root, "performrecast", (*notes, "one more"))
    assert not is_accepted(root, "liveportrait-animals", ANIMALS.notes)
    assert is_accepted(root, "liveportrait", LIVEPORTRAIT.notes)
    (root / ACCEPTED).write_text("{damaged")
    assert not is_accepted(root, "performrecast", notes)


def test_weights_are_imported_from_a_folder_and_used(root, download, monkeypatch):
    from lp_core.engines.liveportrait.checkpoints import read_checkpoints
    from lp_core.engines.liveportrait.importing import import_weights
    from lp_core.engines.liveportrait.weights import find_weights

    store = ModelStore(root, Catalog({}))
    assert isinstance(model_obstacle(SMALL, None, store), ModelMissing)
    told = []
    target = import_weights(SMALL, download, root, told.append)
    assert target == import_folder(root, SMALL)
    assert len(told) == 1
    folder, hashes = find_weights(None, store, SMALL)
    assert folder == target
    ours, own = read_checkpoints(folder, hashes, SMALL), read_checkpoints(download, None, SMALL)
    assert ours.origin == "verified"
    for network, state in own.states.items():
        for key, value in state.items():
            np.testing.assert_array_equal(ours.states[network][key].numpy(), value.numpy())
    assert is_ready(replace(SMALL, notes=()), None, store)
    assert isinstance(model_obstacle(replace(SMALL, notes=("read this",)), None, store), LicenseNotAccepted)
    used = models_in_use("liveportrait", None, model=SMALL.name)
    (entry,) = [item for item in used if item["set"] != LANDMARKS]
    assert entry == {
        "set": f"imported: {SMALL.name}",
        "file": f"{STITCHING}.safetensors",
        "sha256": hashes[f"{STITCHING}.safetensors"],
        "license": SMALL.license,
    }
    file = target / f"{STITCHING}.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelDamaged, match="SHA-256"):
        read_checkpoints(folder, hashes, SMALL)
    file.unlink()
    with pytest.raises(ModelMissing, match="lpsuite models import"):
        read_import(root, SMALL)
    assert [item["set"] for item in models_in_use("liveportrait", None, model=SMALL.name)] == [LANDMARKS]
    (target / IMPORT_LIST).write_text("[]")
    with pytest.raises(ModelDamaged, match="import"):
        read_import(root, SMALL)


def test_the_commands_show_the_notes_and_want_them_accepted(root, download, monkeypatch, capsys):
    row = replace(SMALL, notes=PERFORMRECAST.notes)
    monkeypatch.setitem(table.PUBLISHED_MODELS, "performrecast", row)
    assert run(["models", "import", "performrecast", str(download)]) == LicenseNotAccepted.exit_code
    assert "MIT License" in capsys.readouterr().err
    assert not import_folder(root, row).exists()
    assert run(["models", "accept", "performrecast", "--yes"]) == 0
    assert "FLAME" in capsys.readouterr().err
    assert run(["models", "import", "performrecast", str(download)]) == 0
    assert capsys.readouterr().out.strip() == str(import_folder(root, row))
    assert run(["models", "list", "--json"]) == 0
    rows = {item["name"]: item for item in json.loads(capsys.readouterr().out)["engine_models"]}
    assert rows["performrecast"]["state"] == "ready"
    assert rows["liveportrait-animals"]["state"] == "not ready"
    assert "lpsuite models import liveportrait-animals" in rows["liveportrait-animals"]["reason"]
    assert run(["models", "accept", "liveportrait"]) == 0


def test_synthetic_weights_are_not_imported(tmp_path, root):
    pytest.importorskip("torch")
    from lp_core.engines.liveportrait.importing import import_weights
    from lp_core.engines.liveportrait.synth import write_synthetic
    from lp_core.errors import ModelError

    write_synthetic(tmp_path / "w", 5, SMALL)
    with pytest.raises(ModelError, match="synthetic"):
        import_weights(SMALL, tmp_path / "w", root)
