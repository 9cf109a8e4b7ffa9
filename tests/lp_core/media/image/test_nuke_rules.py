"""Results that Nuke can open, whatever the layout of the source: every pass, by the rules of Nuke's own reader."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import write_exr

from lp_core.frame import LAYER_CHANNELS
from lp_core.job import RenderJob
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source
from lp_core.media.render_outputs import output_opener, pass_outputs
from lp_core.settings import OutputSettings, RenderSettings

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

PASSES = "beauty,matte,stmap,motion,regions,crop,confidence"
BESIDE = {"matte.alpha", "forward.u", "forward.v"} | {
    f"{layer}.{channel}" for layer in ("stmap", "regions") for channel in ("red", "green", "blue")
}
PICTURE = {"red", "green", "blue", "alpha"}


def plain(path):
    write_exr(path, np.full((16, 24, 4), 0.5, np.float16))


def overscan(path):
    write_exr(path, np.full((23, 32, 4), 0.5, np.float16), (-3, -2, 29, 21))


def cropped(path):
    write_exr(path, np.full((8, 16, 4), 0.5, np.float16), (4, 3, 20, 11))


def moved(path):
    write_exr(path, np.full((16, 24, 4), 0.5, np.float16), (-8, 4, 16, 20), (-8, 4, 16, 20))


def full_float(path):
    write_exr(path, np.full((16, 24, 4), 0.5, np.float32), PixelAspectRatio=2.0)


def from_nuke(path):
    words = {"nuke/node_hash": "1f2e", "nuke/full_layer_names": ("int", 1), "nuke/version": "15.1v3"}
    write_exr(path, np.full((16, 24, 4), 0.5, np.float16), **words)


def of_parts(names, views=(), sizes=((24, 16), (24, 16))):
    """A file of two parts."""

    def write(path):
        specs = []
        for number, (name, (width, height)) in enumerate(zip(names, sizes, strict=True)):
            spec = oiio.ImageSpec(width, height, 4, "half")
            spec.full_width, spec.full_height = 24, 16
            spec.attribute("oiio:subimagename", name)
            if views:
                spec.attribute("view", views[number])
            specs.append(spec)
        file = oiio.ImageOutput.create(str(path))
        assert file.open(str(path), specs)
        for number, spec in enumerate(specs):
            assert not number or file.open(str(path), spec, "AppendSubimage")
            assert file.write_image(np.full((spec.height, spec.width, 4), 0.25 * (number + 1), np.float16))
        assert file.close()

    return write


def of_views(path):
    names = ["R", "G", "B", "A", "right.R", "right.G", "right.B", "right.A"]
    views = (oiio.TypeDesc("string[2]"), ("left", "right"))
    write_exr(path, np.full((16, 24, 8), 0.5, np.float16), names=names, multiView=views)


LAYOUTS = {
    "plain": (plain, {}),
    "overscan": (overscan, {}),
    "cropped": (cropped, {}),
    "moved": (moved, {}),
    "float and anamorphic": (full_float, {}),
    "written by Nuke": (from_nuke, {}),
    "parts": (of_parts(("rgba", "diffuse")), {}),
    "parts of different sizes": (of_parts(("rgba", "crop"), sizes=((24, 16), (12, 12))), {}),
    "a part a view": (of_parts(("left", "right"), ("left", "right")), {"view": "right"}),
    "views": (of_views, {"view": "right"}),
}


@pytest.mark.parametrize("output", ["out.%04d.exr", "out.mkv"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nuke_opens_every_pass_of_every_layout(tmp_path, spec, nuke_rules, layout, output):
    if nuke_rules is None:
        pytest.skip("the rules of Nuke's reader are not here")
    write, options = LAYOUTS[layout]
    write(tmp_path / "in.1001.exr")
    settings = RenderSettings(output=OutputSettings(passes=PASSES, codec="ffv1"))
    job = RenderJob("in", "demo:nod", str(tmp_path / "made" / output), settings)
    with open_source(tmp_path / "in.%04d.exr", options=ReadOptions(**options)) as source:
        info, (frame,) = source.info, list(source)
    height, width = frame.pixels.shape[:2]
    sizes = {
        "matte": (height, width, 1),
        "stmap": (height, width, 3),
        "forward": (height, width, 2),
        "regions": (height, width, 3),
        "crop": (12, 12, 3),
    }
    layers = {name: np.full(size, 0.5, np.float32) for name, size in sizes.items()}
    told = spec(
        width, height, rate=info.rate, bit_depth=info.bit_depth, has_alpha=True, alpha=info.alpha, codec="ffv1",
        sample_type=info.sample_type, windows=info.windows, pixel_aspect=info.pixel_aspect, attributes=info.metadata,
        start_number=1001,
    )  # fmt: skip
    with output_opener(job, [])(Path(job.output), told) as sink:
        sink.write(replace(frame, layers=layers, metadata={"lpsuite/confidence": 0.5}))
        sink.commit()
    found = {path.name: nuke_rules.judge(str(path)) for path in (tmp_path / "made").glob("*.exr")}
    assert not [line for wrong, _ in found.values() for line in wrong]
    names = {name: {line.partition(" -> ")[2] for line in told} for name, (_, told) in found.items()}
    if output.endswith(".exr"):
        assert names == {"out.1001.exr": PICTURE | BESIDE, "out.crop.1001.exr": PICTURE - {"alpha"}}
    else:
        assert set(names) == {f"out.{layer}.1001.exr" for layer in sizes}
        assert names["out.stmap.1001.exr"] == {"red", "green", "blue"}
    if shutil.which("oiiotool"):
        files = sorted(map(str, (tmp_path / "made").glob("*.exr")))
        done = subprocess.run(["oiiotool", "--info", *files], capture_output=True, text=True, check=True)
        assert len(done.stdout.splitlines()) == len(files)
    header = oiio.ImageInput.open(str(next((tmp_path / "made").glob("*.exr")))).spec()
    assert header.getattribute("compression") == "zips"
    assert header.getattribute("nuke/node_hash") is None


def test_every_layer_has_a_name_that_stays_its_own_in_nuke(nuke_rules):
    if nuke_rules is None:
        pytest.skip("the rules of Nuke's reader are not here")
    for layer, channels in LAYER_CHANNELS.items():
        read = [nuke_rules.nuke_name(f"{layer}.{channel}") for channel in channels]
        assert len({*read}) == len(channels)
        assert all(name.startswith(layer + ".") for name in read)


def test_files_beside_an_exr_are_named_to_whoever_asks():
    settings = OutputSettings(passes="beauty,crop,stmap")
    assert [Path(name).name for name in pass_outputs("a/out.%04d.exr", settings)] == ["out.crop.%04d.exr"]
