"""Documents: links lead somewhere, generated pages are current, one address everywhere."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from lp_core.version import ADDRESS, __version__

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def anchors(page):
    """Anchors of a page's headings, as GitHub and MkDocs make them of ASCII headings."""
    for title in HEADING.findall(page.read_text(encoding="utf-8")):
        yield re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in set(anchors(target)), f"{page.name}: {link}"


def test_every_page_is_in_the_navigation():
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert not [path.name for path in (ROOT / "docs").glob("*.md") if path.name not in site]


def test_generated_pages_are_current():
    for name, make in runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"].items():
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert text == make(), f"docs/{name} is not current; run python docs/generate.py"


def test_one_address_and_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert all(address.startswith(ADDRESS) for address in project["urls"].values())
    for name in ("mkdocs.yml", "CITATION.cff"):
        assert ADDRESS in (ROOT / name).read_text(encoding="utf-8"), name
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
