"""Signing goes by content, and nothing about an input prevents it."""

import json
import shutil
from dataclasses import replace

import c2pa
import cv2
import numpy as np
import pytest
from fakes.films import write_film
from PIL import Image

from lp_core.provenance.examine import examine
from lp_core.provenance.sign import media_type_of


@pytest.fixture
def photo(tmp_path, rng):
    """A function that writes a photo of a kind under any name."""

    def make(name, kind):
        path = tmp_path / name
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(path, kind)
        return path

    return make


def signed_from(sealer, output, source):
    """(verdict, ingredients as C2PA gives them) of a result made of a source."""
    made = sealer(output)
    verdict = replace(made, job=replace(made.job, source=str(source)))(str(output), 8, "25")
    with output.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        store = json.loads(reader.json())
    return verdict, store["manifests"][store["active_manifest"]]["ingredients"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("j.png", "JPEG"), ("p.jpg", "PNG"), ("w.webp", "WEBP"), ("w.png", "WEBP"), ("t.tif", "TIFF"), ("t.jpg", "TIFF"),
     ("b.png", "BMP"), ("g.jpg", "GIF"), ("a.heic", "AVIF")],
)  # fmt: skip
def test_an_image_under_any_name_is_an_ingredient(keys, film, sealer, photo, name, kind):
    verdict, ingredients = signed_from(sealer, film, photo(name, kind))
    assert (verdict.state, verdict.notes) == ("signed", ())
    assert name in [item["title"] for item in ingredients]
    assert examine(str(film)).state == "trusted"


def test_a_video_under_another_name_is_an_ingredient(keys, film, sealer, tmp_path):
    pictures = [np.full((32, 32, 3), 9 * index, np.uint8) for index in range(4)]
    mov = write_film(tmp_path / "a.mov", pictures).rename(tmp_path / "a.mp4")
    mkv = write_film(tmp_path / "b.mkv", pictures)
    for source in (mov, mkv):
        verdict, _ = signed_from(sealer, film, source)
        assert (verdict.state, verdict.notes) == ("signed", ())


@pytest.mark.parametrize("damage", ["truncated", "garbage", "flipped", "length"])
@pytest.mark.parametrize("suffix", [".mp4", ".png", ".jpg"])
def test_damaged_credentials_of_an_input_do_not_prevent_signing(
    keys, film, sealer, tmp_path, rng, suffix, damage
):
    source = tmp_path / f"source{suffix}"
    if suffix == ".mp4":
        shutil.copy(film, source)
    else:
        assert cv2.imwrite(str(source), rng.integers(0, 255, (128, 128, 3), np.uint8))
    assert sealer(source)(str(source), 8, "25").state == "signed"
    data = bytearray(source.read_bytes())
    at = data.index(b"jumb")
    if damage == "truncated":
        del data[at + 400 :]
    elif damage == "garbage":
        data[at + 4 : at + 300] = rng.integers(0, 255, 296, np.uint8).tobytes()
    elif damage == "flipped":
        data[at + 200] ^= 0xFF
    else:
        data[at - 4 : at] = b"\x7f\xff\xff\xff"
    source.write_bytes(data)
    verdict, ingredients = signed_from(sealer, film, source)
    assert verdict.state == "signed"
    assert source.name in [item["title"] for item in ingredients]
    assert all("cannot be read" in note and str(source) in note for note in verdict.notes)
    if (suffix, damage) == (".mp4", "truncated"):
        assert verdict.notes
    assert examine(str(film)).state == "trusted"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"RIFF....WEBP", "image/webp"),
        (b"\x1aE\xdf\xa3", None),
        (b"", None),
    ],
)
def test_the_type_is_that_of_the_content(tmp_path, head, expected):
    path = tmp_path / "x.png"
    path.write_bytes(head)
    assert media_type_of(path) == expected
