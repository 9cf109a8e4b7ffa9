"""Numbers in texts: signs that only look like digits, endless ones, and rates beyond use are one sentence at once."""

import json
import time
from fractions import Fraction

import pytest

from lp_core.batch.clip_time import exact_rate
from lp_core.batch.job_plan import read_job
from lp_core.batch.marks import read_mark
from lp_core.batch.media_links import bracketed
from lp_core.batch.plan import read_plan
from lp_core.batch.task_steps import parse_needs
from lp_core.errors import LpError, ModelDamaged, SettingError
from lp_core.faces.hand_points import read_keys
from lp_core.faces.selector import parse_selector
from lp_core.media.camera import Camera
from lp_core.motion.implicit.edit import read_curves
from lp_core.render.cast_members import cast_of
from lp_core.settings import FaceSettings, MotionSettings
from lp_core.speech.mouth_map import default_map, parse_map
from lp_core.timing import FrameRange, FrameRate, exact_number, whole_number

ODD = ["\u00b2", "\u0663", "9" * 5000, "-1", "1e3", " 1", "1_000", ""]


@pytest.mark.parametrize("text", ODD)
def test_only_plain_digits_are_a_number(text):
    assert whole_number(text) is None
    for parse in (
        parse_selector,
        lambda word: Camera(word),
        lambda word: MotionSettings(reference=word),
        lambda word: parse_needs([f"memory={word}"]),
        FrameRange.parse,
    ):
        if text in ("-1", " 1") and parse in (FrameRange.parse, parse_selector):
            continue
        with pytest.raises(SettingError):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "1e999999999",
        "1e-999999999",
        "9" * 10**6,
        "1/" + "9" * 10**6,
        "0x10",
        "nan",
        "inf",
        "1/0",
        "1//2",
        "1_0",
    ],
)
def test_no_text_takes_the_machines_time_as_a_rate(text):
    begun = time.monotonic()
    with pytest.raises(SettingError) as told:
        FrameRate.parse(text)
    with pytest.raises(ValueError, match="number|zero"):
        exact_number(text)
    assert time.monotonic() - begun < 1
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("fps", ["1e-300", "1e-9", "0.0009", "1/100000", "0", "-1", "1001", "1e300"])
def test_rates_beyond_use_are_refused(fps):
    with pytest.raises(SettingError, match="rate"):
        FrameRate.parse(fps)
    if float(Fraction(fps)) < 1:
        with pytest.raises(SettingError, match="rate"):
            exact_rate(float(Fraction(fps)))


@pytest.mark.parametrize("fps", ["0.001", "1/1000", "1", "1000", "23.976"])
def test_slow_and_fast_rates_are_kept(fps):
    assert FrameRate.parse(FrameRate.parse(fps).fps) == FrameRate.parse(fps)


DEEP = "[" * 100_000
HUGE = "1" + "0" * 400
FAR_CURVE = '{"smile": [[0, HUGE]]}'.replace("HUGE", HUGE)
FAR_POINT = (
    '{"schema": "lpsuite.points", "version": 1, "points": [[HUGE, 1], [9, 9], [1, 9], [9, 1], [5, 5]]}'
).replace("HUGE", HUGE)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (read_keys, DEEP),
        (read_keys, FAR_POINT),
        (read_curves, DEEP),
        (read_curves, FAR_CURVE),
        (read_curves, '{"smile": [[NaN, 0.1], [NaN, 0.2]]}'),
        (read_plan, DEEP),
        (read_plan, '{"schema": "lpsuite.batch", "version": 1, "shots": ["a"], "problems": []}'),
        (lambda path: cast_of(FaceSettings(cast=str(path)), "demo:nod"), DEEP),
        (lambda path: cast_of(FaceSettings(cast=str(path)), "demo:nod"), "a = " + DEEP),
        (read_job, "\udcff"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_files_with_endless_depth_or_numbers_are_one_sentence(tmp_path, parse, text, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(LpError):
        parse(path)


def test_a_plan_with_an_endless_speed_is_refused(tmp_path):
    from lp_core.batch import plan as plans

    values = {"schema": plans.SCHEMA, "version": plans.VERSION, "problems": [], "notes": [], "file_types": []}
    for shots in (["a"], [[]], [{"driver_frames": None, "clips": [], "size": [], "notes": [],
                                 "driver_start_s": "1e999999999", "driver_speed": "1"}], None, [{}]):  # fmt: skip
        (tmp_path / "plan.json").write_text(json.dumps({**values, "shots": shots}))
        with pytest.raises(SettingError):
            read_plan(tmp_path / "plan.json")


def test_marks_and_brackets_keep_to_usable_numbers():
    for value in (10**400, "1e400", "9" * 5000, float("inf")):
        with pytest.raises(SettingError):
            read_mark({"driver": "demo:nod", "driver_start": value}, "a clip")
    assert bracketed(f"/a/b.[{'9' * 5000}-{'9' * 5001}].exr").frames is None


def test_damaged_and_foreign_mouth_maps_are_one_sentence():
    import io
    import zipfile

    whole = default_map().to_bytes()
    for at in range(0, len(whole), max(len(whole) // 40, 1)):
        damaged = bytearray(whole)
        damaged[at : at + 4] = b"\xff\xff\xff\xff"
        try:
            parse_map(bytes(damaged), "a.npz")
        except ModelDamaged:
            continue
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("weights.npy", "w") as file,
    ):
        for _ in range(80):
            file.write(bytes(1 << 20))
    with pytest.raises(ModelDamaged, match="larger"):
        parse_map(bomb.getvalue(), "a.npz")
