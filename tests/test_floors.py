"""Who may import whom.

The table is the layout's: an import goes down only. On floors 0 and 1 a part may also use the parts to its
left; above, the parts of a floor do not know each other, nor do the engines. Every import statement counts,
wherever it stands; heavy libraries are looked for in what runs at import.
"""

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = (
    (
        "version",
        "errors",
        "files",
        "performance_name",
        "timing",
        "settings",
        "job",
        "link",
    ),
    ("contexts", "frame", "geometry"),
    ("color", "models", "motion"),
    ("media", "faces", "provenance"),
    ("engines",),
    ("render",),
    ("upscaling",),
    ("assemble",),
    ("batch", "live", "worker", "training"),
    ("cli",),
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
SIDE_BY_SIDE = {("worker", "batch"), ("worker", "live")}
HEAVY = {
    "torch", "torchvision", "av", "cv2", "mediapipe", "onnxruntime", "safetensors", "face_alignment", "c2pa",
    "OpenEXR", "OpenImageIO", "PyOpenColorIO", "opentimelineio", "pyvirtualcam", "fastapi", "spandrel",
    "huggingface_hub",
}  # fmt: skip
EDGES = (  # the files that may load heavy libraries when they are imported
    "lp_core/geometry/*",
    "lp_core/color/spaces.py",
    "lp_core/models/*",
    "lp_core/media/*",
    "lp_core/media/*/*",
    "lp_core/faces/*",
    "lp_core/provenance/sign.py",
    "lp_core/engines/*/*",
    "lp_core/batch/otio/*",
    "lp_core/live/*",
    "lp_core/worker/*",
    "lp_core/training/*",
    "upscale/*",
)
LIGHT = {"open.py", "base.py", "registry.py", "__init__.py"}  # never an edge: contracts and tables
HOST_MODULES = {
    "nuke",
    "nukescripts",
    "hou",
    "obspython",
    "DaVinciResolveScript",
    "fusionscript",
    "PySide2",
    "PySide6",
}


def tree(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def sources(*folders):
    """Paths, relative to the root and with forward slashes, of all Python files of some folders."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def module_of(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def targets(node, path):
    """Dotted names of an import statement; `from x import y` gives x.y, whether y is a module or not."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = path.split("/")[:-1]
    above = package[: len(package) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def is_for_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def run_at_import(node):
    """The nodes that run when the module is imported: no function bodies, nothing for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if is_for_checkers(child) or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from run_at_import(child)


@cache
def imports(path, at_import=False):
    nodes = run_at_import(tree(path)) if at_import else ast.walk(tree(path))
    return tuple(target for node in nodes for target in targets(node, path))


def part_of(module):
    """The part of lp_core that a dotted name belongs to, None for what stands outside."""
    names = module.split(".")
    if names[0] != "lp_core" or len(names) == 1:
        return None
    return names[1] if names[1] in FLOOR_OF else None


def goes_down(importer, target):
    """Whether the part of lp_core `importer` may import the dotted name `target`."""
    part = part_of(target)
    if part is None or part == importer or (importer, part) in SIDE_BY_SIDE:
        return True
    if part == "training":
        return False
    here, there = FLOOR_OF[importer], FLOOR_OF[part]
    if here == there:
        return here <= 1 and FLOORS[here].index(part) < FLOORS[here].index(importer)
    if importer == "render" and part in {"engines", "media", "faces"}:
        return target.split(".")[2:3] == ["base"]
    return there < here


CORE = sources("lp_core")


def test_every_part_stands_on_a_floor():
    parts = {Path(path).parts[1].removesuffix(".py") for path in CORE} - {"__init__", "__main__"}
    assert parts <= set(FLOOR_OF)


@pytest.mark.parametrize("path", CORE)
def test_imports_go_down_only(path):
    importer = part_of(module_of(path))
    if importer is None:  # the public face and `python -m lp_core`
        allowed = {"version"} if path.endswith("__init__.py") else {"cli"}
        assert {part_of(target) for target in imports(path)} <= {None} | allowed
        return
    up = [target for target in imports(path) if not goes_down(importer, target)]
    if path == "lp_core/cli/train.py":
        up = [target for target in up if part_of(target) != "training"]
    assert not up, f"{path} imports {', '.join(up)}"


@pytest.mark.parametrize("path", sources("lp_core/engines"))
def test_engines_do_not_know_each_other(path):
    own = path.split("/")[2]
    shared = {own, "base", "registry"}
    others = [name for name in imports(path) if name.startswith("lp_core.engines.")]
    assert all(name.split(".")[2] in shared for name in others), others


def test_only_assemble_names_upscale():
    namers = [path for path in CORE if any(name.split(".")[0] == "upscale" for name in imports(path))]
    assert set(namers) <= {"lp_core/upscaling.py"}


@pytest.mark.parametrize("path", sources("upscale"))
def test_upscale_uses_floors_0_to_2(path):
    parts = {part_of(name) for name in imports(path)} - {None}
    assert all(FLOOR_OF[part] <= 2 for part in parts), parts


@pytest.mark.parametrize("path", sources("hosts"))
def test_hosts_see_floor_0_and_their_host(path):
    host = path.split("/")[1]
    own = {"hosts", "lp_core", *(item.stem for item in (ROOT / "hosts" / host).glob("*"))}
    for name in imports(path):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names | HOST_MODULES | own, f"{path} imports {name}"
        assert top != "lp_core" or FLOOR_OF.get(part_of(name), 0) == 0, f"{path} imports {name}"


@pytest.mark.parametrize("path", sources("lp_core", "upscale", "hosts"))
def test_heavy_libraries_are_loaded_at_the_edges_only(path):
    heavy = sorted({name.split(".")[0] for name in imports(path, at_import=True)} & HEAVY)
    is_edge = any(Path(path).match(edge) for edge in EDGES) and Path(path).name not in LIGHT
    assert is_edge or not heavy, f"{path} loads {', '.join(heavy)} when it is imported"


def test_no_module_imports_itself_by_a_detour():
    modules = {module_of(path): path for path in sources("lp_core", "upscale", "hosts")}

    def known(name):
        return name if name in modules else name.rpartition(".")[0]

    graph = {
        module: {known(name) for name in imports(path, at_import=True)} & set(modules) - {module}
        for module, path in modules.items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the detour


FLOOR_0 = [path for path in CORE if part_of(module_of(path)) in FLOORS[0] or path == "lp_core/__init__.py"]


@pytest.mark.parametrize("path", FLOOR_0)
def test_floor_0_is_written_for_the_oldest_host(path):
    ast.parse((ROOT / path).read_text(encoding="utf-8"), feature_version=(3, 7))
    foreign = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"lp_core"}
    assert not foreign


LOADED_BY = """
import importlib, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def loaded_by(*modules):
    """Top-level modules that a fresh interpreter loads with some others."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BY, *modules], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_floor_0_loads_the_standard_library_alone():
    assert loaded_by("lp_core", *map(module_of, FLOOR_0)) <= sys.stdlib_module_names | {"lp_core"}


def test_the_command_line_loads_no_heavy_library():
    if not (ROOT / "lp_core/cli/main.py").exists():
        pytest.skip("the command line is not there yet")
    assert not loaded_by("lp_core.cli.main") & HEAVY


class TestTheChecksThemselves:
    @pytest.mark.parametrize(
        "importer,target,may",
        [
            ("job", "lp_core.settings.RenderSettings", True),
            ("settings", "lp_core.job", False),
            ("geometry", "lp_core.frame.Frame", True),
            ("frame", "lp_core.geometry.affine", False),
            ("motion", "lp_core.geometry.rotation", True),
            ("motion", "lp_core.models.store", False),
            ("media", "lp_core.faces.base", False),
            ("render", "lp_core.media.base.FrameSource", True),
            ("render", "lp_core.media.open", False),
            ("render", "lp_core.motion.timeline", True),
            ("worker", "lp_core.batch.plan", True),
            ("batch", "lp_core.worker.jobs", False),
            ("cli", "lp_core.training.loop", False),
            ("errors", "json", True),
        ],
    )
    def test_the_table_is_read_right(self, importer, target, may):
        assert goes_down(importer, target) is may

    def test_relative_imports_are_resolved(self):
        node = ast.parse("from ..media import base").body[0]
        assert targets(node, "lp_core/render/render.py") == ["lp_core.media.base"]
        assert targets(ast.parse("from . import a, b").body[0], "lp_core/x.py") == ["lp_core.a", "lp_core.b"]

    def test_what_runs_at_import_is_told_from_the_rest(self):
        text = """
import a
if TYPE_CHECKING:
    import b
try:
    import c
except ImportError:
    import d
def f():
    import e
class C:
    import g
"""
        nodes = [node for node in run_at_import(ast.parse(text)) if isinstance(node, ast.Import)]
        assert {node.names[0].name for node in nodes} == {"a", "c", "d", "g"}
