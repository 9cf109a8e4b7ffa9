"""Resolve's color management in OpenColorIO's names."""

import pytest
from fakes.resolve import Host

from hosts.davinci.lp_resolve.color import CONFIGURATION, SPACES, color_settings, working_space
from hosts.davinci.lp_resolve.facade import Clip, ResolveSession


@pytest.fixture
def project():
    host = Host()
    about = {"File Path": "/x/a.mov", "Input Color Space": "", "FPS": "25", "Frames": "10", "Start TC": ""}
    return host, ResolveSession.open(host.resolve), Clip(host.project.pool.add(about))


def test_every_name_is_one_of_the_configuration():
    ocio = pytest.importorskip("PyOpenColorIO", reason="the extra vfx is not installed")
    config = ocio.Config.CreateFromFile(CONFIGURATION)
    missing = [space for space in SPACES.values() if config.getColorSpace(space) is None]
    assert not missing


def test_without_management_files_go_by_their_tags(project):
    _, session, clip = project
    assert color_settings(session, clip, False) == ({}, None)
    assert working_space(session) == ({}, None)


def test_a_managed_clip_has_its_own_space_or_the_projects(project):
    host, session, clip = project
    host.settings = {"colorScienceMode": "davinciYRGBColorManagedv2", "colorSpaceInput": "Rec.709 Gamma 2.4"}
    wanted = {"ocio": CONFIGURATION, "input_space": "Gamma 2.4 Encoded Rec.709",
              "output_space": "Gamma 2.4 Encoded Rec.709"}  # fmt: skip
    assert color_settings(session, clip, False) == (wanted, None)
    clip.raw.properties["Input Color Space"] = "ARRI LogC4"
    assert color_settings(session, clip, False)[0]["input_space"] == "ARRI LogC4"
    clip.raw.properties["Input Color Space"] = "Moon Log"
    found, words = color_settings(session, clip, False)
    assert found == {}
    assert "Moon Log has no name here" in words


def test_aces_reads_exr_as_aces(project):
    host, session, clip = project
    host.settings = {"colorScienceMode": "acescct"}
    assert color_settings(session, clip, True)[0]["input_space"] == "ACES2065-1"
    assert color_settings(session, clip, False) == ({}, None)


def test_fusion_sees_the_timelines_curve_where_nothing_is_managed(project):
    host, session, _ = project
    host.settings["colorSpaceTimeline"] = "Rec.709 Gamma 2.4"
    assert working_space(session)[0]["input_space"] == "Gamma 2.4 Encoded Rec.709"
    host.settings["colorScienceMode"] = "davinciYRGBColorManagedv2"
    assert working_space(session) == ({}, None)
