"""Templates of the published pipeline: read safely, written back without loss."""

import pickle
import pickletools
import struct
import warnings

import numpy as np
import pytest

from lp_core.errors import BadMotionFile, MotionMismatch
from lp_core.motion.files import pickles
from lp_core.motion.files.lpmotion import read_motion, write_motion
from lp_core.motion.files.template_pkl import from_sequence, pkl_bytes, read_pkl, to_sequence


def frame(rng, rotation="R", **more):
    return {
        "scale": rng.normal(1.4, 0.1, (1, 1)).astype(np.float32),
        rotation: np.eye(3, dtype=np.float32)[None],
        "exp": rng.normal(0, 0.02, (1, 21, 3)).astype(np.float32),
        "t": np.array([[0.1, -0.2, 0.0]], np.float32),
    } | more


def ratios(rng, count, width):
    return [rng.random((1, width)).astype(np.float32) for _ in range(count)]


def content(rng, generation="current", count=3):
    legacy = generation == "legacy"
    more = {}
    if generation == "current":
        more = {"kp": np.ones((1, 21, 3), np.float32), "x_s": np.full((1, 21, 3), 2, np.float32)}
    made = {"n_frames": count, "output_fps": 30}
    made["motion"] = [frame(rng, "R_d" if legacy else "R", **more) for _ in range(count)]
    if generation != "animal":
        prefix = "c_d" if legacy else "c"
        made[f"{prefix}_eyes_lst"] = ratios(rng, count, 2)
        made[f"{prefix}_lip_lst"] = ratios(rng, count, 1)
    return made


@pytest.fixture
def write(tmp_path):
    def put(data, protocol=4):
        path = tmp_path / "motion é.pkl"
        path.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data, protocol))
        return path

    return put


def equal(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


@pytest.mark.parametrize("generation", ["legacy", "animal", "current"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_generation_and_protocol_reads_alike(rng, write, generation, protocol):
    made = content(rng, generation)
    template = read_pkl(write(made, protocol))
    assert (template.generation, template.fps, len(template)) == (generation, 30, 3)
    assert np.array_equal(template.expression[1], made["motion"][1]["exp"][0])
    assert (template.eyes is None) == (generation == "animal")
    assert (template.keypoints is not None) == (generation == "current")


@pytest.mark.parametrize("generation", ["legacy", "animal", "current"])
def test_a_template_written_back_is_the_same_and_the_official_reader_can_load_it(rng, write, generation):
    template = read_pkl(write(content(rng, generation)))
    data = pkl_bytes(template)
    assert equal(read_pkl(write(data)), template)
    assert b"numpy.core.multiarray" in data
    assert b"numpy._core" not in data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy 2 keeps the old module's name alive
        plain = pickle.loads(data)  # noqa: S301 - our own bytes
    assert set(plain) == set(content(rng, generation))
    assert set(plain["motion"][0]) == set(content(rng, generation)["motion"][0])
    assert plain["motion"][0]["exp"].shape == (1, 21, 3)


@pytest.mark.parametrize("generation", ["legacy", "animal", "current"])
@pytest.mark.parametrize("fps", [30, None])
@pytest.mark.parametrize("lacks", [(), ("eyes",), ("lip",), ("eyes", "lip"), ("kp", "x_s")])
@pytest.mark.parametrize("tz", [0.0, 0.7])
def test_a_motion_file_and_back_loses_nothing(rng, write, tmp_path, generation, fps, lacks, tz):
    made = content(rng, generation)
    if fps is None:
        del made["output_fps"]
    made = {key: value for key, value in made.items() if not key.endswith(tuple(f"{k}_lst" for k in lacks))}
    for item in made["motion"]:
        item["t"][0, 2] = tz
        for key in lacks:
            item.pop(key, None)
    template = read_pkl(write(made))
    sequence = to_sequence(template, "x")
    assert sequence.rate.fps == (fps or 25)
    write_motion(tmp_path / "m.lpmotion", sequence)
    again = from_sequence(read_motion(tmp_path / "m.lpmotion"))
    assert equal(again, template)
    assert pkl_bytes(again) == pkl_bytes(template)


def test_the_real_templates_come_back_without_loss(media, write, tmp_path):
    paths = sorted((media / "templates").glob("*.pkl"))
    assert paths
    for path in paths:
        template = read_pkl(path)
        write_motion(tmp_path / f"{path.stem}.lpmotion", to_sequence(template, path.name))
        again = from_sequence(read_motion(tmp_path / f"{path.stem}.lpmotion"))
        assert equal(again, template), path.name
        assert equal(read_pkl(write(pkl_bytes(again))), template), path.name
        assert np.allclose(template.rotation @ template.rotation.transpose(0, 2, 1), np.eye(3), atol=1e-5)
        assert len(pkl_bytes(again)) == path.stat().st_size


def test_motion_of_another_rig_is_refused(rng, write):
    sequence = to_sequence(read_pkl(write(content(rng, "animal"))))
    object.__setattr__(sequence, "rig", "mesh478")
    with pytest.raises(MotionMismatch, match="mesh478"):
        from_sequence(sequence)


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(marker):
    import builtins
    import os
    import subprocess

    yield Calls(os.mkdir, marker)
    yield Calls(subprocess.call, ["mkdir", marker])
    yield Calls(builtins.eval, f"__import__('os').mkdir({marker!r})")
    yield Calls(builtins.getattr, "text", "upper")
    yield Calls(np.load, marker, None, True)


def test_a_hostile_pickle_is_refused_and_does_not_run(tmp_path, write, rng):
    marker = tmp_path / "ran"
    for call in hostile(str(marker)):
        for place in (call, {"motion": [call]}, {"n_frames": 1, "motion": [frame(rng, exp=call)]}):
            with pytest.raises(BadMotionFile, match="nothing of it was run"):
                read_pkl(write(place))
            assert not marker.exists()


def short(text):
    return b"\x8c" + bytes([len(text)]) + text


def named(module, name):
    return short(module) + short(name) + b"\x93"


ATTACKS = {
    "object array": pickle.dumps(np.array([{}], dtype=object)),
    "attribute of a function": b"\x80\x04" + named(b"_codecs", b"encode") + b"N}" + short(b"x") + b"Ns\x86b.",
    "persistent id": b"\x80\x04Pabc\n.",
    "extension code": b"\x80\x02\x82\x01.",
    "endless memo": b"\x80\x04Nr\xff\xff\xff\x7f.",
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b".",
    "huge bytes": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b".",
    "no array without data": b"\x80\x04" + named(b"numpy.core.multiarray", b"_reconstruct") + b")R.",
    "huge array": b"\x80\x04" + named(b"numpy", b"ndarray") + b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft\x85R.",
    "list in itself": b"\x80\x04]\x94h\x00a.",
    "empty": b"",
    "text": b"hello",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(write, name):
    with pytest.raises(BadMotionFile):
        read_pkl(write(ATTACKS[name]))


def test_attacks_leave_the_reader_as_it_was(rng, write):
    for data in ATTACKS.values():
        with pytest.raises(BadMotionFile):
            read_pkl(write(data))
    assert len(read_pkl(write(content(rng)))) == 3


def test_references_do_not_unfold_without_end(write):
    level = []
    for _ in range(4):
        level = [level] * 500
    with pytest.raises(BadMotionFile, match="containers within containers"):
        read_pkl(write({"motion": level}))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(rng, write, share):
    data = pickle.dumps(content(rng), 4)
    with pytest.raises(BadMotionFile):
        read_pkl(write(data[: int(share * len(data))]))


def test_only_admitted_names_are_in_what_we_write(rng, write):
    data = pkl_bytes(read_pkl(write(content(rng))))
    texts = {arg for code, arg, _ in pickletools.genops(data) if code.name == "SHORT_BINUNICODE"}
    assert {text for text in texts if text.startswith("numpy")} == {"numpy", "numpy.core.multiarray"}


def changed(key, value):
    return lambda made: made | {key: value}


def with_frame(index, value):
    def change(made):
        frames = list(made["motion"])
        frames[index] = value(frames[index])
        return made | {"motion": frames}

    return change


BROKEN = {
    "no motion": lambda made: {k: v for k, v in made.items() if k != "motion"},
    "empty motion": changed("motion", []),
    "frame is not a dict": with_frame(1, lambda frame: 3),
    "frame lacks a key": with_frame(2, lambda frame: {k: v for k, v in frame.items() if k != "exp"}),
    "wrong size": with_frame(0, lambda frame: frame | {"t": np.zeros((1, 4), np.float32)}),
    "whole numbers": with_frame(0, lambda frame: frame | {"t": np.zeros((1, 3), np.int32)}),
    "not finite": with_frame(0, lambda frame: frame | {"t": np.full((1, 3), np.nan, np.float32)}),
    "rate": changed("output_fps", 0),
    "rate is text": changed("output_fps", "30"),
    "count": changed("n_frames", 7),
    "ratios": changed("c_eyes_lst", []),
    "a list": lambda made: [made],
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_no_template_is_named(rng, write, how):
    with pytest.raises(BadMotionFile, match=r"motion é\.pkl"):
        read_pkl(write(BROKEN[how](content(rng))))


def test_unknown_entries_are_left_out_and_said(rng, write, caplog):
    made = content(rng) | {"author": "someone"}
    assert len(read_pkl(write(made))) == 3
    assert "author" in caplog.text


def test_a_missing_or_too_large_file_is_named(tmp_path, write, monkeypatch):
    with pytest.raises(BadMotionFile, match=r"absent\.pkl"):
        read_pkl(tmp_path / "absent.pkl")
    monkeypatch.setattr(pickles, "SIZE_LIMIT", 3)
    with pytest.raises(BadMotionFile, match="larger"):
        read_pkl(write(b"12345"))


def test_a_pickle_cut_within_its_frame_is_damaged(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x04\x95$\x00\x00\x00\x00\x00")  # found by benchmarks/fuzz.py
    with pytest.raises(BadMotionFile):
        pickles.read_pickle(path)
