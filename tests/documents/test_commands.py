"""The commands in the documents: every line that begins with lpsuite is one that the program accepts."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lp_core.cli.main import lpsuite

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINE = re.compile(r"^(?: {4}|\$ )?(lpsuite [^\n]*(?:\\\n[^\n]*)*)", re.MULTILINE)
BLOCK = re.compile(r"```[a-z]*\n(.*?)```|((?:^ {4}[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"\.\.\.|…|\[[A-Z-]|\bseconds  ")
"""Lines that show a form or a table, not a command."""


def commands():
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        for block in (fenced or indented for fenced, indented in blocks):
            for line in LINE.findall(block):
                words = shlex.split(line.replace("\\\n", " "), comments=True)
                for sign in ("|", ">", "&", "&&", ";"):
                    words = words[: words.index(sign)] if sign in words else words
                if not PLACEHOLDER.search(line):
                    yield pytest.param(words[1:], id=f"{page.name}: {' '.join(words[:4])}")


def parsed(command, name, words, parent=None):
    """The context of a command line, down to its last command; nothing is run."""
    with command.make_context(name, list(words), parent=parent) as context:
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            name, found, rest = command.resolve_command(context, rest)
            return parsed(found, name, rest, context)
        return context


@pytest.mark.parametrize("words", list(commands()))
def test_the_program_accepts_it(words, tmp_path, monkeypatch):
    """Options, values and numbers of arguments; what a command does is tested with real files elsewhere."""
    monkeypatch.chdir(tmp_path)
    for word in filter(str.isupper, words):
        (tmp_path / word).mkdir(exist_ok=True)
    try:
        parsed(lpsuite, "lpsuite", words)
    except click.exceptions.Exit as end:  # --version, --help
        assert end.exit_code == 0
