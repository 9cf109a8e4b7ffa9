"""Files and functions stay small, stored fixtures too."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("lp_core", "upscale", "hosts", "benchmarks", "tests")
FILE_LINES = 400
FUNCTION_LINES = 60
FIXTURE_BYTES = 100_000
EXCEPTIONS: dict[str, str] = {}
"""'path' or 'path:function' -> why it may be longer."""


def python_files():
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def long_things(path):
    """(name as in EXCEPTIONS, lines) of the file and of each of its functions that is too long."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield path, lines
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.name}", length


def test_files_and_functions_are_small():
    found = {name: lines for path in python_files() for name, lines in long_things(path)}
    assert not {name: lines for name, lines in found.items() if name not in EXCEPTIONS}
    assert set(EXCEPTIONS) <= set(found)  # an exception that is no longer needed is removed


def test_stored_fixtures_are_small():
    stored = [path for path in (ROOT / "tests").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert not {path.name: path.stat().st_size for path in stored if path.stat().st_size > FIXTURE_BYTES}
