"""Every command in the documents is run with small files, or marked with the reason why it is not."""

import importlib.util
import io
import re
import sys
import tomllib

import pytest

pytestmark = pytest.mark.slow
for library in ("torch", "hibari", "hama", "spandrel", "opentimelineio", "OpenImageIO", "c2pa"):
    pytest.importorskip(library)
from fakes.document_marks import MARKED, Reason, found  # noqa: E402
from fakes.document_player import Player  # noqa: E402
from fakes.documents import PAGES, ROOT, commands  # noqa: E402

ALL = [command for page in PAGES for command in commands(page)]
EXTRAS = re.compile(r"(?:lp-suite|\.)\[([\w,-]+)\]")
DONE = set()
"""Commands of pages before, which are not run again."""


def test_a_mark_names_a_reason_and_is_needed():
    assert all(isinstance(reason, Reason) for reason in MARKED.values())
    texts = [command.text for command in ALL]
    assert not [pattern for pattern in MARKED if not any(re.fullmatch(pattern, text) for text in texts)]


@pytest.mark.parametrize(
    "text", sorted({command.text for command in ALL if found(MARKED, command.text, None)})
)
def test_what_a_marked_command_names_is_there(text):
    """Scripts, modules and extras."""
    words = text.split(" ")
    if words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]) is not None
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for names in EXTRAS.findall(text):
        assert set(names.split(",")) <= set(project["optional-dependencies"])


@pytest.fixture
def player(reader):
    made = Player(reader)
    yield made
    assert made.stop() == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_works(page, player, monkeypatch, capsys):
    """As a reader does it: from the top of the page to its end, in one folder."""
    wrong = []
    for command in commands(page):
        if found(MARKED, command.text, None) is None and command.text not in DONE:
            DONE.add(command.text)
            monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
            problem = player.play(command)
            said = capsys.readouterr().err[-500:]
            wrong += [f"{command.text}: {problem}\n{said}"] if problem else []
    assert not wrong, "\n".join(wrong)
