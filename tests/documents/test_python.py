"""Every Python snippet in the documents is run with small files; those of a page share their names, as in a session."""

import re

import pytest

pytestmark = pytest.mark.slow
for library in ("torch", "hibari", "hama", "spandrel", "opentimelineio", "OpenImageIO", "fastapi"):
    pytest.importorskip(library)
from fakes.document_player import Player  # noqa: E402
from fakes.documents import PAGES, snippets  # noqa: E402

WITH_SNIPPETS = [page for page in PAGES if snippets(page)]
BELOW_THE_FOLDER = re.compile(r'"/(?=shows/)')


@pytest.fixture
def worker(reader):
    """The one that a snippet connects to."""
    player = Player(reader)
    assert player.serve(["serve", "--allow", str(reader)]) is None
    yield
    assert player.stop() == 0


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: page.name)
def test_every_snippet_of_a_page_runs(page, reader, request):
    for number in range(1001, 1011):
        (reader / f"plate.{number}.exr").rename(reader / f"shot.{number}.exr")
    names = {}
    for snippet in snippets(page):
        if "Client.connect" in snippet:
            request.getfixturevalue("worker")
        for written in reader.glob("out.mp4"):
            written.unlink()
        text = BELOW_THE_FOLDER.sub(f'"{reader}/', snippet)
        exec(compile(text, str(page), "exec"), names)  # noqa: S102 - what the document tells to run
