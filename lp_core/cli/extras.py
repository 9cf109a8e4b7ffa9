"""The extras of this installation, read from the package's own metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

PACKAGE = "lp-suite"
PURPOSES = {
    "neural": "the LivePortrait engine",
    "landmarks68": "68-point landmarks as a second opinion",
    "landmarks203": "LivePortrait's own 203 landmarks",
    "vfx": "EXR, DPX, 16-bit TIFF and OpenColorIO",
    "worker": "the worker that host programs talk to, and its page",
    "live": "the virtual camera of live streams",
    "speech": "speech as a performance",
    "microphone": "a microphone that drives a live stream",
    "webrtc": "a portrait that talks in a browser",
    "voice": "text to speech",
    "upscale": "Real-ESRGAN and other upscaling networks",
    "cpu": "faster upscaling on a processor",
    "train": "training and adapting the networks",
    "otio": "batches of whole timelines",
    "otio-plugins": "timelines in EDL, FCP XML, FCPXML and AAF",
    "provenance": "content credentials and the invisible watermark",
    "all": "everything but landmarks68, live (GPLv2), otio-plugins and train",
    "test": "the test suite",
    "dev": "the tools of contributors",
    "docs": "the documentation site",
}
"""Extra -> what it is for; which extras there are and what they hold, the metadata states."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?")
_EXTRA = re.compile(r"\bextra\s*==\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Extra:
    """One extra."""

    name: str
    """As in ``pip install 'lp-suite[NAME]'``."""
    present: tuple[str, ...]
    """Its packages that are installed, with their versions."""
    missing: tuple[str, ...]
    """Its packages that are not installed."""


def installed_extras() -> list[Extra]:
    """Every extra that the installed package declares, in its order; none where it was not installed."""
    try:
        names = metadata(PACKAGE).get_all("Provides-Extra") or []
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        return []
    return [_examined(name, packages_of(name, lines)) for name in names]


def packages_of(extra: str, requirements: Sequence[str]) -> tuple[str, ...]:
    """Names of the packages that an extra brings, those of the extras it includes among them.

    Args:
        extra: name of the extra.
        requirements: lines of the metadata, such as ``torch>=2.4; extra == "neural"``.
    """
    return tuple(dict.fromkeys(_packages(extra, requirements, {extra})))


def _packages(extra: str, requirements: Sequence[str], seen: set[str]) -> Iterator[str]:
    for line in requirements:
        found = _REQUIREMENT.match(line)
        if found is None or extra not in _EXTRA.findall(found[3] or ""):
            continue
        if _plain(found[1]) != PACKAGE:
            yield found[1]
            continue
        for inner in (name.strip() for name in (found[2] or "").split(",")):
            if inner and inner not in seen:
                seen.add(inner)
                yield from _packages(inner, requirements, seen)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _examined(name: str, packages: Sequence[str]) -> Extra:
    present, missing = [], []
    for package in packages:
        try:
            present.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    return Extra(name, tuple(present), tuple(missing))
