"""A motion file is one whatever the case of its suffix, in every command."""

import pytest
from fakes.motion import performance

from lp_core.assemble import assemble, assemble_extraction
from lp_core.errors import BadMotionFile, SettingError
from lp_core.job import RenderJob
from lp_core.motion.files.lpmotion import write_motion
from lp_core.performances import stored_motion
from lp_core.settings import RenderSettings


@pytest.mark.parametrize("name", ["talk.PKL", "talk.LPMOTION", "talk.Pkl"])
def test_a_damaged_motion_is_read_as_a_motion(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"not a motion")
    with pytest.raises(BadMotionFile):
        stored_motion(str(path))


def test_an_uppercase_motion_cannot_be_extracted_from(tmp_path):
    path = tmp_path / "TALK.LPMOTION"
    write_motion(path, performance())
    with pytest.raises(SettingError, match="is a motion already"):
        assemble_extraction(str(path), str(tmp_path / "again.lpmotion"), RenderSettings())


def test_an_uppercase_motion_is_not_a_source(tmp_path):
    path = tmp_path / "TALK.LPMOTION"
    write_motion(path, performance())
    with pytest.raises(SettingError, match="motion"):
        assemble(RenderJob(str(path), "demo:nod", str(tmp_path / "o.mp4"), RenderSettings()))
