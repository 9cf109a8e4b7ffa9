"""`lpsuite animate` on numbered plates: every untouched bit, numbers, parts of a shot, timecode, sound."""

from __future__ import annotations

import av
import numpy as np
import pytest
from fakes.films import read_pictures, write_tone

from lp_core.media.open import open_source
from lp_core.timing import FrameRate, Timecode

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

NTSC = FrameRate.parse("29.97")
FIRST = 1001


def exr(path, pixels, kind, frame):
    """An EXR with overscan, by OpenImageIO alone."""
    height, width = pixels.shape[:2]
    spec = oiio.ImageSpec(width, height, pixels.shape[2], kind)
    spec.x, spec.y, spec.full_x, spec.full_y = -4, -2, 0, 0
    spec.full_width, spec.full_height = width - 8, height - 4
    spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, (0x10000040 + frame, 0))
    spec.attribute("FramesPerSecond", oiio.TypeRational, (30000, 1001))
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(pixels.astype({"half": np.float16, "float": np.float32}[kind]))
    assert file.close()


def bits(path):
    """The stored bits of all channels."""
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, spec.format)
    file.close()
    return pixels.view(np.uint16 if pixels.dtype == np.float16 else np.uint32)


@pytest.fixture(scope="module", params=["half", "float"])
def plate(request, tmp_path_factory, portrait):
    """Six frames of a filmed portrait with wild values on the face and next to it."""
    folder = tmp_path_factory.mktemp("plate")
    pixels = read_pictures(portrait)[0].astype(np.float32) / 255
    pixels[2, 3] = np.inf, -np.inf, np.nan
    pixels[110:112, 120:122] = np.nan, -0.75, 8.0
    pixels[130, 140] = -np.inf
    for frame in range(6):
        pixels[0, 0] = frame
        exr(folder / f"plate.{FIRST + frame}.exr", pixels, request.param, frame)
    return folder / "plate.####.exr"


def test_a_motionless_performance_returns_every_bit(lpsuite, plate, tmp_path):
    code, lines = lpsuite("animate", plate, "demo:still", "-o", tmp_path / "out.####.exr", "--engine", "mesh")
    assert code == 0, lines
    assert lines[-1]["lost_source_frames"] == []
    assert len(list(tmp_path.iterdir())) == 6
    for number in range(FIRST, FIRST + 6):
        assert np.array_equal(
            bits(str(plate).replace("####", str(number))), bits(tmp_path / f"out.{number}.exr")
        )


def test_a_part_shows_what_the_whole_shows_there(lpsuite, plate, motion, tmp_path):
    arguments = ("--engine", "mesh", "--calibration", "off")
    for name, more in (("whole", ()), ("part", ("--frames", "1003-1004", "--handles", "1"))):
        out = tmp_path / name / "out.####.exr"
        assert lpsuite("animate", plate, motion, "-o", out, *arguments, *more)[0] == 0
    assert sorted(entry.name for entry in (tmp_path / "part").iterdir()) == [
        f"out.{number}.exr" for number in (1002, 1003, 1004, 1005)
    ]
    changed = 0
    for number in (1002, 1003, 1004, 1005):
        whole, part = (bits(tmp_path / name / f"out.{number}.exr") for name in ("whole", "part"))
        # The landmarker smooths over the frames it has seen, so what it finds differs a little.
        floats = [values.view({2: np.float16, 4: np.float32}[values.itemsize]) for values in (whole, part)]
        with np.errstate(invalid="ignore"):
            apart = np.abs(floats[0].astype(np.float64) - floats[1])
        assert np.nanmean(apart[np.isfinite(apart)]) < 0.01
        changed += (whole != bits(str(plate).replace("####", str(number)))).any()
    assert changed >= 3, "the head does not move"
    with open_source(tmp_path / "part" / "out.####.exr") as source:
        assert source.info.timecode == Timecode.parse("10:00:00;01", NTSC)


def test_nan_does_not_spread_when_the_head_moves(lpsuite, plate, motion, tmp_path):
    assert lpsuite("animate", plate, motion, "-o", tmp_path / "out.####.exr", "--engine", "mesh")[0] == 0
    (before, *_), after = read_pictures(plate), read_pictures(tmp_path / "out.####.exr")
    for picture in after:
        assert np.isnan(picture).sum() <= 2 * np.isnan(before).sum()


def test_a_film_of_a_plate_keeps_its_timecode(lpsuite, plate, tmp_path):
    out = tmp_path / "out.mov"
    codec = ("--codec", "prores422hq", "--frames", "1003-1005")
    code, lines = lpsuite("animate", plate, "demo:still", "-o", out, "--engine", "mesh", *codec)
    assert (code, lines[-1]["frames"]) == (0, 3)
    with open_source(out) as source:
        assert (source.info.width, source.info.height) == (248, 252)  # the display window
        assert source.info.timecode == Timecode.parse("10:00:00;02", NTSC)


def test_the_performance_may_run_ahead_of_a_plate(lpsuite, plate, motion, tmp_path):
    arguments = ("--engine", "mesh", "--calibration", "off", "--reference", "0", "--smoothing", "0")
    for name, more in (("with", ()), ("ahead", ("--frames", "1002-1003", "--driving-offset", "2"))):
        out = tmp_path / name / "out.####.exr"
        assert lpsuite("animate", plate, motion, "-o", out, *arguments, *more)[0] == 0
    apart = {}
    for behind in (0, 2):  # the plate's images are alike, so only the performance distinguishes them
        found = []
        for number in (1002, 1003):
            pictures = [
                bits(tmp_path / name / f"out.{at}.exr")
                for name, at in (("with", number + behind), ("ahead", number))
            ]
            floats = [values.view({2: np.float16, 4: np.float32}[values.itemsize]) for values in pictures]
            with np.errstate(invalid="ignore"):
                difference = np.abs(floats[0].astype(np.float64) - floats[1])
            found.append(np.nanmean(difference[np.isfinite(difference)]))
        apart[behind] = max(found)
    assert apart[2] < 0.01
    assert apart[2] < apart[0] / 2


def test_the_performance_may_run_ahead_of_a_still(lpsuite, portrait, motion, tmp_path):
    arguments = ("--engine", "mesh", "--frames")
    for name, frames, offset in (("at", "4-5", "0"), ("ahead", "1-2", "3"), ("behind", "6-7", "-2")):
        out = tmp_path / name / "p.%04d.png"
        more = (frames, f"--driving-offset={offset}", "-o", out)
        assert lpsuite("animate", portrait, motion, *arguments, *more)[0] == 0
    wanted = read_pictures(tmp_path / "at" / "p.%04d.png")
    for name in ("ahead", "behind"):
        assert np.array_equal(read_pictures(tmp_path / name / "p.%04d.png"), wanted)


def test_the_performance_of_a_still_counts_from_0(lpsuite, portrait, motion, tmp_path):
    assert lpsuite("animate", portrait, motion, "-o", tmp_path / "whole.%04d.png")[0] == 0
    arguments = ("--frames", "4-6", "-o", tmp_path / "part" / "p.%04d.png")
    assert lpsuite("animate", portrait, motion, *arguments)[0] == 0
    assert [entry.name for entry in sorted((tmp_path / "part").iterdir())] == [
        f"p.{number:04d}.png" for number in (4, 5, 6)
    ]
    whole, part = read_pictures(tmp_path / "whole.%04d.png"), read_pictures(tmp_path / "part" / "p.%04d.png")
    np.testing.assert_array_equal(whole[4:7], part)


def test_sound_of_a_part_begins_with_it(lpsuite, portrait, driving, tmp_path):
    film = tmp_path / "sounding.mov"
    tone = write_tone(tmp_path / "t.wav", "0.4")
    with av.open(str(driving)) as picture, av.open(str(tone)) as sound, av.open(str(film), "w") as out:
        streams = [out.add_stream_from_template(item.streams[0]) for item in (picture, sound)]
        for item, stream in zip((picture, sound), streams, strict=True):
            for packet in item.demux(item.streams[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    out = tmp_path / "out.mov"
    code, lines = lpsuite("animate", portrait, film, "-o", out, "--frames", "6-9", "--codec", "prores422hq")
    assert (code, lines[-1]["frames"], lines[-1]["audio"]) == (0, 4, "driving")
    with av.open(str(out)) as made:
        assert abs(made.streams.audio[0].duration * made.streams.audio[0].time_base - 4 / NTSC.fps) < 0.03


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--handles", "8"), 2, "add --frames"),
        (("--frames", "5-1"), 2, "backwards"),
        (("--frames", "1001-1100"), 11, "lacks 94 of the frames 1001 to 1100: 1007-1100"),
        (("--view", "left"), 2, "no view 'left'"),
        (("--layer", "diffuse"), 2, "no image in a layer 'diffuse'"),
        (("--exr-compression", "best"), 2, "exr_compression"),
    ],
)
def test_refusals(plate, tmp_path, capsys, arguments, code, words):
    from lp_core.cli.main import run

    made = run(["animate", str(plate), "demo:still", "-o", str(tmp_path / "o.%04d.exr"), *arguments])
    assert made == code
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_handles_beyond_the_shot_are_held_on_request(lpsuite, plate, tmp_path):
    arguments = ("--frames", "1001-1006", "--handles", "2", "--missing", "hold", "--engine", "mesh")
    code, lines = lpsuite("animate", plate, "demo:still", "-o", tmp_path / "out.####.exr", *arguments)
    assert code == 0
    assert any("999-1000, 1007-1008" in note for note in lines[-1]["notes"])
    assert sorted(entry.name for entry in tmp_path.iterdir())[0] == "out.0999.exr"
    assert lines[-1]["frames"] == 10


def test_timecode_of_a_film_goes_into_exr(lpsuite, plate, tmp_path):
    film = tmp_path / "plate.mov"
    arguments = ("--engine", "mesh", "--codec", "dnxhr-hqx", "--frames", "1001-1004")
    code, lines = lpsuite("animate", plate, "demo:still", "-o", film, *arguments)
    assert code == 10, lines  # 248 x 252 is too small for DNxHR
    assert (
        lpsuite("animate", plate, "demo:still", "-o", film, *arguments[:2], "--codec", "prores4444")[0] == 0
    )
    out = tmp_path / "out.%04d.exr"
    assert lpsuite("animate", film, "demo:still", "-o", out, "--engine", "mesh", "--frames", "2-3")[0] == 0
    header = oiio.ImageInput.open(str(tmp_path / "out.0002.exr")).spec()
    assert header.getattribute("smpte:TimeCode")[0] == 0x10000042
    assert header.getattribute("FramesPerSecond") == (30000, 1001)
    assert sorted(entry.name for entry in tmp_path.glob("*.exr")) == ["out.0002.exr", "out.0003.exr"]
