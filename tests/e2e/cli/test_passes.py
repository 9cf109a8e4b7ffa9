"""`lpsuite animate --passes`: what independent readers find in the files."""

import json

import cv2
import numpy as np
import pytest

from lp_core.media.open import open_source

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

ALL = "beauty,matte,stmap,motion,confidence,landmarks"


@pytest.fixture(scope="module")
def rendered(portrait, motion, tmp_path_factory):
    """An EXR sequence with all passes, of a PNG portrait."""
    from lp_core.cli.main import run

    out = tmp_path_factory.mktemp("passes") / "out.%04d.exr"
    arguments = [str(portrait), str(motion), "-o", str(out), "--engine", "mesh", "--calibration", "off"]
    assert run(["animate", *arguments, "--passes", ALL, "--frames", "0-3"]) == 0
    return out.parent


def channels(path):
    file = oiio.ImageInput.open(str(path))
    spec, pixels = file.spec(), file.read_image("float")
    file.close()
    return spec, {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def test_channels_bear_nukes_names_and_maps_are_full_floats(rendered):
    spec, found = channels(rendered / "out.0001.exr")
    assert set(found) == {
        "R", "G", "B", "matte.A", "stmap.red", "stmap.green", "stmap.blue",
        "forward.u", "forward.v",
    }  # fmt: skip
    kinds = {name: str(spec.channelformat(index)) for index, name in enumerate(spec.channelnames)}
    assert {kinds[name] for name in ("stmap.red", "stmap.green", "forward.u")} == {"float"}
    assert 0.5 < spec.getattribute("lpsuite/confidence") <= 1


def test_nuke_reads_every_file_by_the_names_of_the_guide(rendered, nuke_rules):
    if nuke_rules is None:
        pytest.skip("the rules of Nuke's reader are not here")
    files = sorted(rendered.glob("*.exr"))
    assert len(files) == 4
    for path in files:
        wrong, told = nuke_rules.judge(str(path))
        assert not wrong
        assert {line.partition(" -> ")[2] for line in told} == {
            "red", "green", "blue", "matte.alpha", "stmap.red", "stmap.green", "stmap.blue", "forward.u", "forward.v",
        }  # fmt: skip


def test_the_picture_is_scene_linear_of_the_portraits_own_colours(rendered, portrait):
    _, found = channels(rendered / "out.0001.exr")
    source = cv2.imread(str(portrait))[..., ::-1] / 255
    linear = np.where(source <= 0.04045, source / 12.92, ((source + 0.055) / 1.055) ** 2.4)
    got = np.dstack([found[name] for name in "RGB"])
    outside = found["matte.A"] == 0
    np.testing.assert_allclose(got[outside], linear[outside], rtol=1e-3, atol=1e-4)  # half


def test_the_map_is_the_identity_outside_the_matte(rendered):
    _, found = channels(rendered / "out.0003.exr")
    height, width = found["R"].shape
    outside = found["matte.A"] == 0
    u = np.broadcast_to((np.arange(width) + 0.5) / width, (height, width))
    v = np.broadcast_to(1 - (np.arange(height)[:, None] + 0.5) / height, (height, width))
    np.testing.assert_allclose(found["stmap.red"][outside], u[outside], atol=1e-6)
    np.testing.assert_allclose(found["stmap.green"][outside], v[outside], atol=1e-6)
    assert np.abs(found["stmap.red"] - u).max() * width > 0.5


def test_landmarks_lie_on_the_face(rendered):
    faces = json.loads((rendered / "out.landmarks.json").read_text())
    assert [line["frame"] for line in faces["frames"]] == [0, 1, 2, 3]
    points = np.array(faces["frames"][2]["points"])
    assert points.shape == (478, 3)
    _, found = channels(rendered / "out.0002.exr")
    x, y = np.rint(points[[1, 33, 263], :2]).astype(int).T
    assert (found["matte.A"][y, x] == 1).all()


def test_beside_a_film_passes_are_files_of_their_own(lpsuite, portrait, motion, tmp_path):
    out = tmp_path / "out.mkv"
    common = ("--engine", "mesh", "--calibration", "off", "--codec", "ffv1", "--frames", "0-2")
    code, lines = lpsuite("animate", portrait, motion, "-o", out, *common, "--passes", ALL)
    assert code == 0, lines
    names = sorted(path.name for path in tmp_path.iterdir())
    layers = [f"out.{name}.{index:04d}.exr" for name in ("forward", "matte", "stmap") for index in range(3)]
    assert names == sorted(
        [*layers, "out.confidence.csv", "out.confidence.json", "out.landmarks.json", "out.mkv"]
    )
    with open_source(tmp_path / "out.stmap.%04d.exr") as source:
        assert source.info.sample_type == "float"
        first = next(iter(source))
    assert first.pixels[0, 0, 0] == pytest.approx(0.5 / source.info.width, rel=1e-5)


def test_motion_over_a_filmed_source_holds_what_the_camera_did(lpsuite, astronaut, motion, tmp_path):
    for index in range(3):  # the camera pans: everything goes 4 pixels to the left and 2 up
        part = astronaut[2 * index : 450 + 2 * index, 4 * index : 500 + 4 * index, ::-1]
        cv2.imwrite(str(tmp_path / f"plate.{index}.png"), part)
    out = tmp_path / "out.%d.exr"
    common = ("--engine", "mesh", "--calibration", "off", "--frames", "0-2")
    code, lines = lpsuite(
        "animate", tmp_path / "plate.%d.png", motion, "-o", out, *common, "--passes", "motion"
    )
    assert code == 0, lines
    for index in range(3):
        _, found = channels(tmp_path / f"out.{index}.exr")
        moved = [np.median(found[f"forward.{axis}"][30:-30, 30:-30]) for axis in "uv"]
        np.testing.assert_allclose(moved, (-4, 2), atol=0.1)


def test_a_pass_that_the_engine_has_not_is_refused_before_any_work(lpsuite, portrait, motion, tmp_path):
    out = tmp_path / "a.mp4"
    code, lines = lpsuite("animate", portrait, motion, "-o", out, "--engine", "mesh", "--passes", "crop")
    assert code != 0
    assert "no pass 'crop'" in json.dumps(lines)
    assert not list(tmp_path.iterdir())


def test_a_pass_that_is_there_already_is_not_replaced(lpsuite, portrait, motion, tmp_path):
    (tmp_path / "a.matte.0000.exr").write_bytes(b"mine")
    code, _ = lpsuite(
        "animate", portrait, motion, "-o", tmp_path / "a.mp4", "--engine", "mesh", "--passes", "matte"
    )
    assert code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.matte.0000.exr"]


def test_a_holdout_keeps_the_sources_bits_in_every_frame(lpsuite, portrait, motion, tmp_path):
    source = cv2.imread(str(portrait))
    matte = np.zeros_like(source)
    matte[:, :128] = 255
    cv2.imwrite(str(tmp_path / "hand.png"), matte)
    common = ("--engine", "mesh", "--calibration", "off", "--frames", "3-4")
    out = tmp_path / "out.%04d.png"
    code, lines = lpsuite("animate", portrait, motion, "-o", out, *common, "--holdout", tmp_path / "hand.png")
    assert code == 0, lines
    for number in (3, 4):
        got = cv2.imread(str(tmp_path / f"out.{number:04d}.png"))
        np.testing.assert_array_equal(got[:, :128], source[:, :128])
        assert (got[:, 128:] != source[:, 128:]).any()
