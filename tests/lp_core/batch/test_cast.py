"""A cast wherever a render goes in parts: chunks, work folders, frames, batches, farms, credentials."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.cuts import clip_of, file_at, timeline_of, write
from fakes.films import read_pictures, write_film

from lp_core.api import animate
from lp_core.api import frames as frames_of
from lp_core.assemble import assemble
from lp_core.batch.job_plan import plan_job
from lp_core.batch.openjd import write_bundle
from lp_core.batch.path_mapping import PathRule, moved_plan
from lp_core.batch.plan import read_plan
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.run import run_plan
from lp_core.batch.steps import RenderResources
from lp_core.batch.up_to_date import setting_files
from lp_core.errors import NotAllowed
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.render.cast_members import cast_files, cast_of, inlined
from lp_core.settings import FaceSettings, RenderSettings
from lp_core.settings.table import with_values

PLAIN = {"engine": "mesh", "calibration": "off", "mouth": "drawn", "sign": False}


@pytest.fixture(scope="module")
def place(tmp_path_factory, astronaut):
    """Folder with two.png, two faces of 130 pixels, and driver.mkv, one of them that moves."""
    folder = tmp_path_factory.mktemp("cast")
    small = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)
    write_image(folder / "two.png", np.concatenate([small, small[:, ::-1]], axis=1))
    pictures = [np.roll(small, round(5 * np.sin(index / 3)), axis=1) for index in range(12)]
    write_film(folder / "driver.mkv", pictures, rate="25", codec="ffv1")
    (folder / "cast.toml").write_text(
        "[[faces]]\nface = 'left'\ndriving = 'driver.mkv'\n[[faces]]\nface = '1'\nregion = 'lips'\n"
    )
    return folder


@pytest.fixture(scope="module")
def once(place, tmp_path_factory):
    """The cast rendered in one go: ten frames."""
    folder = tmp_path_factory.mktemp("once")
    animate(
        place / "two.png",
        "demo:nod",
        folder / "o.%04d.png",
        cast=str(place / "cast.toml"),
        frames="0-9",
        **PLAIN,
    )
    return read_pictures(folder / "o.%04d.png")


def job_of(place, output, **settings):
    values = {**PLAIN, "cast": str(place / "cast.toml"), "frames": "0-9", **settings}
    return RenderJob(str(place / "two.png"), "demo:nod", str(output), with_values(RenderSettings(), values))


def test_a_work_folder_and_frames_give_the_same_bits(place, once, tmp_path):
    values = {"cast": str(place / "cast.toml"), "frames": "0-9", **PLAIN}
    animate(place / "two.png", "demo:nod", tmp_path / "w.%04d.png", work=tmp_path / "work", **values)
    assert np.array_equal(read_pictures(tmp_path / "w.%04d.png"), once)
    assert np.array_equal(list(frames_of(job_of(place, tmp_path / "f.%04d.png"))), once)
    assert not (tmp_path / "work").exists()


@pytest.fixture(scope="module")
def batch(place, tmp_path_factory):
    """(plan, folder) of a timeline whose still is marked with the cast, rendered in chunks."""
    folder = tmp_path_factory.mktemp("batch_cast")
    clip = clip_of(
        "pair", file_at(place / "two.png", 25, 1), 25, 0, 10, "demo:nod", cast="cast.toml", mouth="drawn"
    )
    cut = write(timeline_of("cut", [[clip]]), place / "cut.otio")
    plan, _ = make_plan(PlanRequest(cut, folder / "out", file_type=".png", chunk_frames=4))
    assert not plan.problems, plan.problems
    plan.write()
    results = run_plan(plan, RenderResources())
    assert [result.message for result in results] == [""]
    return plan, folder / "out"


def test_a_mark_names_a_cast_and_chunks_give_the_same_bits(place, once, batch):
    plan, folder = batch
    face = plan.shots[0].job.settings.face
    assert face.cast is None
    left, other = cast_of(face, "demo:nod")
    assert (left.driving, other.driving, dict(other.settings)) == (
        str(place / "driver.mkv"), "demo:nod", {"region": "lips"},
    )  # fmt: skip
    made = [read_pictures(path)[0] for path in sorted((folder / "media").rglob("*.png"))]
    assert np.array_equal(made, once)
    assert read_plan(folder / "plan.json").shots[0].job.settings.face == face


def test_a_changed_driver_of_a_cast_is_rendered_again(place, batch):
    plan, _ = batch
    assert [result.state for result in run_plan(plan, RenderResources())] == ["up to date"]
    assert place / "driver.mkv" in [path for _, path in setting_files(plan.shots[0].job)]
    driver = place / "driver.mkv"
    kept = driver.read_bytes()
    small = read_pictures(place / "two.png")[0][:, :160]
    write_film(driver, [np.roll(small, index % 5, axis=0) for index in range(12)], rate="25", codec="ffv1")
    try:
        assert [result.state for result in run_plan(plan, RenderResources())] == ["rendered"]
    finally:
        driver.write_bytes(kept)


def test_farms_map_and_copy_every_driver(place, batch, tmp_path):
    plan, folder = batch
    rule = PathRule(str(place), "/mnt/show")
    moved = cast_of(moved_plan(plan, tmp_path, [rule]).shots[0].job.settings.face, "")
    assert [member.driving for member in moved] == ["/mnt/show/driver.mkv", ""]
    bundle = write_bundle(plan, ("lpsuite",))
    assets = json.loads((bundle / "asset_references.json").read_text())["assetReferences"]["inputs"][
        "filenames"
    ]
    assert str(place / "driver.mkv") in assets
    job = plan_job(job_of(place, tmp_path / "o.%04d.png"), tmp_path / "job.json").shots[0].job
    assert job.settings.face.cast is None
    assert cast_of(job.settings.face, "")[0].driving == str(place / "driver.mkv")


def test_members_are_written_as_entries_and_read_back(place, tmp_path):
    given = FaceSettings(cast=str(place / "cast.toml"), face=("anna.png=speech:/a/talk.mp4",))
    there = inlined(given, lambda path: "/b/" + Path(path).name)
    assert there.cast is None
    names = [(member.face, member.driving) for member in cast_of(there, "")]
    assert names == [("/b/anna.png", "speech:/b/talk.mp4"), ("left", "/b/driver.mkv"), ("1", "")]
    assert cast_files(there) == ["speech:/b/talk.mp4", "/b/driver.mkv", "/b/anna.png"]
    assert inlined(FaceSettings(), str) == FaceSettings()


def test_a_marks_files_are_admitted_before_they_are_read(place, tmp_path):
    def admit(name):
        if name.endswith(".toml"):
            raise NotAllowed(f"{name} is outside the folders.")

    clip = clip_of("pair", file_at(place / "two.png", 25, 1), 25, 0, 10, "demo:nod", cast="cast.toml")
    cut = write(timeline_of("cut", [[clip]]), place / "admit.otio")
    with pytest.raises(NotAllowed, match="outside the folders"):
        make_plan(PlanRequest(cut, tmp_path / "out", file_type=".png", admit=admit))


def test_a_face_cannot_be_driven_by_a_clip_of_the_timeline(place, tmp_path):
    clip = clip_of("pair", file_at(place / "two.png", 25, 1), 25, 0, 10, "demo:nod", face="0=clip:other")
    cut = write(timeline_of("cut", [[clip]]), place / "clip.otio")
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out", file_type=".png"))
    assert "name a file" in plan.problems[0].message


def test_credentials_name_every_driver_once(place, tmp_path):
    job = job_of(place, tmp_path / "o.mp4", face=("1=demo:blink",), cast=None)
    assert assemble(job).seal is not None
    job = replace(
        job, settings=with_values(job.settings, {"face": ("0=" + str(place / "driver.mkv"), "1", "left")})
    )
    record = assemble(job).seal._claim(10, "25").record()
    made_of = record["made_of"]
    assert {role: item["name"] for role, item in made_of.items()} == {
        "source": "two.png", "driving": "driver.mkv", "driving2": "demo:nod",
    }  # fmt: skip
    assert record["settings"]["face"]["face"] == ["0=driver.mkv", "1", "left"]
    assert str(place) not in json.dumps(record)
