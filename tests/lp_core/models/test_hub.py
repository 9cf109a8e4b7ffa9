"""The hub's library is called as it wants to be, and its errors are ours; a planted library is in."""

import errno
import sys
from importlib import import_module
from types import ModuleType

import pytest

from lp_core.errors import MissingDependency, ModelError

MODULE = "lp_core.models.hub"


class FakeBar:
    """The shape of the library's own progress bar."""

    def __init__(self, *_args, disable=False, initial=0, total=None):
        self.is_disabled = disable

    def update(self, n=1):
        raise AssertionError("the real bar was moved")


@pytest.fixture
def install(monkeypatch):
    """A function that plants a library and imports the module again."""

    def plant(download):
        library, utils = ModuleType("huggingface_hub"), ModuleType("huggingface_hub.utils")
        library.hf_hub_download, utils.tqdm = download, FakeBar
        monkeypatch.setitem(sys.modules, "huggingface_hub", library)
        monkeypatch.setitem(sys.modules, "huggingface_hub.utils", utils)
        sys.modules.pop(MODULE, None)
        return import_module(MODULE).hub_download

    yield plant
    sys.modules.pop(MODULE, None)


def test_file_is_asked_for_with_its_revision_and_progress_is_told(install, tmp_path):
    asked, told = [], []

    def library(repo, path, *, revision=None, local_dir=None, tqdm_class=None):
        asked.append((repo, path, revision, local_dir))
        bar = tqdm_class(initial=5, total=30)
        assert bar.is_disabled
        bar.update(10)
        bar.update(15.0)
        return str(local_dir / path)

    fetch = install(library)
    assert fetch("owner/repo", "abc", "a/b.bin", tmp_path, told.append) == tmp_path / "a" / "b.bin"
    assert asked == [("owner/repo", "a/b.bin", "abc", tmp_path)]
    assert told == [15, 30]


def test_version_without_progress_classes_and_set_without_revision(install, tmp_path):
    def library(repo, path, *, revision=None, local_dir=None):
        assert revision is None
        return str(local_dir / path)

    assert install(library)("owner/repo", "", "b.bin", tmp_path, print) == tmp_path / "b.bin"


def test_foreign_errors_are_one_sentence(install, tmp_path):
    def library(repo, path, *, revision=None, local_dir=None):
        raise ConnectionError("401 Client Error\nRequest ID: 1")

    with pytest.raises(ModelError, match=r"owner/repo.*401 Client Error") as caught:
        install(library)("owner/repo", "abc", "b.bin", tmp_path, print)
    assert "\n" not in str(caught.value)


def test_full_disk_is_left_to_the_caller_who_knows_where(install, tmp_path):
    def library(repo, path, *, revision=None, local_dir=None):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        install(library)("owner/repo", "abc", "b.bin", tmp_path, print)


def test_absent_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    sys.modules.pop(MODULE, None)
    with pytest.raises(MissingDependency, match="neural"):
        import_module(MODULE)
