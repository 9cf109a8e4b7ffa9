"""Which names the worker lets through: numbered images are checked one by one, however the name is written."""

import pytest

from lp_core.errors import NotAllowed
from lp_core.worker.allowed_folders import Folders


@pytest.mark.parametrize("name", ["a.%04d.png", "a.####.png", "a.####.png 1-2", "a.%04d.png 1-3x2"])
def test_no_image_of_a_sequence_leads_outside(tmp_path, name):
    inside = tmp_path / "in #1"
    inside.mkdir()
    (tmp_path / "secret.png").touch()
    folders = Folders.of([inside])
    (inside / "a.0002.png").touch()
    assert folders.readable(str(inside / name)) == str(inside / name)
    (inside / "a.0001.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(NotAllowed, match="outside"):
        folders.readable(str(inside / name))


def test_a_video_with_a_number_sign_is_itself(tmp_path):
    (tmp_path / "take #2 %d.mov").touch()
    folders = Folders.of([tmp_path])
    assert folders.readable(str(tmp_path / "take #2 %d.mov")) == str(tmp_path / "take #2 %d.mov")


@pytest.mark.parametrize("name", ["x" * 300 + ".mov", "x" * 300 + ".%04d.png"])
def test_a_name_longer_than_the_system_allows_is_refused(tmp_path, name):
    with pytest.raises(NotAllowed):
        Folders.of([tmp_path]).readable(str(tmp_path / name))
