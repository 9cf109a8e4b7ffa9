"""The commands and Python snippets that the documents show, as a reader would copy them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if page.name != "CHANGELOG.md"
)
PROGRAMS = "lpsuite|pip|pipx|uv tool|py|&|make|git|curl|python|torchrun|deadline|nuke|openjd|schemathesis"
FENCED = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^ {4}[^\n]*\n)+", re.MULTILINE)
LINE = re.compile(rf"^(?: {{4}})?(?:\$ )?((?:{PROGRAMS}) (?:\\\n|[^\n])*)", re.MULTILINE)
INLINE = re.compile(rf"`((?:{PROGRAMS})\s[^`]+)`")
COMMENT = re.compile(r"\s#\s.*")
SHELL = ("", "sh")
"""Languages of the blocks that hold commands."""
ENDS = ("|", ">", "&", "&&", ";")
"""Signs of the shell that end a command."""


@dataclass(frozen=True)
class Command:
    """One command of a page."""

    page: str
    words: tuple[str, ...]
    """The program first."""
    is_inline: bool
    """Named within a sentence, perhaps without its arguments."""

    @property
    def text(self):
        """Its words with a blank between two."""
        return " ".join(self.words)


def commands(page):
    """Commands of a page: those of its blocks, then those within sentences."""
    text = page.read_text(encoding="utf-8")
    prose = FENCED.sub("", text)
    blocks = [(found.start(), found[2]) for found in FENCED.finditer(text) if found[1] in SHELL]
    blocks += [(text.find(found[0]), found[0]) for found in INDENTED.finditer(prose)]
    for _, block in sorted(blocks):
        for line in LINE.findall(block):
            yield Command(page.name, _words(line.replace("\\\n", " ")), is_inline=False)
    for span in INLINE.findall(INDENTED.sub("", prose)):
        yield Command(page.name, _words(span), is_inline=True)


def snippets(page):
    """Python blocks of a page."""
    return [found[2] for found in FENCED.finditer(page.read_text(encoding="utf-8")) if found[1] == "python"]


def _words(line):
    words = shlex.split(COMMENT.sub("", line))
    end = next((at for at, word in enumerate(words) if at and word in ENDS), len(words))
    return tuple(words[:end])
