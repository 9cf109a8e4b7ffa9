"""A batch as a job of OpenCue: a layer a step, the number of the shot or chunk as the frame.

The file is what ``opencue.api.launchSpec`` takes, in OpenCue's job specification language 1.15. It has the same
elements that pyoutline writes for layers whose commands are run directly.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path

from lp_core.batch.plan import BatchPlan
from lp_core.batch.task_steps import NO_NEEDS, TaskStep, steps_of
from lp_core.files import ensure_folder, write_whole

FOLDER, FILE = "opencue", "job.xml"
_HEAD = (
    '<?xml version="1.0"?>\n<!DOCTYPE spec PUBLIC "SPI Cue  Specification Language" '
    '"http://localhost:8080/spcue/dtd/cjsl-1.15.dtd">\n'
)
_FRAME = "#IFRAME#"
_LEAST_GPU_MEMORY = "1g"  # what pyoutline writes where only a number of GPUs is asked for


def write_job(
    plan: BatchPlan, command: Sequence[str], needs: Mapping[str, int] = NO_NEEDS, show: str = "lpsuite"
) -> Path:
    """Writes the job; returns its file.

    Args:
        plan: written already.
        command: how the command line of this suite is called on a farm's machine, such as ('lpsuite',).
        needs: what a machine must have; see ``lp_core.batch.task_steps``.
        show: OpenCue's name of the show.

    Raises:
        SettingError: there is nothing to render.
    """
    path = plan.folder / FOLDER / FILE
    ensure_folder(path.parent)
    write_whole(path, specification(plan, command, needs, show))
    return path


def specification(
    plan: BatchPlan, command: Sequence[str], needs: Mapping[str, int] = NO_NEEDS, show: str = "lpsuite"
) -> str:
    """The job's text; see ``write_job``."""
    name = "lpsuite_" + re.sub(r"[^A-Za-z0-9_]+", "_", Path(plan.timeline).stem)
    user = getpass.getuser()
    root = ElementTree.Element("spec")
    for tag, text in (
        ("facility", "local"),
        ("show", show),
        ("shot", "batch"),
        ("user", user),
        ("uid", _uid()),
    ):
        _add(root, tag, text)
    job = ElementTree.SubElement(root, "job", {"name": name})
    for tag, text in (("paused", "False"), ("priority", "1"), ("maxretries", "2"), ("autoeat", "False")):
        _add(job, tag, text)
    ElementTree.SubElement(job, "env")
    layers, depends = ElementTree.SubElement(job, "layers"), ElementTree.Element("depends")
    for step in steps_of(plan, needs):
        layers.append(_layer(step, plan, command))
        if step.after:
            depends.append(_depend(name, step))
    root.append(depends)
    ElementTree.indent(root)
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _layer(step: TaskStep, plan: BatchPlan, command: Sequence[str]) -> ElementTree.Element:
    layer = ElementTree.Element("layer", {"name": step.name.lower(), "type": "Render"})
    words = [*command, *step.words(str(plan.folder / "plan.json"), _FRAME), "--progress", "none"]
    _add(layer, "cmd", " ".join(word if word == _FRAME else shlex.quote(word) for word in words))
    _add(layer, "range", f"0-{step.count - 1}")
    _add(layer, "chunk", "1")
    if "vcpu" in step.needs:
        _add(layer, "cores", f"{step.needs['vcpu']:.1f}")
    if "memory" in step.needs:
        _add(layer, "memory", f"{step.needs['memory']}m")
    if "gpu" in step.needs or "gpu-memory" in step.needs:
        memory = step.needs.get("gpu-memory")
        _add(layer, "gpus", str(step.needs.get("gpu", 1)))
        _add(layer, "gpu_memory", _LEAST_GPU_MEMORY if memory is None else f"{memory}m")
    ElementTree.SubElement(layer, "env")
    _add(ElementTree.SubElement(layer, "services"), "service", "shell")
    ElementTree.SubElement(layer, "outputs")
    return layer


def _depend(job: str, step: TaskStep) -> ElementTree.Element:
    made = ElementTree.Element("depend", {"type": "LAYER_ON_LAYER", "anyframe": "False"})
    for tag, text in (("depjob", job), ("deplayer", step.name), ("onjob", job), ("onlayer", step.after)):
        _add(made, tag, text if tag.endswith("job") else text.lower())
    return made


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _uid() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "0"
