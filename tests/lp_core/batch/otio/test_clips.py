"""What image sequence references mean, compared with OpenTimelineIO's own answers."""

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from fakes.cuts import RT, TR, clip_of, timeline_of

from lp_core.batch.otio.clips import facts_of, sequence_link
from lp_core.batch.otio.timeline import places_of
from lp_core.errors import UnreadableMedia
from lp_core.media.frame_pattern import SequencePattern, numbering_of
from lp_core.timing import FrameRange

Sequence = otio.schema.ImageSequenceReference
Policy = Sequence.MissingFramePolicy


def sequence(folder, frames=12, rate=24, prefix="t.", **values):
    values = {"start_frame": 1, "frame_step": 1, "rate": rate, "frame_zero_padding": 4, **values}
    shown = None if frames is None else TR(RT(0, rate or 24), RT(frames, rate or 24))
    return Sequence(str(folder), prefix, ".png", available_range=shown, **values)


@pytest.mark.parametrize("prefix", ["t.", "50%d_##.", "take #2 ", "-"])
@pytest.mark.parametrize(
    ("start", "step", "frames", "padding"),
    [
        (1, 1, 12, 4),
        (1, 2, 12, 4),
        (1, 2, 13, 4),
        (1, 5, 12, 4),
        (-5, 3, 12, 4),
        (-2, 1, 4, 0),
        (1001, 4, 8, 2),
    ],
)
def test_files_and_times_are_those_of_opentimelineio(tmp_path, prefix, start, step, frames, padding):
    folder = tmp_path / "50%done seq"
    folder.mkdir()
    reference = sequence(
        folder, frames, prefix=prefix, start_frame=start, frame_step=step, frame_zero_padding=padding
    )
    count = reference.number_of_images_in_sequence()
    paths = [Path(reference.target_url_for_image_number(image)) for image in range(count)]
    for path in paths:
        path.touch()
    link = sequence_link(reference, tmp_path)
    assert link.exists
    pattern = SequencePattern.parse(link.name)
    shown = numbering_of(pattern, None, "error", link.frames, link.step)
    begins = [at for at, image in enumerate(shown.images) if at == 0 or shown.images[at - 1] != image]
    assert [pattern.path_of(shown.images[at]) for at in begins] == paths
    times = [reference.presentation_time_for_image_number(image) for image in range(count)]
    assert [Fraction(at, 24) for at in begins] == [
        Fraction(int(time.value), int(time.rate)) for time in times
    ]
    assert len(shown.frames) == count * step


@pytest.mark.parametrize("policy", [Policy.error, Policy.hold, Policy.black])
def test_the_policy_is_the_references_own(tmp_path, policy):
    assert sequence_link(sequence(tmp_path, missing_frame_policy=policy), tmp_path).missing == policy.name


@pytest.mark.parametrize(
    "base", ["50%done%20seq", "50%25done%20seq/", "file://{here}/50%25done%20seq", "{here}/50%done seq", "."]
)
def test_the_folder_may_be_written_in_any_manner(tmp_path, base):
    folder = tmp_path if base == "." else tmp_path / "50%done seq"
    folder.mkdir(exist_ok=True)
    (folder / "t.0001.png").touch()
    link = sequence_link(sequence(base.format(here=tmp_path)), tmp_path)
    assert (Path(link.name), link.exists) == (folder / "t.%04d.png", True)


def test_without_a_range_the_files_say_how_long_it_is(tmp_path):
    for number in (1, 3, 5, 8):
        (tmp_path / f"t.{number:04d}.png").touch()
    assert sequence_link(sequence(tmp_path, None, frame_step=2), tmp_path).frames == FrameRange(1, 6)
    assert sequence_link(sequence(tmp_path, None), tmp_path).frames is None


@pytest.mark.parametrize("values", [{"rate": 0}, {"rate": -24}, {"rate": float("nan")}, {"frame_step": 0}])
def test_odd_numbers_in_a_reference_are_no_error_here(tmp_path, values):
    assert sequence_link(sequence(tmp_path, **values), tmp_path).step == 1


@pytest.mark.parametrize(
    "reference",
    [
        otio.schema.ExternalReference("file:///nowhere/Final%20dailies/gone.mov"),
        otio.schema.ExternalReference("file:///nowhere/a.[1099-1001].exr"),
        otio.schema.ExternalReference("file:///nowhere/%04d.%04d.####.exr"),
        otio.schema.ExternalReference("x" * 5000),
        Sequence("file:///nowhere/50%done", "%04d", ".png"),
        Sequence("x" * 300, "##.##", ".exr", 1, 2, 24, 4),
    ],
)
def test_an_offline_clip_is_a_fact_and_no_error(tmp_path, reference):
    (place,) = places_of(timeline_of("t", [[clip_of("gone", reference, 24, 0, 5)]]))
    link = facts_of(0, place, tmp_path).link
    assert link is not None and not link.exists


def test_an_image_that_is_not_there_is_an_error_or_held_or_black(tmp_path):
    for number in (1, 3, 7, 9, 11):
        (tmp_path / f"t.{number:04d}.png").touch()
    link = sequence_link(sequence(tmp_path, frame_step=2), tmp_path)
    pattern = SequencePattern.parse(link.name)
    with pytest.raises(UnreadableMedia, match=r"lacks 1 of the frames 1 to 12: 5;"):
        numbering_of(pattern, None, "error", link.frames, link.step)
    assert numbering_of(pattern, None, "hold", link.frames, link.step).images[4:6] == (3, 3)
