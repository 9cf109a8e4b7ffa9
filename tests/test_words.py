"""The prose: words that native technical English does not use here, in documents, messages, docstrings and comments."""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("lp_core", "hosts", "upscale", "benchmarks")
"""Code whose prose is checked; tests quote what users may type."""
DOCUMENTS = [
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.name not in ("CHANGELOG.md",)
]

PHRASES = {
    r"\b(?<![Tt]here )(?:is|are) no (?!longer\b|more\b|such\b|way\b|need\b|point\b|reason\b|one\b)": "is not a ...",
    r"\b[Ww]hoever\b": "anyone who",
    r"\banew\b": "again",
    r"\b(?:written|made|put|writes?) (?:\w+ )?aside\b": "to a temporary file",
    r"\bof (?:its|their|his|her) own\b": "separate, its own ...",
    r"\bstands? (?:in|at|under|there|here|between)\b": "is",
    r"\blies\b": "is",
    r"\bbeside\b": "next to",
    r"\b[Ww]ish(?:es|ed)?\b": "request",
    r"\btells\b": "says, shows, gives",
    r"\bcolour": "color",
    r"\b[Cc]entr(?:e|es|ed|ing)\b": "center",
    r"\b[Nn]eighbour": "neighbor",
    r"\b[Gg]rey": "gray",
    r"\b[Ff]avour": "favor",
    r"\b[Oo]rganis(?!m)|\b[Rr]ecognis": "-ize",
    r"\b[Ll]icence": "license",
    r"\bmend(?:s|ed)?\b": "fix",
    r"\b[Ff]ilms\b": "videos",
    r"\b[Pp]ictures\b": "images",
}
"""Pattern -> what to write instead."""
_NO_PROSE = re.compile(
    r"```.*?```|``[^`]*``|`[^`\n]*`|\]\([^)]*\)|^\s+\w+: |\{[^{}]*\}|<[^<>]*>|--[a-z-]+",
    re.DOTALL | re.MULTILINE,
)


def prose_of(path):
    """(line, text) of a file's prose: Markdown without code; Python's comments and strings of several words."""
    if path.suffix == ".md":
        yield 1, path.read_text(encoding="utf-8")
        return
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        is_prose = token.type in (tokenize.STRING, tokenize.COMMENT) and " " in token.string.strip("'\" ")
        if is_prose and not re.search(r"\b(SELECT|INSERT|UPDATE|CREATE|DELETE)\b", token.string):
            yield token.start[0], token.string


def findings(path):
    for line, text in prose_of(path):
        bare = _NO_PROSE.sub(lambda match: "\n" * match[0].count("\n"), text)
        for pattern, better in PHRASES.items():
            for match in re.finditer(pattern, bare):
                before = bare[: match.start()].count("\n")
                yield f"{path.relative_to(ROOT)}:{line + before}: '{match[0]}'; write: {better}"


def test_phrases_are_found(tmp_path):
    """The reading itself: prose is judged, code in it is not."""
    page = tmp_path / "page.md"
    page.write_text("It is no file. `aside` is code.\n\nWhoever reads.\n", encoding="utf-8")
    found = [text for _, text in prose_of(page)]
    bare = _NO_PROSE.sub("", found[0])
    assert [pattern for pattern in PHRASES if re.search(pattern, bare)] == [
        next(iter(PHRASES)),
        r"\b[Ww]hoever\b",
    ]


@pytest.mark.parametrize("folder", [*FOLDERS, "docs"])
def test_prose_keeps_to_plain_technical_english(folder):
    paths = DOCUMENTS if folder == "docs" else sorted((ROOT / folder).rglob("*.py"))
    assert not [finding for path in paths for finding in findings(path)]
