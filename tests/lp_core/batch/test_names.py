"""A batch of odd names: offline clips, sequences on twos or below zero, folders that look like patterns, long names."""

import shutil

import opentimelineio as otio
import pytest
from fakes.cuts import RT, TR, clip_of, places, read, timeline_of, write

from lp_core.batch.assemble_shot import assemble_shot
from lp_core.batch.media_links import bracketed, path_of
from lp_core.batch.otio.relink import conform_timeline
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.cli.main import run
from lp_core.errors import MediaMissing, UnreadableMedia
from lp_core.media.image.stills import read_image
from lp_core.settings import InputSettings, RenderSettings
from lp_core.timing import FrameRange

Sequence = otio.schema.ImageSequenceReference
Policy = Sequence.MissingFramePolicy
NOD = "demo:nod"


def sequence(folder, frames=12, prefix="t.", **values):
    values = {"start_frame": 1, "frame_step": 2, "rate": 24, "frame_zero_padding": 4, **values}
    return Sequence(str(folder), prefix, ".png", available_range=TR(RT(0, 24), RT(frames, 24)), **values)


def copies(stage, folder, numbers, prefix="t."):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        sign = "-" if number < 0 else ""
        shutil.copy(stage / "portrait.png", folder / f"{prefix}{sign}{abs(number):04d}.png")
    return folder


def plan_of(tmp_path, *clips, **request):
    path = write(timeline_of("t", [clips]), tmp_path / "t.otio")
    return make_plan(PlanRequest(path, tmp_path / "out", **request))[0]


def source_of(shot, plan):
    job = shot.render_job(plan.folder)
    return job.source, job.settings.input.frames, job.settings.input.missing


def test_on_twos_has_all_its_frames(stage, tmp_path):
    copies(stage, tmp_path / "tw #%d", range(1, 12, 2))
    whole = clip_of("whole", sequence("tw #%d"), 24, 0, 12, NOD)
    part = clip_of("part", sequence("tw #%d"), 24, 3, 6, NOD)
    plan = plan_of(tmp_path, whole, part)
    name = f"{tmp_path / 'tw #%d' / 't.%04d.png'} 1-11x2"
    assert [source_of(shot, plan) for shot in plan.shots] == [(name, "1-12", "error"), (name, "4-9", "error")]
    assert [(shot.frames, shot.fps, shot.clock_start, shot.notes) for shot in plan.shots] == [
        (12, "24", 0, ()),
        (6, "24", 3, ()),
    ]
    render = assemble_shot(plan, plan.shots[1], resumes=False)
    assert (render.source.info.first_frame, render.source.info.frame_count) == (4, 6)


@pytest.mark.parametrize(
    ("policy", "wanted", "missing"),
    [
        (Policy.error, "error", "error"),
        (Policy.hold, "error", "hold"),
        (Policy.black, "error", "black"),
        (Policy.error, "hold", "hold"),
        (Policy.hold, "black", "black"),
    ],
)
def test_the_policy_counts_unless_the_user_chose_otherwise(stage, tmp_path, policy, wanted, missing):
    copies(stage, tmp_path / "tw", (1, 3, 7, 9))  # 5 is missing, and the last one
    clip = clip_of("a", sequence("tw", missing_frame_policy=policy), 24, 0, 12, NOD)
    plan = plan_of(tmp_path, clip, settings=RenderSettings(input=InputSettings(missing=wanted)))
    (shot,) = plan.shots
    assert (shot.frames, source_of(shot, plan)[2]) == (12, missing)
    if missing == "error":
        with pytest.raises(UnreadableMedia, match="5, 11;"):
            assemble_shot(plan, shot, resumes=False)
    else:
        assert assemble_shot(plan, shot, resumes=False).source.info.frame_count == 12


def test_a_performance_on_twos_has_a_policy_too(stage, tmp_path):
    copies(stage, tmp_path / "tw", (1, 3, 7))
    copies(stage, tmp_path / "plate", range(1, 9))
    driver = clip_of("perf", sequence("tw", 8, missing_frame_policy=Policy.hold), 24, 0, 8)
    still = clip_of(
        "still", otio.schema.ExternalReference(str(stage / "portrait.png")), 24, 0, 8, "clip:perf"
    )
    clips = [
        clip_of(
            policy.name,
            sequence("plate", 8, frame_step=1, missing_frame_policy=policy),
            24,
            0,
            8,
            "clip:perf",
        )
        for policy in (Policy.black, Policy.error)
    ]
    plan = plan_of(tmp_path, driver, still, *clips)
    assert [shot.driver_frames for shot in plan.shots] == [(1, 8)] * 3
    assert [shot.driver_missing for shot in plan.shots] == ["", "hold", "hold"]
    for shot in plan.shots:
        assert assemble_shot(plan, shot, resumes=False).driving.info.frame_count == 8
    (tmp_path / "plate" / "t.0004.png").unlink()
    assemble_shot(plan, plan.shots[1], resumes=False)
    with pytest.raises(UnreadableMedia, match=r"plate.*: 4;"):  # the performance's policy is not the plate's
        assemble_shot(plan, plan.shots[2], resumes=False)


def test_numbers_below_zero_and_odd_prefixes(stage, tmp_path):
    copies(stage, tmp_path / "50%done", (-2, -1, 0, 1), "50%d_##.")
    reference = sequence("50%25done/", 4, "50%d_##.", start_frame=-2, frame_step=1)
    plan = plan_of(tmp_path, clip_of("neg", reference, 24, 1, 3, NOD))
    assert source_of(plan.shots[0], plan)[1] == "-1-1"
    assert assemble_shot(plan, plan.shots[0], resumes=False).source.info.first_frame == -1


def test_offline_clips_end_nothing_and_the_rest_is_rendered(stage, tmp_path, capsys):
    copies(stage, tmp_path / "Final%20dailies", (1, 3))
    external = otio.schema.ExternalReference
    clips = [
        clip_of("gone", external("file:///nowhere/Final%20dailies/gone.mov"), 24, 0, 5),
        clip_of("marked", external("file:///nowhere/Final%20dailies/gone.mov"), 24, 0, 5, NOD),
        clip_of("sequence", sequence("file:///nowhere/50%done%20%04d/"), 24, 0, 5, NOD),
        clip_of("long", external("file:///x/" + "y" * 300 + ".mov"), 24, 0, 5, NOD),
        clip_of("drive", external("file:///C:/Final%20dailies/gone.mov"), 24, 0, 5, NOD),
        clip_of("unc", external("file://server/Final%20dailies/a.[9-1].exr"), 24, 0, 5, NOD),
        clip_of(
            "\u6f22" * 100, sequence(f"file://{tmp_path}/Final%20dailies/", 4, start_frame=1), 24, 0, 4, NOD
        ),
    ]
    path = write(timeline_of("t", [clips]), tmp_path / "t.otio")
    assert run(["batch", str(path), "-o", str(tmp_path / "out")]) == MediaMissing.exit_code
    words = capsys.readouterr()
    assert "1 shots rendered" in words.out + words.err
    assert (words.out + words.err).count("is not there") == 5
    made = places(read(tmp_path / "out" / "timeline.otio"))
    assert made[0].media_reference.target_url == "file:///nowhere/Final%20dailies/gone.mov"
    reference = made[-1].media_reference
    assert (reference.start_frame, reference.frame_step, reference.rate) == (1, 1, 24)
    assert reference.available_range == TR(RT(0, 24), RT(4, 24))
    assert reference.number_of_images_in_sequence() == 4
    files = [path_of(reference.target_url_for_image_number(image), tmp_path) for image in range(4)]
    assert (
        len({read_image(file)[0].pixels.tobytes() for file in files}) > 1
    )  # the performance moves in held images


@pytest.mark.parametrize(
    ("model", "written"),
    [
        ("plates/a.[-0002-0001].png", "media/{0}/{0}.[-0002-0001].png"),
        ("50%done/a.[-0002-0001].png", "media/{0}/{0}.[-0002-0001].png"),
    ],
)
def test_brackets_are_written_as_they_are_read(stage, tmp_path, model, written):
    copies(stage, (tmp_path / model).parent, (-2, -1, 0, 1), "a.")
    reference = otio.schema.ExternalReference(model, TR(RT(0, 24), RT(4, 24)))
    plan, timeline = make_plan(
        PlanRequest(
            write(timeline_of("t", [[clip_of("a", reference, 24, 0, 4, NOD)]]), tmp_path / "t.otio"),
            tmp_path / "out",
        )
    )
    (shot,) = plan.shots
    copies(stage, (plan.folder / shot.output).parent, (-2, -1, 0, 1), f"a_{shot.id}.")
    (made,) = places(conform_timeline(timeline, plan, plan.shots))
    address = made.media_reference.target_url
    assert address == written.format(f"a_{shot.id}")
    link = bracketed(path_of(address, plan.folder))
    assert link.exists and link.frames == FrameRange(-2, 1)
