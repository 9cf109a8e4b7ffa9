"""`lpsuite animate` from file to file, with the real parts."""

import json
import os
import re
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.films import read_pictures, write_film, write_tone

from lp_core.cli.main import run
from lp_core.media.open import open_source


def test_a_motion_file_animates_a_still(lpsuite, portrait, motion, tmp_path):
    out = tmp_path / "Ausgabe ü" / "out.mp4"
    code, lines = lpsuite("animate", portrait, motion, "-o", out)
    assert code == 0
    assert lines[-1]["type"] == "summary"
    assert (lines[-1]["frames"], lines[-1]["rate"], lines[-1]["engine"]) == (12, "30000/1001", "mesh")
    assert all(line["type"] == "progress" for line in lines[:-1])
    assert {"phase", "frame", "total", "fps", "eta_s"} < set(lines[0])
    with av.open(str(out)) as film:
        assert film.streams.video[0].average_rate == Fraction(30000, 1001)
    still = read_pictures(portrait)[0].astype(int)
    pictures = read_pictures(out)
    assert len(pictures) == 12
    assert np.abs(pictures[3] - still).max() > 60, "the head does not move"
    assert np.abs(pictures[3][-20:, :20] - still[-20:, :20]).mean() < 3, "the background moves"


def test_a_film_drives_frame_by_frame(lpsuite, portrait, driving, tmp_path):
    code, lines = lpsuite("animate", portrait, driving, "-o", tmp_path / "out.mp4")
    assert code == 0
    assert lines[-1]["frames"] == 12
    assert lines[-1]["lost_driving_frames"] == []
    assert {line["phase"] for line in lines[:-1]} == {
        "analyse",
        "render",
    }  # its own face needs no calibration
    assert len(read_pictures(tmp_path / "out.mp4")) == 12


def test_extract_then_animate_is_the_same_as_animate(lpsuite, portrait, driving, tmp_path):
    stored, options = tmp_path / "talk.lpmotion", ("--mouth", "drawn")
    code, lines = lpsuite("extract", driving, "-o", stored)
    assert (code, lines[-1]["frames"], lines[-1]["rate"]) == (0, 12, "30000/1001")
    for name, driver in (("film", driving), ("stored", stored)):
        out = tmp_path / f"{name}.%04d.png"
        assert lpsuite("animate", portrait, driver, "-o", out, *options)[0] == 0
    film, again = (read_pictures(tmp_path / f"{name}.%04d.png") for name in ("film", "stored"))
    apart = np.abs(np.array(film, int) - again)
    assert apart.mean() < 0.3, "stored dense motion is rounded, and no more"
    assert np.percentile(apart, 99.9) <= 12


def test_without_dense_motion_stored_and_filmed_are_equal(lpsuite, portrait, driving, tmp_path):
    stored, options = tmp_path / "talk.lpmotion", ("--mouth", "drawn", "--no-dense-motion")
    assert lpsuite("extract", driving, "-o", stored, "--no-dense-motion")[0] == 0
    for name, driver in (("film", driving), ("stored", stored)):
        assert lpsuite("animate", portrait, driver, "-o", tmp_path / f"{name}.%04d.png", *options)[0] == 0
    film, again = (read_pictures(tmp_path / f"{name}.%04d.png") for name in ("film", "stored"))
    np.testing.assert_array_equal(film, again)


def test_stored_dense_motion_of_another_reference_is_left_out_and_said(lpsuite, portrait, driving, tmp_path):
    stored = tmp_path / "talk.lpmotion"
    assert lpsuite("extract", driving, "-o", stored, "--reference", "3")[0] == 0
    code, lines = lpsuite("animate", portrait, stored, "-o", tmp_path / "o.%04d.png", "--reference", "0")
    assert code == 0
    assert any("leads to frame 3" in note for note in lines[-1]["notes"])


@pytest.mark.parametrize("policy", ["hold", "interpolate", "source"])
def test_lost_frames_are_filled_and_named(lpsuite, portrait, gap, tmp_path, policy):
    out = tmp_path / "out.%04d.png"
    code, lines = lpsuite("animate", portrait, gap, "-o", out, "--on-lost", policy)
    assert code == 0
    assert lines[-1]["lost_driving_frames"] == [[4, 5]]
    pictures = read_pictures(out)
    assert len(pictures) == 12
    is_source = [bool((picture == read_pictures(portrait)[0]).all()) for picture in pictures]
    assert is_source[4] == is_source[5] == (policy == "source")
    assert not is_source[3]


def test_a_plate_keeps_its_rate_length_and_lost_frames(lpsuite, gap, motion, tmp_path):
    out = tmp_path / "out.%04d.png"
    code, lines = lpsuite("animate", gap, motion, "-o", out)
    assert code == 0
    assert lines[-1]["lost_source_frames"] == [[4, 5]]
    pictures, plate = read_pictures(out), read_pictures(gap)
    assert len(pictures) == len(plate) == 12
    for index in (4, 5):
        np.testing.assert_array_equal(pictures[index], plate[index])
    assert (pictures[8] != plate[8]).any()


def test_a_plate_longer_than_the_performance_holds_its_end(lpsuite, portrait, motion, tmp_path):
    plate = write_film(tmp_path / "plate.mp4", read_pictures(portrait) * 16, "30000/1001")
    code, lines = lpsuite("animate", plate, motion, "-o", tmp_path / "out.mp4")
    assert (code, lines[-1]["frames"]) == (0, 16)
    assert any("last motion is held" in note for note in lines[-1]["notes"])


def test_a_picture_drives_as_it_is(lpsuite, portrait, driving, tmp_path):
    picture = tmp_path / "turned.png"
    from lp_core.media.image.stills import write_image

    write_image(picture, read_pictures(driving)[3])
    code, lines = lpsuite("animate", portrait, picture, "-o", tmp_path / "out.%02d.png")
    assert (code, lines[-1]["frames"]) == (0, 1)
    assert any("single image" in note for note in lines[-1]["notes"])
    assert (read_pictures(tmp_path / "out.%02d.png")[0] != read_pictures(portrait)[0]).any()


def test_another_rate(lpsuite, portrait, motion, tmp_path):
    code, lines = lpsuite("animate", portrait, motion, "-o", tmp_path / "out.mp4", "--fps", "60000/1001")
    assert (code, lines[-1]["frames"], lines[-1]["rate"]) == (0, 24, "60000/1001")


def with_sound(folder, film, seconds):
    """The video with a tone next to it."""
    tone = write_tone(folder / "tone.wav", seconds)
    out = folder / "sounding.mp4"
    with av.open(str(film)) as picture, av.open(str(tone)) as sound, av.open(str(out), "w") as target:
        video = target.add_stream_from_template(picture.streams.video[0])
        audio = target.add_stream("aac", rate=16000, layout="mono")
        for packet in picture.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
        for frame in sound.decode(audio=0):
            target.mux(audio.encode(frame))
        target.mux(audio.encode(None))
    return out


def seconds_of(path, kind):
    """Length of a stream by its packets; None when there is none."""
    with av.open(str(path)) as film:
        streams = [stream for stream in film.streams if stream.type == kind]
        if not streams:
            return None
        ends = [p.pts + (p.duration or 0) for p in film.demux(streams[0]) if p.pts is not None]
        return float(max(ends) * streams[0].time_base)


def test_the_drivings_sound_lasts_as_long_as_the_picture(lpsuite, portrait, driving, tmp_path):
    sounding = with_sound(tmp_path, driving, 3)
    out = tmp_path / "out.mp4"
    code, lines = lpsuite("animate", portrait, sounding, "-o", out)
    assert (code, lines[-1]["audio"]) == (0, "driving")
    assert seconds_of(out, "audio") == pytest.approx(seconds_of(out, "video"), abs=0.07)  # one AAC packet


def test_the_sound_of_a_source_and_none(lpsuite, driving, motion, tmp_path):
    sounding = with_sound(tmp_path, driving, 1)
    code, lines = lpsuite("animate", sounding, motion, "-o", tmp_path / "a.mp4", "--audio", "source")
    assert (code, lines[-1]["audio"]) == (0, "source")
    assert seconds_of(tmp_path / "a.mp4", "audio") is not None
    code, lines = lpsuite("animate", sounding, motion, "-o", tmp_path / "b.mp4", "--audio", "none")
    assert (code, lines[-1]["audio"]) == (0, "none")
    assert seconds_of(tmp_path / "b.mp4", "audio") is None


def test_alpha_is_kept_where_the_codec_has_it(lpsuite, portrait, motion, tmp_path):
    from lp_core.media.image.stills import write_image

    rgb = read_pictures(portrait)[0]
    alpha = np.full((256, 256, 1), 255, np.uint8)
    alpha[200:] = 40
    write_image(tmp_path / "cut.png", np.concatenate([rgb, alpha], axis=2))
    out = tmp_path / "o.mov"
    assert lpsuite("animate", tmp_path / "cut.png", motion, "-o", out, "--codec", "prores4444")[0] == 0
    with open_source(out) as film:
        assert film.info.has_alpha


# ---- what goes wrong: one sentence that names the file, and a separate exit code


@pytest.fixture
def refused(capsys, tmp_path):
    """A function that runs `animate`, wants an exit code and one sentence, and nothing written."""

    def call(code, *arguments, named=""):
        capsys.readouterr()
        before = sorted(tmp_path.rglob("*"))
        assert run(["animate", *map(str, arguments)]) == code
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1, shown.err
        assert shown.err.rstrip().endswith(".")
        assert str(named) in shown.err
        assert sorted(tmp_path.rglob("*")) == before
        return shown.err

    return call


def test_no_face_in_the_portrait(refused, motion, tmp_path):
    from lp_core.media.image.stills import write_image

    write_image(tmp_path / "wall.png", np.full((200, 200, 3), 120, np.uint8))
    refused(21, tmp_path / "wall.png", motion, "-o", tmp_path / "o.mp4", named="wall.png")


def test_no_face_in_the_whole_performance(refused, portrait, tmp_path):
    wall = write_film(tmp_path / "wall.mp4", [np.full((96, 96, 3), 120, np.uint8)] * 3)
    refused(21, portrait, wall, "-o", tmp_path / "o.mp4", named="wall.mp4")


@pytest.mark.parametrize("flag", ["--source-face", "--driving-face"])
def test_a_chosen_face_that_is_not_there(refused, portrait, driving, tmp_path, flag):
    text = refused(22, portrait, driving, "-o", tmp_path / "o.mp4", flag, "3")
    assert "3" in text


def test_a_missing_file(refused, motion, tmp_path):
    refused(11, tmp_path / "nicht da.png", motion, "-o", tmp_path / "o.mp4", named="nicht da.png")


@pytest.mark.parametrize("name", ["text.png", "text.mp4"])
def test_a_file_of_another_kind(refused, motion, tmp_path, name):
    (tmp_path / name).write_text("this is not an image " * 50)
    refused(11, tmp_path / name, motion, "-o", tmp_path / "o.mp4", named=name)


def test_a_truncated_still(refused, portrait, motion, tmp_path):
    data = portrait.read_bytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    refused(12, tmp_path / "half.png", motion, "-o", tmp_path / "o.mp4", named="half.png")


def test_a_video_without_frames(refused, portrait, tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    refused(13, portrait, tmp_path / "empty.mp4", "-o", tmp_path / "o.mp4", named="empty.mp4")


def test_an_unknown_codec(refused, portrait, motion, tmp_path):
    refused(14, portrait, motion, "-o", tmp_path / "o.mp4", "--codec", "vp9", named="vp9")
    refused(14, portrait, motion, "-o", tmp_path / "o.xyz", named="o.xyz")


def test_an_output_that_exists(refused, lpsuite, portrait, motion, tmp_path):
    out = tmp_path / "o.mp4"
    out.write_bytes(b"precious")
    refused(15, portrait, motion, "-o", out, named="o.mp4")
    assert out.read_bytes() == b"precious"
    assert lpsuite("animate", portrait, motion, "-o", out, "--overwrite")[0] == 0
    assert len(read_pictures(out)) == 12


def test_no_write_permission(refused, portrait, motion, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            folder = Path("/sys")  # where not even root may write
        if not folder.is_dir():
            pytest.skip("this user may write everywhere")
        refused(16, portrait, motion, "-o", folder / "o.mp4", named="o.mp4")
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_motion_of_another_rig(refused, portrait, tmp_path):
    from lp_core.motion.files.lpmotion import MotionWriter
    from lp_core.render.read_performance import neutral_filler
    from lp_core.timing import FrameRate

    with MotionWriter(tmp_path / "o.lpmotion", FrameRate.parse(25), "liveportrait21") as writer:
        writer.append(neutral_filler("liveportrait21"))
        writer.commit()
    text = refused(32, portrait, tmp_path / "o.lpmotion", "-o", tmp_path / "o.mp4", "--engine", "mesh")
    assert "liveportrait21" in text
    assert "mesh478" in text


def test_a_damaged_motion_file(refused, portrait, motion, tmp_path):
    data = bytearray(motion.read_bytes())
    data[-100] ^= 255
    (tmp_path / "bad.lpmotion").write_bytes(data)
    refused(31, portrait, tmp_path / "bad.lpmotion", "-o", tmp_path / "o.mp4", named="bad.lpmotion")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reference", "99"],
        ["--fps", "fast"],
        ["--source-face", "prettiest"],
        ["--mouth", "driving"],
        ["--strength", "9"],
    ],
)
def test_settings_that_cannot_be(refused, portrait, motion, tmp_path, arguments):
    refused(2, portrait, motion, "-o", tmp_path / "o.mp4", *arguments)


def test_the_neural_engine_is_missing_in_one_sentence(refused, portrait, motion, tmp_path):
    from lp_core.engines.registry import liveportrait_obstacle

    obstacle = liveportrait_obstacle()
    if obstacle is None:
        pytest.skip("the LivePortrait engine can run here")
    refused(obstacle.exit_code, portrait, motion, "-o", tmp_path / "o.mp4", "--engine", "liveportrait")


LIMITED = """
import resource, sys
from lp_core.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_leaves_nothing(portrait, motion, tmp_path):
    arguments = ["animate", str(portrait), str(motion), "-o", str(tmp_path / "o.mp4"), "--quality", "0"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 17, done.stderr
    assert "o.mp4" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_midway_leaves_nothing(portrait, motion, tmp_path, number):
    arguments = ["animate", str(portrait), str(motion), "-o", str(tmp_path / "o.mp4")]
    arguments += ["--fps", "1000", "--progress", "json"]  # hundreds of frames: time enough to stop it
    command = [sys.executable, "-m", "lp_core", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A test run started in the background by a shell ignores SIGINT, and its children would inherit that.
    with subprocess.Popen(
        command, **pipes, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)
    ) as process:
        for line in process.stdout:
            if '"render"' in line:
                process.send_signal(number)
                break
        _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped" in words
    assert "Traceback" not in words
    assert list(tmp_path.iterdir()) == []


def test_a_report_shows_the_result_and_its_confidence(lpsuite, portrait, driving, tmp_path):
    out, report = tmp_path / "out.mp4", tmp_path / "ü & out.html"
    code, lines = lpsuite(
        "animate", portrait, driving, "-o", out, "--report", report, "--passes", "confidence"
    )
    assert (code, lines[-1]["frames"]) == (0, 12)
    text = report.read_text(encoding="utf-8")
    assert text.count("<img alt=") == 12
    points = re.search(r'polyline points="([^"]+)"', text)[1].split()
    stored = json.loads(next(tmp_path.glob("out*confidence*.json")).read_text())["frames"]
    assert len(points) == len(stored) == 12
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == pytest.approx([(1 - row["confidence"]) * 76 + 2 for row in stored], abs=0.1)
    assert lpsuite("animate", portrait, driving, "-o", tmp_path / "b.mp4", "--report", report)[0] == 15
    assert not (tmp_path / "b.mp4").exists()
    for bad in (
        ("--report", tmp_path / "page.pdf"),
        ("--report", tmp_path / "c.html", "--work", tmp_path / "w"),
    ):
        assert lpsuite("animate", portrait, driving, "-o", tmp_path / "c.mp4", *bad)[0] == 2
