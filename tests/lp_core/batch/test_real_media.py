"""A cut of real clips: a still, filmed sources at 29.97 and 25, a speed change, a gap and a transition."""

import shutil
import subprocess
from itertools import islice
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from fakes.cuts import RT, TR, clip_of, file_at, gap_of, read, timeline_of, write
from fakes.films import write_film

from lp_core.batch.otio.timeline import SOURCE_KEY
from lp_core.cli.main import run
from lp_core.media.open import open_source

NTSC = 30000 / 1001
PATCH, STEP = 32, 25
HANDLES = 4


def stamped(source, output, rate, count):
    """A video of the first frames of another one, each with its number as two gray patches in the corner."""
    with open_source(source) as clip:
        pictures = []
        for frame in islice(clip, count):
            picture = frame.pixels[
                ::2, ::2
            ].copy()  # half the size: the test needs the numbers, not the detail
            for place, digit in enumerate(divmod(frame.index, 10)):
                picture[:PATCH, place * PATCH : (place + 1) * PATCH] = STEP * digit
            pictures.append(np.ascontiguousarray(picture))
    plain = write_film(output.with_name("plain" + output.suffix), pictures, rate=rate)
    return plain.rename(output)  # a writer would take the # for a frame number


def numbers(path):
    """The numbers that the images of a video bear."""
    with open_source(path) as clip:
        return [10 * digit_of(frame.pixels, 0) + digit_of(frame.pixels, 1) for frame in clip]


def digit_of(pixels, place):
    inner = pixels[8 : PATCH - 8, place * PATCH + 8 : (place + 1) * PATCH - 8]
    return round(float(inner.mean()) / STEP)


def heard(path, rate=8000):
    """The sound of a video as float samples."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)


@pytest.fixture(scope="module")
def batch(media, tmp_path_factory):
    """(timeline before, timeline after, folder) of a batch with handles."""
    folder = tmp_path_factory.mktemp("real")
    ntsc = stamped(media / "source_video/s18.mp4", folder / "take 1 #a.mov", "30000/1001", 100)
    film = stamped(media / "source_video/s32.mp4", folder / "take2.mov", "25", 100)
    speech = media / "driving/d20.mp4"
    still = clip_of("still", file_at(media / "portraits/s9.jpg", 25, 1), 25, 10, 40, "clip:speech")
    filmed = clip_of("filmed", file_at(ntsc, NTSC, 100), NTSC, 20, 45, media / "driving/d0.mp4", audio="none")
    fast = clip_of("fast", file_at(film, 25, 100), 25, 30, 20, "demo:nod", audio="none")
    fast.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    dissolve = otio.schema.Transition("dissolve", "SMPTE_Dissolve", RT(3, 25), RT(5, NTSC))
    sound = clip_of("speech", file_at(speech, 25, 175), 25, 25, 40)
    timeline = timeline_of("real", [[still, gap_of(25, 12), filmed, dissolve, fast]], [[sound]])
    timeline.global_start_time = RT(90000, 25)
    path = write(timeline, folder / "real.otio")
    output = folder / "out"
    assert run(["batch", str(path), "-o", str(output), "--handles", str(HANDLES), "--progress", "none"]) == 0
    return read(path), read(output / "timeline.otio"), output


@pytest.mark.slow
def test_every_frame_is_the_frame_that_the_cut_shows(batch):
    _, after, _ = batch
    still, _, filmed, _, fast = after.tracks[0]
    found = numbers(filmed.media_reference.target_url)
    assert found == list(
        range(20 - HANDLES, 65 + 5 + HANDLES)
    )  # the dissolve reaches 5 frames beyond the cut
    assert filmed.media_reference.available_range == TR(RT(20 - HANDLES, NTSC), RT(len(found), NTSC))
    found = numbers(fast.media_reference.target_url)
    assert found == list(range(30 - 6 - HANDLES, 70 + HANDLES))  # 3 frames before the cut at double speed
    assert fast.media_reference.available_range == TR(RT(20, 25), RT(len(found), 25))
    assert still.media_reference.available_range == TR(RT(10 - HANDLES, 25), RT(40 + 2 * HANDLES, 25))
    with open_source(still.media_reference.target_url) as clip:
        assert sum(1 for _ in clip) == 40 + 2 * HANDLES
    for clip in (still, filmed, fast):
        reference = clip.media_reference.available_range
        assert reference.contains(clip.source_range.start_time)


@pytest.mark.slow
def test_rates_are_exact_and_the_cut_is_as_it_was(batch):
    before, after, _ = batch
    after = after.deepcopy()
    filmed = after.tracks[0][2]
    with open_source(filmed.media_reference.target_url) as clip:
        assert str(clip.info.rate) == "30000/1001"
    for clip in after.find_clips():
        references = clip.media_references()
        if SOURCE_KEY in references:
            key = clip.active_media_reference_key
            clip.set_media_references({key: references[SOURCE_KEY].deepcopy()}, key)
    assert after.is_equivalent_to(before)


@pytest.mark.slow
def test_the_sound_is_in_place(batch):
    before, after, _ = batch
    assert after.tracks[1].is_equivalent_to(before.tracks[1])
    ours = heard(after.tracks[0][0].media_reference.target_url)
    theirs = heard(before.tracks[1][0].media_reference.target_url)
    begin = round((25 - HANDLES) / 25 * 8000)
    window = theirs[begin : begin + 8000]
    lags = range(-400, 401)
    ours = ours[400 : 400 + len(window) - 800]
    match = [float(np.dot(window[400 + lag : 400 + lag + len(ours)], ours)) for lag in lags]
    assert abs(lags[int(np.argmax(match))]) <= 8000 // 50  # half a frame


@pytest.mark.slow
def test_melt_reads_the_results_and_counts_the_same_frames(batch):
    if shutil.which("melt") is None:
        pytest.skip("melt is not installed")
    _, after, _ = batch
    for clip in after.tracks[0].find_clips():
        path = Path(clip.media_reference.target_url)
        with open_source(path) as source:
            rate, count = source.info.rate.fps, sum(1 for _ in source)
        profile = [f"frame_rate_num={rate.numerator}", f"frame_rate_den={rate.denominator}"]
        command = ["melt", str(path), "-consumer", "xml", *profile]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert f'<property name="length">{count}</property>' in done.stdout, done.stdout


@pytest.mark.slow
def test_melt_plays_the_whole_cut(batch, tmp_path):
    pytest.importorskip("otio_mlt_adapter")
    if shutil.which("melt") is None:
        pytest.skip("melt is not installed")
    _, after, _ = batch
    after = after.deepcopy()
    track = after.tracks[0]
    for index in reversed(range(len(track))):  # the adapter knows one rate and no transitions
        if isinstance(track[index], otio.schema.Transition) or track[index].name == "filmed":
            del track[index]
    otio.adapters.write_to_file(after, str(tmp_path / "cut.mlt"))
    profile = ["frame_rate_num=25", "frame_rate_den=1", "width=640", "height=360", "progressive=1"]
    command = ["melt", str(tmp_path / "cut.mlt"), "-consumer", f"avformat:{tmp_path}/cut.mp4", *profile]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with open_source(tmp_path / "cut.mp4") as source:
        assert sum(1 for _ in source) == 40 + 12 + 20
