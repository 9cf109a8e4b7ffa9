"""What is checked and chosen before a render begins."""

import numpy as np
import pytest
from fakes.films import write_film, write_portrait, write_turning

from lp_core.assemble import assemble
from lp_core.clips import faces_of_frame, filmed_face
from lp_core.errors import EmptyVideo, OutputExists, SettingError, UnknownCodec
from lp_core.job import RenderJob
from lp_core.render.edges import FilmedFace, Still, StoredMotion
from lp_core.settings import (
    EngineSettings,
    FaceSettings,
    MeshSettings,
    MotionSettings,
    OutputSettings,
    RenderSettings,
)
from lp_core.timing import FrameRate


@pytest.fixture(scope="module")
def portrait(tmp_path_factory, astronaut):
    return write_portrait(tmp_path_factory.mktemp("portrait") / "portrait.png", astronaut)


@pytest.fixture(scope="module")
def film(tmp_path_factory, astronaut):
    picture = np.ascontiguousarray(astronaut[:256, 96:352])
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", [picture] * 3, "24000/1001")


@pytest.fixture
def job(portrait, tmp_path):
    """A function that makes a job out of what differs from the usual."""

    def make(driving="demo:still", source=portrait, name="o.mp4", **groups):
        return RenderJob(str(source), str(driving), str(tmp_path / name), RenderSettings(**groups))

    return make


def test_a_still_and_a_built_in_motion(job):
    render = assemble(job())
    assert isinstance(render.source, Still)
    assert isinstance(render.driving, StoredMotion)
    assert render.driving.rig == render.engine.info.rig
    assert render.target.rate is None


def test_films_on_both_sides(job, film):
    render = assemble(job(driving=film, source=film))
    assert isinstance(render.source, FilmedFace)
    assert isinstance(render.driving, FilmedFace)
    assert render.source.info.rate == FrameRate.parse("24000/1001")


def test_the_engine_that_was_taken_for_auto_is_said(job):
    render = assemble(job())
    assert any(note.startswith(f"Engine: {render.engine.info.name}") for note in render.notes)
    chosen = assemble(job(engine=EngineSettings(engine="mesh")))
    assert not any(note.startswith("Engine") for note in chosen.notes)


def test_a_picture_drives_absolutely_unless_that_was_asked_for_anyway(job, portrait):
    render = assemble(job(driving=portrait))
    assert render.motion.motion == "absolute"
    assert any("single image" in note for note in render.notes)
    asked = assemble(job(driving=portrait, motion=MotionSettings(motion="absolute")))
    assert not any("single image" in note for note in asked.notes)


def test_a_picture_sequence_is_read_at_the_output_rate(job, tmp_path):
    from lp_core.media.image.stills import write_image

    for number in (1, 2):
        write_image(tmp_path / f"in.{number:04d}.png", np.full((64, 64, 3), 90, np.uint8))
    pattern = tmp_path / "in.%04d.png"
    render = assemble(job(driving=pattern, output=OutputSettings(fps="25")))
    assert render.driving.info.rate == FrameRate.parse(25)


def test_a_motion_cannot_be_animated(job, portrait, tmp_path):
    motion = write_turning(tmp_path / "t.lpmotion", portrait, 2)
    for source in (motion, "demo:nod"):
        with pytest.raises(SettingError, match="portrait first"):
            assemble(job(source=source))


def test_the_mouth_of_a_motion_without_pictures(job):
    with pytest.raises(SettingError, match="--mouth"):
        assemble(job(mesh=MeshSettings(mouth="driving")))


def test_cheap_refusals_come_before_anything_is_opened(job, tmp_path):
    (tmp_path / "there.mp4").write_bytes(b"x")
    with pytest.raises(OutputExists):
        assemble(job(source="nowhere.png", driving="nowhere.mp4", name="there.mp4"))
    with pytest.raises(UnknownCodec):
        assemble(job(source="nowhere.png", driving="nowhere.mp4", name="o.xyz"))


@pytest.mark.parametrize("side", ["source_face", "driving_face"])
def test_a_face_that_cannot_be_understood(job, film, side):
    with pytest.raises(SettingError, match="prettiest"):
        assemble(job(driving=film, face=FaceSettings(**{side: "prettiest"})))


def test_a_source_without_sound_is_said(job):
    render = assemble(job(output=OutputSettings(audio="source")))
    assert render.target.audio_path is None
    assert any("no sound" in note for note in render.notes)


def test_faces_of_one_frame(film):
    frame, faces = faces_of_frame(filmed_face(str(film), "largest"), 2)
    assert (frame.index, len(faces)) == (2, 1)
    with pytest.raises(EmptyVideo, match="no frame 3"):
        faces_of_frame(filmed_face(str(film), "largest"), 3)


def test_the_mesh_engine_knows_no_neutral_face(job):
    with pytest.raises(SettingError, match="neutral"):
        assemble(job(motion=MotionSettings(reference="neutral"), engine=EngineSettings(engine="mesh")))
