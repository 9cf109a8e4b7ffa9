"""Every call into Nuke is in the signature table, with its source; types against types-nuke."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fakes.nuke.checked import NotInTable, signature
from fakes.nuke.signatures import SIGNATURES

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "hosts" / "nuke"
CODE = [path for path in sorted(FOLDER.rglob("*.py")) if path.name != "installer.py"]


def chains(path):
    """Dotted names that begin with nuke or nukescripts, the longest of each place."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            name = ast.unparse(node)
            if re.fullmatch(r"(nuke|_nuke|nukescripts)(\.\w+)+", name):
                yield name.lstrip("_")


def test_every_name_of_the_modules_is_in_the_table():
    named = {name for path in CODE for name in chains(path)}
    assert len(named) >= 20
    classes = {name for name in named if name.startswith("nuke.nodes.")}
    written = {name.replace("nuke.nodes.", "Nodes.").replace("nuke.env.", "env.") for name in named}
    assert classes
    assert written <= set(SIGNATURES)


def test_every_row_of_the_table_is_used_and_says_its_source():
    text = (
        "\n".join(path.read_text(encoding="utf-8") for path in CODE) + (FOLDER / "installer.py").read_text()
    )
    for name, (_, source) in SIGNATURES.items():
        assert re.match(r"(NSTUB|TN|FDN|DMN|DCN) ", source), name
        word = name.split(".")[-1]
        if not word.startswith("__") and name not in ("Node.name", "Node.setInput"):
            assert re.search(rf"\b{word}\b", text), f"{name} is in the table, but nothing calls it"


def test_the_double_answers_nothing_else(nuke):
    node = nuke.createNode("LivePortrait")
    for wrong in (lambda: nuke.executeBackground, lambda: node.screenWidth, lambda: node["first"].setExpression("x"),
                  lambda: nuke.ProgressTask("x").setTitle("y"), lambda: nuke.nodes.Blur()):  # fmt: skip
        with pytest.raises(NotInTable, match=r"is not in tests/fakes/nuke/signatures.py"):
            wrong()
    with pytest.raises(TypeError):
        nuke.toNode(s="LivePortrait1")  # names of parameters differ between Nuke's versions
    with pytest.raises(TypeError):
        nuke.execute(node, 1, 2, 1, ["main"], True, "more")
    with pytest.raises(NotInTable):
        signature("nuke.nothing")


@pytest.mark.parametrize("style", ["13", "17"])
def test_both_styles_of_the_environment(nuke, style):
    nuke.double.reset(style)
    assert nuke.env.get("nc") is False
    if style == "17":
        with pytest.raises(TypeError):
            iter(nuke.env)
    assert ("OCIO_config" in nuke.root()._knobs) is (style == "17")


def test_the_types_are_those_of_types_nuke():
    if find_spec("mypy") is None or find_spec("nuke-stubs") is None:
        pytest.skip("mypy or types-nuke is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--ignore-missing-imports", "--follow-imports=silent",
         "--explicit-package-bases", "--check-untyped-defs",
         "hosts/nuke/lp_nuke", "hosts/nuke/menu.py", "hosts/nuke/init.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
