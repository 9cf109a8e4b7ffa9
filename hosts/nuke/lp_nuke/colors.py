"""The project's color management, as the engine must know it. Main thread only."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any, Optional, Tuple

import nuke


def working_space() -> Tuple[Optional[str], Optional[str]]:
    """The project's OpenColorIO configuration and working space; None and None without color management by it."""
    root = nuke.root()
    if str(root["colorManagement"].value()) != "OCIO":
        return None, None
    knob = root.knob("OCIO_config") or root.knob("OCIOConfig")
    config = os.environ.get("OCIO")
    if not config:
        is_own = knob is not None and knob.value() == "custom"
        path: Any = root["customOCIOConfigPath" if is_own else "OCIOConfigPath"]  # a File_Knob
        config = path.getEvaluatedValue()
    space = str(root["workingSpaceLUT"].value())
    role = re.fullmatch(r"(\w+) \(.+\)", space)  # a role is shown with the space that it is for
    return str(config), role.group(1) if role else space


def own_copy(config: Optional[str], home: Path) -> Optional[Path]:
    """Where a configuration is copied to, so that the worker, which may not look into Nuke's folder, can read it.

    Args:
        config: the configuration's path.
        home: the node's folder.

    Returns:
        None where it stays in its place: none, a built-in one, or one that refers to other files by FileTransform.
    """
    path = Path(config or "")
    if not config or not path.is_file():
        return None
    text = path.read_bytes()
    if b"FileTransform" in text:
        return None
    return home / f"ocio-{hashlib.sha256(text).hexdigest()[:12]}.ocio"
