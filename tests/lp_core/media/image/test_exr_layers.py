"""Which channels of a file are its image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.exr import write_exr

from lp_core.errors import MediaError, SettingError, UnreadableMedia
from lp_core.media.base import ReadOptions
from lp_core.media.image.exr_layers import ExrPart, choose_channels
from lp_core.media.open import open_source

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


class TestLayers:
    @pytest.fixture
    def path(self, tmp_path):
        """Two parts, two layers, two views."""
        names = [
            "R",
            "G",
            "B",
            "A",
            "diffuse.R",
            "diffuse.G",
            "diffuse.B",
            "right.R",
            "right.G",
            "right.B",
            "Z",
        ]
        first = oiio.ImageSpec(8, 4, len(names), "half")
        first.channelnames = tuple(names)
        first.attribute("multiView", oiio.TypeDesc("string[2]"), ("left", "right"))
        first.attribute("oiio:subimagename", "rgba")
        second = oiio.ImageSpec(8, 4, 3, "half")
        second.attribute("oiio:subimagename", "hero")
        file = oiio.ImageOutput.create("x.exr")
        path = str(tmp_path / "x.exr")
        assert file.open(path, [first, second])
        values = np.arange(len(names), dtype=np.float32)
        assert file.write_image(np.broadcast_to(values, (4, 8, len(names))).copy())
        assert file.open(path, second, "AppendSubimage")
        assert file.write_image(np.full((4, 8, 3), 77, np.float32))
        assert file.close()
        return path

    @pytest.mark.parametrize(
        ("layer", "view", "expected"),
        [
            (None, None, (0, 1, 2, 3)),
            (None, "left", (0, 1, 2, 3)),
            ("diffuse", None, (4, 5, 6)),
            (None, "right", (7, 8, 9)),
            ("hero", None, (77, 77, 77)),
        ],
    )
    def test_the_choice(self, path, layer, view, expected):
        with open_source(path, options=ReadOptions(layer=layer, view=view)) as source:
            (frame,) = source
        assert source.info.is_still
        assert frame.pixels[0, 0].tolist() == list(expected)

    def test_what_is_not_there_is_named(self, path):
        with pytest.raises(SettingError, match=r"no image in a layer 'spec'; its layers are .*diffuse, hero"):
            open_source(path, options=ReadOptions(layer="spec"))
        with pytest.raises(SettingError, match="no view 'centre'; its views are left, right"):
            open_source(path, options=ReadOptions(view="centre"))

    def test_data_alone_is_no_picture(self, tmp_path):
        write_exr(tmp_path / "z.exr", np.zeros((16, 24, 1), np.float32), names=["Z"])
        with pytest.raises(UnreadableMedia, match="R, G and B"):
            open_source(tmp_path / "z.exr")


def chosen(names, layer=None, view=None, part="", views=()):
    """(layer, names of the channels taken, note) of one part."""
    return chosen_of([ExrPart(part, "", tuple(views), tuple(names))], layer, view)


def chosen_of(parts, layer=None, view=None):
    choice = choose_channels(Path("x.exr"), parts, layer, view)
    return choice.layer, [parts[choice.part].channels[index] for index in choice.channels], choice.note


def rgb(layer, colors="RGB"):
    return [f"{layer}.{color}" for color in colors]


WRITERS = {
    "Blender": [*rgb("ViewLayer.AO"), *rgb("ViewLayer.Combined", "RGBA"), "ViewLayer.Depth.Z"],
    "Blender before 3": [*rgb("View Layer.AO"), *rgb("View Layer.Combined", "RGBA")],
    "Blender's own order": [*rgb("ViewLayer.Combined", "ABGR"), *rgb("ViewLayer.AO", "BGR")],
    "Blender's compositor": [*rgb("ViewLayer.Combined", "RGBA"), *rgb("Composite.Combined", "RGBA")],
    "Unreal": [*rgb("ActorHitProxyMask00", "RGBA"), *rgb("FinalImage", "RGBA"), *rgb("FinalImageWorldDepth")],
    "lower-case channels": [*rgb("N", "rgb"), *rgb("beauty", "rgba")],
    "RenderMan": [*rgb("albedo", "rgb"), *rgb("Ci", "rgb"), "a"],
    "Octane": [*rgb("AO"), *rgb("Beauty", "RGBA"), *rgb("Z")],
    "Primary": [*rgb("N"), *rgb("RGBA_Primary", "RGBA")],
    "cryptomatte first": [*rgb("CryptoObject00", "RGBA"), *rgb("Combined", "RGBA")],
    "axes": ["Normal.X", "Normal.Y", "Normal.Z", *rgb("beauty", "RGBA")],
}
TAKEN = {
    "Blender's compositor": "Composite.Combined",
    "Unreal": "FinalImage",
    "Blender before 3": "View Layer.Combined",
}
TAKEN |= {"lower-case channels": "beauty", "RenderMan": "Ci", "Octane": "Beauty", "Primary": "RGBA_Primary"}
TAKEN |= {"cryptomatte first": "Combined", "axes": "beauty"}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_finished_image_of_each_writer(writer):
    names = WRITERS[writer]
    layer, channels, note = chosen(names)
    assert layer == TAKEN.get(writer, "ViewLayer.Combined")
    assert len(channels) == 4
    assert all(name.startswith(layer) or name == "a" for name in channels)
    if layer not in ("beauty", "Beauty"):
        assert f"'{layer}' is used (" in note


@pytest.mark.parametrize("first", ["N", "Z", "depth", "crypto_object", "normals", "AO"])
def test_a_part_of_data_in_front_is_passed_over(first):
    parts = [ExrPart(first, "", (), ("R", "G", "B")), ExrPart("rgba", "", (), ("R", "G", "B", "A"))]
    assert chosen_of(parts)[1] == ["R", "G", "B", "A"]
    parts[1] = ExrPart("ViewLayer.Combined", "", (), tuple(rgb("ViewLayer.Combined", "RGBA")))
    assert chosen_of(parts)[0] == "ViewLayer.Combined"


def test_a_guess_is_said_and_data_alone_is_asked_about():
    names = [*rgb("AO"), *rgb("diffuse"), *rgb("specular")]
    layer, _, note = chosen(names)
    assert layer == "diffuse"
    assert "'diffuse' is used (a guess" in note and "AO, specular" in note
    with pytest.raises(SettingError, match=r"choose one with --layer: AO, N\.$"):
        chosen([*rgb("AO"), *rgb("N")])
    assert chosen(rgb("AO")) == ("AO", rgb("AO"), None)
    assert chosen(["R", "G", "B", *rgb("AO")])[2] is None


def test_a_layer_by_its_last_word_or_listed():
    names = [*rgb("FG.AO"), *rgb("FG.Combined", "RGBA"), *rgb("BG.Combined", "RGBA")]
    for order in (names, names[::-1]):
        layer, _, note = chosen(order)
        assert layer == "FG.Combined"
        assert "a guess: several names mean a finished image" in note
    assert chosen(names, "ao") == ("FG.AO", rgb("FG.AO"), None)
    with pytest.raises(SettingError, match=r"2 layers that 'Combined' could mean: FG.Combined, BG.Combined"):
        chosen(names, "Combined")


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("depth", ["depth.Z"] * 3),
        ("Y", ["shade.Y"] * 3),
        ("N", ["N.X", "N.Y", "N.Z"]),
        ("vec", ["vec.x", "vec.y", "vec.z"]),
        ("mask", ["mask.A"] * 3),
    ],
)
def test_data_is_taken_when_asked_for(layer, expected):
    names = ["R", "G", "B", "depth.Z", "shade.Y", "N.X", "N.Y", "N.Z", "vec.x", "vec.y", "vec.z", "mask.A"]
    layer = "shade" if layer == "Y" else layer
    assert chosen(names, layer)[1] == expected


def test_views_with_layers():
    both = ("left", "right")
    names = [*rgb("V.Combined.left"), *rgb("V.Combined.right"), *rgb("V.AO.left"), *rgb("V.AO.right")]
    assert chosen(names, views=both)[1] == rgb("V.Combined.left")
    assert chosen(names, view="right", views=both)[1] == rgb("V.Combined.right")
    assert chosen(names, "AO", "right", views=both)[1] == rgb("V.AO.right")
    parts = [
        ExrPart(f"V.{layer}.{view}", view, (), tuple(rgb(f"V.{layer}.{view}")))
        for layer in ("AO", "Combined")
        for view in both
    ]
    assert chosen_of(parts)[1] == rgb("V.Combined.left")
    assert chosen_of(parts, "AO", "right")[1] == rgb("V.AO.right")


def test_a_clip_that_changes_names_its_frame(tmp_path):
    beauty = np.zeros((16, 24, 4), np.float32)
    write_exr(tmp_path / "a.1001.exr", beauty)
    write_exr(tmp_path / "a.1002.exr", beauty[..., :3])
    with pytest.raises(MediaError, match=r"Frame 1002 .*has no alpha channel, unlike frame 1001"):
        open_source(tmp_path / "a.####.exr")
    names = [*rgb("V.Combined", "RGBA"), *rgb("V.AO", "RGB")]
    write_exr(tmp_path / "b.7.exr", np.zeros((16, 24, 7), np.float32), names=names)
    write_exr(tmp_path / "b.8.exr", beauty[..., :3], names=rgb("V.AO"))
    with pytest.raises(MediaError, match=r"Frame 8 .*has no layer 'V.Combined'"):
        open_source(tmp_path / "b.#.exr")
    with open_source(tmp_path / "b.7.exr") as source:
        assert any("'V.Combined' is used" in note for note in source.notes)


def test_a_deep_part_beside_a_flat_one_is_passed_over(tmp_path):
    openexr = pytest.importorskip("OpenEXR", reason="the extra vfx is not installed")
    samples = np.empty((4, 8), object)
    for place in np.ndindex(4, 8):
        samples[place] = np.array([1, 2], np.float32)
    deep = openexr.Part(
        {"type": openexr.deepscanline, "compression": openexr.ZIPS_COMPRESSION},
        {name: openexr.Channel(samples) for name in "RGBAZ"},
        "rgba",
    )
    flat = openexr.Part(
        {"type": openexr.scanlineimage}, {name: np.full((4, 8), 0.5, np.float16) for name in "RGB"}, "beauty"
    )
    path = str(tmp_path / "a.exr")
    openexr.File([deep, flat]).write(path)
    with open_source(path) as source:
        (frame,) = source
    assert (frame.pixels == 0.5).all()
