"""A login link is handed over in a file of the user's own, never on a command line."""

import os
import stat
import sys
import webbrowser
from pathlib import Path

import pytest

from lp_core.errors import WorkerError
from lp_core.link.browser import open_page, remove_pages

LINK = "http://127.0.0.1:1/login?key=secret#fill=%7B%22a%22%3A%221%22%7D"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_command_line_shows_the_link(folder, tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline > {seen}.new\nmv {seen}.new {seen}\n")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    assert open_page(LINK)
    words = seen.read_text()
    assert "secret" not in words
    (page,) = folder.iterdir()
    assert page.as_uri() in words
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert f'href="{LINK}"' in page.read_text()


def test_spent_pages_are_removed(folder):
    opened = []
    assert open_page(LINK, lambda address: opened.append(address) or True)
    assert not open_page(LINK, lambda address: False)
    first = next(folder.iterdir())
    os.utime(first, (1, 1))
    (folder / "open-other.txt").touch()
    remove_pages(600)
    assert len(list(folder.iterdir())) == 2
    remove_pages(-1)
    assert [path.name for path in folder.iterdir()] == ["open-other.txt"]


def test_markup_in_a_link_stays_text(folder):
    assert open_page('http://127.0.0.1/"><script>', lambda _: True)
    assert "<script>" not in next(folder.iterdir()).read_text()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes of POSIX")
def test_a_folder_of_others_is_refused(folder):
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(WorkerError, match="can be written by others"):
        open_page(LINK, lambda _: True)
    assert not list(Path(folder).iterdir())
