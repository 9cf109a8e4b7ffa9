"""Pages of HTML that need no other file: their style, thumbnails inside them, and curves."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_SIDE_PX = 240
"""Longer side of a thumbnail."""
_CURVE = (600, 80)
"""Width and height of a curve, pixels."""
_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem;background:#16181c;color:#e6e6e6}
h1{font-size:1.3rem}
section{display:flex;flex-wrap:wrap;align-items:flex-start;gap:1rem;margin:1rem 0;
padding:1rem;background:#1f2228;border-radius:8px}
.images{display:flex;flex-wrap:wrap;gap:4px}
img{display:block;border-radius:4px;max-width:200px;max-height:180px}
dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem;margin:0}dt{color:#9aa0a8}
.failed{border-left:4px solid #e5534b}.rendered{border-left:4px solid #57ab5a}.up{border-left:4px solid #539bf5}
h2{font-size:1.05rem;margin:0 0 .5rem}p{margin:.3rem 0}
svg{background:#16181c;border-radius:4px}polyline{fill:none;stroke:#57ab5a;stroke-width:1.5}
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page.

    Args:
        title: plain text.
        parts: HTML of the body below the title.
    """
    title = html.escape(title)
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
            *parts,
            "</body></html>",
        ]
    )


def facts(values: Iterable[tuple[str, object]]) -> str:
    """Names and values as a list."""
    rows = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in values
    )
    return f"<dl>{rows}</dl>"


def thumbnail(label: str, pixels: NDArray[np.uint8]) -> str:
    """A small copy of an image, inside the page.

    Args:
        label: plain text for those who cannot see it, and its tooltip.
        pixels: (H, W, 3) uint8 RGB, display-encoded.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    text, name = base64.b64encode(data.tobytes()).decode(), html.escape(label)
    return f'<img alt="{name}" title="{name}" src="data:image/jpeg;base64,{text}">'


def curve(name: str, values: Sequence[float]) -> str:
    """A curve of values between 0 and 1, one for each frame, with its lowest value in the title."""
    width, height = _CURVE
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"{index * step:.1f},{(1 - min(max(value, 0.0), 1.0)) * (height - 4) + 2:.1f}"
        for index, value in enumerate(values)
    )
    lowest = min(values, default=0.0)
    return (
        f"<h2>{html.escape(name)}, lowest {lowest:.2f}</h2>"
        f'<svg role="img" aria-label="{html.escape(name)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><polyline points="{points}"/></svg>'
    )
