"""The writers' names of layers."""

import pytest

from lp_core.media.image.layer_names import beauty_rank, is_data, matching

FINISHED = (
    "ViewLayer.Combined", "View Layer.Combined", "RenderLayer.Combined", "Composite.Combined", "FinalImage", "rgba",
    "beauty", "Beauty", "RGBA_Primary", "Ci", "C", "Main", "Hero.Combined", "RGBA_denoise", "BeautyAux",
    "FinalImageLit",
)  # fmt: skip
DATA = (
    "N", "Z", "P", "AO", "ViewLayer.AO", "ViewLayer.Normal", "View Layer.Denoising Normal", "Depth", "depth",
    "ViewLayer.CryptoObject00", "crypto_asset", "cryptomatte", "CryptoMaterial", "ViewLayer.Vector", "motionvector",
    "FinalImageWorldDepth", "FinalImageMovieRenderQueue_WorldDepth", "FinalImageworld_normal",
    "FinalImagePWMotionVectors", "ActorHitProxyMask00", "AmbientOcclusion", "N.rgb", "ViewLayer.UV", "Pref",
    "ViewLayer.IndexOB", "ViewLayer.Mist", "noiseLevel",
)  # fmt: skip


@pytest.mark.parametrize("name", FINISHED)
def test_names_of_the_finished_image(name):
    assert beauty_rank(name) is not None
    assert not is_data(name)


@pytest.mark.parametrize("name", DATA)
def test_data_is_never_the_finished_image(name):
    assert beauty_rank(name) is None
    assert is_data(name)


@pytest.mark.parametrize(
    "name", ["diffuse", "ViewLayer.DiffCol", "specular_direct", "ViewLayer.Emit", "albedo"]
)
def test_light_and_surface_are_neither(name):
    assert beauty_rank(name) is None
    assert not is_data(name)


@pytest.mark.parametrize(
    "names",
    [
        ("", "Beauty", "Composite.Combined"),
        ("Composite.Combined", "ViewLayer.Combined", "FG.Combined"),
        ("rgba", "RGBA_denoise"),
        ("FinalImage", "FinalImageLit"),
    ],
)
def test_the_surest_name_comes_first(names):
    assert sorted({*names}, key=beauty_rank) == list(names)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("FG.Combined", ["FG.Combined"]),
        ("fg.combined", ["FG.Combined"]),
        ("Combined", ["FG.Combined", "BG.Combined"]),
        ("diffcol", ["FG.DiffCol"]),
        ("Noisy Image", ["FG.Noisy Image"]),
        ("rgba", [""]),
        ("(main)", [""]),
        ("spec", []),
    ],
)
def test_a_layer_is_found_by_its_last_words(wanted, found):
    names = ["", "FG.Combined", "FG.DiffCol", "BG.Combined", "FG.Noisy Image"]
    assert matching(names, wanted) == found
