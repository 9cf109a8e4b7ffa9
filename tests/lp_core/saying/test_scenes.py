import pytest

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.saying.scenes import read_scenes, scenes_of

MARKDOWN = """---
portrait: anna.png
voice: hibari:heart
---

# Opening
emotion: happy
pause: 0.5

Welcome to the tour.
Second line.

## Next
portrait: other/boris.png
speed: 1.2

Time: it is late.
"""

YAML = """
portrait: anna.png
voice: hibari:heart
scenes:
  - title: Opening
    emotion: happy
    pause: 0.5
    text: |
      Welcome to the tour.
      Second line.
  - title: Next
    portrait: other/boris.png
    speed: 1.2
    text: "Time: it is late."
"""


@pytest.mark.parametrize(("name", "content"), [("a.md", MARKDOWN), ("a.yaml", YAML)])
def test_both_forms_say_the_same(tmp_path, name, content):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_text(content)
    first, second = read_scenes(tmp_path / name, {"language": "en-US"})
    assert first.text.split() == ["Welcome", "to", "the", "tour.", "Second", "line."]
    assert (first.title, first.emotion, first.pause, first.language) == ("Opening", "happy", 0.5, "en-US")
    assert (first.portrait, first.voice) == (str(tmp_path / "anna.png"), "hibari:heart")
    assert (second.portrait, second.speed) == (str(tmp_path / "other/boris.png"), 1.2)
    assert second.text.strip() == "Time: it is late."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.md", "\n"),
        ("a.md", "# One\n\n"),
        ("a.md", "# One\nspeed: quick\n\ntext"),
        ("a.md", "# One\npause: 99\n\ntext"),
        ("a.md", "# One\nemotion: odd\n\ntext"),
        ("a.md", "---\nwho: x\n---\n# One\n\ntext"),
        ("a.yaml", "scenes: 3"),
        ("a.yaml", "scenes: [1]"),
        ("a.yaml", "a: [b"),
        ("a.yaml", "a: &x [1]\nscenes: [*x, *x]"),
        ("a.yaml", "!!python/object/apply:os.system ['true']"),
        ("a.yaml", "scenes: [{text: hello}]"),
    ],
)
def test_scripts_that_are_not_understood(tmp_path, name, content):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_text(content)
    defaults = {} if "hello" in content else {"portrait": "p.png"}
    with pytest.raises(SettingError):
        read_scenes(tmp_path / name, {"portrait": "", **defaults})


def test_what_a_command_names(tmp_path):
    assert scenes_of("p.png", "Hello.", {"speed": 2.0})[0].speed == 2.0
    (tmp_path / "t.txt").write_text("\ufeffGrüße.", encoding="utf-8")
    assert scenes_of("p.png", str(tmp_path / "t.txt"), {})[0].text == "Grüße."
    (tmp_path / "t.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match="UTF-8"):
        scenes_of("p.png", str(tmp_path / "t.txt"), {})
    with pytest.raises(UnreadableMedia):
        scenes_of("p.png", str(tmp_path / "absent.md"), {})
    with pytest.raises(SettingError, match="nothing to say"):
        scenes_of("p.png", "", {})
