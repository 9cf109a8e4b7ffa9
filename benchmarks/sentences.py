"""Draws sentences from documents, help texts and messages, to read how the project speaks.

python benchmarks/sentences.py [--count 40] [--seed 1] [--root .]
"""

from __future__ import annotations

import argparse
import ast
import random
import re
from collections.abc import Iterator
from pathlib import Path

_CODE = re.compile(r"```.*?```|^\|.*$|^#.*$|^\s*[-*] ", re.DOTALL | re.MULTILINE)
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
WORDS = range(5, 45)
"""Lengths of what counts as a sentence."""


def sentences(text: str) -> Iterator[str]:
    """Its sentences, each on one line."""
    for block in re.split(r"\n\s*\n", text):
        for sentence in _END.split(" ".join(block.split())):
            if sentence.endswith(".") and len(sentence.split()) in WORDS:
                yield sentence


def strings(path: Path) -> Iterator[str]:
    """Texts of several words in a module: messages, help texts and docstrings; what is filled in becomes ``{}``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def main() -> None:
    """Prints them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    given = parser.parse_args()
    found: set[str] = set()
    for path in sorted([*given.root.glob("*.md"), *given.root.glob("docs/**/*.md")]):
        found.update(sentences(_CODE.sub("\n\n", path.read_text(encoding="utf-8"))))
    for folder in ("lp_core", "hosts", "upscale"):
        for path in sorted((given.root / folder).rglob("*.py")):
            for text in strings(path):
                found.update(sentences(text))
    for sentence in random.Random(given.seed).sample(sorted(found), given.count):  # noqa: S311 - a drawing of lots
        print(f"- {sentence}")


if __name__ == "__main__":
    main()
