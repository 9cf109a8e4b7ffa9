"""Frames drawn in other processes are those that the engine draws itself, whatever happens to the processes."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own short name
import pytest
from fakes.films import write_portrait
from fakes.mesh import grimace

from lp_core import performances
from lp_core.assemble import assemble
from lp_core.engines.base import DrawRequest, DrivingPicture
from lp_core.engines.helping import helpers as helpers_module
from lp_core.engines.helping.helpers import HelperProcesses, helpers_for
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.errors import SettingError
from lp_core.geometry.dense_field import DenseReference
from lp_core.job import RenderJob
from lp_core.leftovers import temporary_prefix
from lp_core.media.open import open_source
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.landmarks.transfer import Nudge
from lp_core.render.chunks import render_in_chunks
from lp_core.render.watching import Trust
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.timing import FrameRate

ROOM = 1 << 23


@pytest.fixture(scope="module")
def acted():
    return list(builtin_motion("expressive", FrameRate.parse(25)).frames())[:12]


@pytest.fixture
def acts(portrait, acted):
    return [DrawRequest(portrait, motion) for motion in acted]


@pytest.fixture
def answered(monkeypatch):
    """What helpers have answered; None where this process has to draw."""
    found, answer = [], helpers_module._Helper.answer

    def noted(helper):
        found.append(answer(helper))
        return found[-1]

    monkeypatch.setattr(helpers_module._Helper, "answer", noted)
    return found


def started(count=2, room=ROOM):
    helpers = HelperProcesses(count, room)
    helpers.start()
    return helpers


def temporary():
    return set(Path(tempfile.gettempdir()).glob(f"{temporary_prefix()}*"))


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.region_flow, other.region_flow)
        np.testing.assert_array_equal(one.region_matte, other.region_matte)
        np.testing.assert_array_equal(one.landmarks_frame, other.landmarks_frame)
        assert one.region == other.region


def test_trials_are_drawn_with_their_own_nudges(engine, portrait, acted, answered):
    nudges = [Nudge(), Nudge(gap=0.1), Nudge(angles_deg=(3.0, 0.0, -2.0))]
    trials = [DrawRequest(portrait, acted[3], nudge=nudge) for nudge in nudges]
    with started() as helpers:
        found = list(helpers.draw(engine, trials, acted[0]))
    assert all(answered)
    assert_same(found, engine.animate_all(trials, acted[0]))
    assert all((one.pixels != found[0].pixels).any() for one in found[1:])


class TestTheSameFrames:
    @pytest.mark.parametrize("room", [ROOM, 4096], ids=["in shared memory", "through the pipe"])
    def test_in_their_order(self, engine, acts, room, answered):
        wanted = engine.animate_all(acts, acts[0].motion)
        with started(room=room) as helpers:
            found = list(helpers.draw(engine, iter(acts), acts[0].motion))
        assert_same(found, wanted)
        assert_same(answered, wanted)
        assert (found[0].pixels != found[-1].pixels).any()

    def test_with_the_driving_image_and_its_dense_motion(self, engine, acts, sitter, answered):
        moved = np.ascontiguousarray(np.roll(sitter.picture, 4, axis=1))
        landmarks = sitter.face.landmarks_frame + np.array([4, 0, 0], np.float32)
        dense = DenseReference.of(sitter.picture, sitter.face.landmarks_frame).motion(
            moved, landmarks, with_shade=True
        )
        driven = [replace(act, driving=DrivingPicture(moved, landmarks, dense)) for act in acts]
        wanted = engine.animate_all(driven, acts[0].motion)
        assert any(
            one.pixels.tobytes() != other.pixels.tobytes()
            for one, other in zip(wanted, engine.animate_all(acts, acts[0].motion), strict=True)
        )
        with started() as helpers:
            assert_same(list(helpers.draw(engine, driven, acts[0].motion)), wanted)
        assert_same(answered, wanted)

    def test_nothing_where_nothing_is_asked_for(self, engine, acts):
        asked = [None, acts[3], None, None, acts[4]]
        with started() as helpers:
            found = list(helpers.draw(engine, asked, acts[0].motion))
        assert [one is None for one in found] == [True, False, True, True, False]
        assert_same([found[1], found[4]], engine.animate_all(acts[3:5], acts[0].motion))

    def test_without_matte_and_flow_where_pixels_alone_are_used(self, engine, acts, answered):
        plain = [replace(act, pixels_alone=True) for act in acts]
        with started() as helpers:
            found = list(helpers.draw(engine, plain, acts[0].motion))
        assert all(answered)
        for one, other in zip(found, engine.animate_all(acts, acts[0].motion), strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)
            np.testing.assert_array_equal(one.landmarks_frame, other.landmarks_frame)
            assert one.region_matte.shape == (0, 0)
            assert one.region_flow.shape == (0, 0, 2)

    def test_no_more_is_read_ahead_than_is_drawn(self, engine, acts):
        read = []
        with started() as helpers:
            drawn = helpers.draw(engine, (read.append(1) or act for act in acts), acts[0].motion)
            next(drawn)
            assert len(read) == 2 * helpers_module.AHEAD

    def test_after_a_reader_that_stopped_early(self, engine, acts):
        with started() as helpers:
            with closing(helpers.draw(engine, acts, acts[0].motion)) as drawn:
                next(drawn)
            found = list(helpers.draw(engine, acts[5:], acts[0].motion))
        assert_same(found, engine.animate_all(acts[5:], acts[0].motion))

    def test_and_from_one_portrait_to_another(self, engine, acts, as_frame, sitter):
        other = engine.prepare(as_frame(255 - sitter.picture), sitter.face)
        mixed = [act if index % 3 else replace(act, portrait=other) for index, act in enumerate(acts)]
        with started() as helpers:
            assert_same(
                list(helpers.draw(engine, mixed, acts[0].motion)), engine.animate_all(mixed, acts[0].motion)
            )


class TestWhatGoesWrong:
    def test_a_killed_helper_costs_time_alone(self, engine, acts, caplog):
        wanted = engine.animate_all(acts, acts[0].motion)
        with started() as helpers, caplog.at_level(logging.WARNING):
            found = []
            for shown in helpers.draw(engine, acts, acts[0].motion):
                if len(found) == 3:
                    os.kill(helpers._running[0]._program.pid, signal.SIGKILL)
                found.append(shown)
        assert_same(found, wanted)
        assert "code -9" in caplog.text

    def test_all_of_them_killed(self, engine, acts):
        with started() as helpers:
            for helper in helpers._running:
                os.kill(helper._program.pid, signal.SIGKILL)
            found = list(helpers.draw(engine, acts, acts[0].motion))
        assert_same(found, engine.animate_all(acts, acts[0].motion))

    def test_an_engines_refusal_is_raised_here(self, acts):
        strict = MeshEngine(with_values(RenderSettings(), {"mouth": "driving"}))
        with started() as helpers, pytest.raises(SettingError, match="no driving image"):
            list(helpers.draw(strict, acts, acts[0].motion))

    def test_a_full_disk_leaves_the_work_to_the_engine(self, engine, acts, monkeypatch, caplog):
        def full(**_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(helpers_module.tempfile, "mkstemp", full)
        with started() as helpers:
            found = list(helpers.draw(engine, acts, acts[0].motion))
        assert_same(found, engine.animate_all(acts, acts[0].motion))
        assert "No space left" in caplog.text

    def test_nothing_is_left_and_nothing_runs_on(self, engine, acts):
        before = temporary()
        with started() as helpers:
            next(helpers.draw(engine, acts, acts[0].motion))
            programs = [helper._program for helper in helpers._running]
            assert all(program.poll() is None for program in programs)
            if sys.platform != "win32":
                assert temporary() == before
        assert all(program.poll() is not None for program in programs)
        assert temporary() == before

    @pytest.mark.skipif(sys.platform == "win32", reason="processes are asked after by signals")
    def test_a_killed_render_takes_its_helpers_along(self):
        program = (
            "import sys, time\nfrom lp_core.engines.helping.helpers import HelperProcesses\n"
            "helpers = HelperProcesses(2, 4096)\n"
            "helpers.start()\nprint(*(one._program.pid for one in helpers._running), flush=True)\ntime.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as render:
            pids = [int(word) for word in render.stdout.readline().split()]
            render.kill()
        assert len(pids) == 2
        until = time.monotonic() + 20
        while any(runs(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(runs(pid) for pid in pids)


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


class TestHowMany:
    def test_as_many_as_cores(self, monkeypatch):
        for cores, wanted in ((1, None), (2, 2), (3, 3), (64, helpers_module.MOST)):
            monkeypatch.setattr(helpers_module, "usable_cores", lambda cores=cores: cores)
            found = helpers_for(512 * 512, 512 * 512 * 3, 0)
            assert (found and found._count) == wanted

    def test_large_frames_are_left_to_opencv(self, monkeypatch):
        monkeypatch.setattr(helpers_module, "usable_cores", lambda: 8)
        pixels = 3840 * 2160
        assert helpers_for(pixels, pixels * 16, pixels) is None

    def test_none_in_a_program_that_python_is_built_into(self, monkeypatch):
        monkeypatch.setattr(helpers_module, "usable_cores", lambda: 8)
        for name in ("/opt/Nuke15.1/Nuke15.1", "", None):
            monkeypatch.setattr(helpers_module.sys, "executable", name)
            assert helpers_for(512 * 512, 512 * 512 * 3, 0) is None


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    from skimage import data

    folder = tmp_path_factory.mktemp("helped")
    write_portrait(folder / "portrait.png", data.astronaut())
    return folder


class TestARender:
    def render_of(self, stage, name, **more):
        settings = with_values(
            RenderSettings(), {"engine": "mesh", "calibration": "off", "sign": False, **more}
        )
        return assemble(
            RenderJob(str(stage / "portrait.png"), "demo:expressive", str(stage / name), settings)
        )

    def test_a_long_one_has_helpers_and_a_short_one_has_none(self, stage, monkeypatch):
        monkeypatch.setattr(helpers_module, "usable_cores", lambda: 2)
        assert self.render_of(stage, "long.mkv").helpers is not None
        assert self.render_of(stage, "short.mkv", frames="0-98").helpers is None
        assert self.render_of(stage, "just.mkv", frames="0-99").helpers is not None

    def test_gives_the_same_file(self, stage, monkeypatch, answered):
        monkeypatch.setattr(helpers_module, "usable_cores", lambda: 2)
        frames = {"frames": "0-104", "passes": "beauty,matte,stmap"}
        helped = self.render_of(stage, "helped.%04d.exr", **frames)
        helped.run()
        assert len(answered) == 105
        replace(self.render_of(stage, "alone.%04d.exr", **frames), helpers=None).run()
        chunked = self.render_of(stage, "chunked.%04d.exr", **frames)
        render_in_chunks(chunked, stage / "work")
        assert not chunked.helpers._running
        assert len(answered) == 210
        assert None not in answered
        for name in ("alone", "chunked"):
            assert len(list(stage.glob(f"{name}.*.exr"))) == 105
            for index in (1, 40, 104):
                found = oiio.ImageBuf(str(stage / f"{name}.{index:04d}.exr")).get_pixels()
                wanted = oiio.ImageBuf(str(stage / f"helped.{index:04d}.exr")).get_pixels()
                assert wanted.shape[2] > 3
                np.testing.assert_array_equal(found, wanted)

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"alpha": "matte"},
            {"watermark": "7"},
            {"fade_below": 1.0},
            {"person_matte": "auto"},
            {"holdout": "held.png"},
        ],
        ids=lambda more: "".join(more) or "plain",
    )
    def test_gives_the_same_frames_whatever_is_made_of_them(self, stage, monkeypatch, answered, more):
        monkeypatch.setattr(helpers_module, "usable_cores", lambda: 2)
        monkeypatch.setattr(performances, "LEAST_FRAMES", 5)
        monkeypatch.setattr(Trust, "fade", lambda *_: 0.5)
        if "holdout" in more:
            held = np.zeros((512, 512), np.uint8)
            held[:256] = 255
            write_portrait(stage / "held.png", held[..., None].repeat(3, axis=2))
            more = {"holdout": str(stage / "held.png")}
        given = {"frames": "40-45", "codec": "ffv1", "overwrite": True, **more}
        suffix = ".%04d.png" if "alpha" in more else ".mkv"
        self.render_of(stage, f"with{suffix}", **given).run()
        assert len(answered) == 6
        assert None not in answered
        alone = self.render_of(stage, f"without{suffix}", **given)
        replace(alone, helpers=None).run()
        with open_source(stage / f"with{suffix}") as found, open_source(stage / f"without{suffix}") as wanted:
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_grimace_is_drawn(engine, portrait, sitter):
    """The frames that are compared above show something else than the source."""
    act = DrawRequest(portrait, grimace(sitter.neutral))
    with started() as helpers:
        (shown,) = helpers.draw(engine, [act], sitter.neutral)
    assert (shown.pixels != sitter.picture).any(axis=2).mean() > 0.03
