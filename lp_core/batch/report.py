"""Reports of a batch: a contact sheet to look at, and figures for pipelines."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.batch.results import BatchSummary, ShotResult
from lp_core.files import write_whole
from lp_core.media.open import open_source
from lp_core.performance_name import speech_file

SHEET, FIGURES = "report.html", "report.json"
_SIDE_PX = 240
_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem;background:#16181c;color:#e6e6e6}
h1{font-size:1.3rem}
section{display:flex;flex-wrap:wrap;align-items:flex-start;gap:1rem;margin:1rem 0;
padding:1rem;background:#1f2228;border-radius:8px}
.images{display:flex;gap:4px;flex:0 0 auto}
img{display:block;border-radius:4px;max-width:200px;max-height:180px}
dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem;margin:0}dt{color:#9aa0a8}
.failed{border-left:4px solid #e5534b}.rendered{border-left:4px solid #57ab5a}.up{border-left:4px solid #539bf5}
h2{font-size:1.05rem;margin:0 0 .5rem}p{margin:.3rem 0}
"""


def write_reports(summary: BatchSummary) -> None:
    """Writes both into the batch's folder."""
    folder = summary.plan.folder
    for name, text in ((SHEET, contact_sheet(summary)), (FIGURES, json.dumps(figures(summary), indent=1))):
        write_whole(folder / name, text)


def figures(summary: BatchSummary) -> dict[str, object]:
    """The report as JUnit would have it, in JSON: suites, cases, failures, skipped ones."""
    cases: list[dict[str, object]] = []
    for result in summary.results:
        case: dict[str, object] = {
            "name": result.shot.name,
            "classname": result.shot.id,
            "time": result.seconds,
            "status": result.state,
            "properties": {
                "output": str(summary.plan.folder / result.shot.output),
                "clips": len(result.shot.clips),
                "notes": list(result.shot.notes),
                **result.figures,
            },
        }
        if result.state == "failed":
            case["failure"] = {"type": result.code, "message": result.message}
        cases.append(case)
    for problem in summary.plan.problems:
        case = {"name": problem.words, "classname": "clip", "time": 0.0, "status": "left as it is"}
        how = "skipped" if problem.kind == "missing" else "failure"
        cases.append({**case, how: {"type": problem.kind, "message": problem.message}})
    suite = {
        "name": Path(summary.plan.timeline).name,
        "tests": len(cases),
        "failures": sum("failure" in case for case in cases),
        "skipped": sum("skipped" in case for case in cases),
        "time": round(sum(result.seconds for result in summary.results), 3),
        "properties": {"timelines": list(summary.timelines), "counts": dict(summary.plan.counts)},
        "testcases": cases,
        "notes": list(summary.notes),
    }
    return {"testsuites": [suite]}


def contact_sheet(summary: BatchSummary) -> str:
    """The report as one HTML page with its images inside."""
    title = html.escape(f"{Path(summary.plan.timeline).name} - LP Suite batch")
    counts = ", ".join(f"{count} {html.escape(name)}" for name, count in summary.plan.counts.items())
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{counts}</p>",
        *(f"<p>{html.escape(line)}</p>" for line in summary.sentences()),
        *(_section(summary, result) for result in summary.results),
        "</body></html>",
    ]
    return "\n".join(parts)


def _section(summary: BatchSummary, result: ShotResult) -> str:
    path = summary.plan.folder / result.shot.output
    images = "" if result.state == "failed" else "".join(_images(path, result.shot.frames))
    facts = {
        "state": result.state,
        "performance": Path(speech_file(result.shot.job.driving)).name,
        "result": result.shot.output,
        **{name.replace("_", " "): value for name, value in result.figures.items()},
    }
    rows = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts.items()
    )
    failed = f"<p>{html.escape(result.message)}</p>" if result.message else ""
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result.shot.notes)
    return (
        f'<section class="{result.state.split()[0]}"><div class="images">{images}</div><div>'
        f"<h2>{html.escape(result.shot.name or result.shot.id)}</h2><dl>{rows}</dl>{failed}{notes}</div></section>"
    )


def _images(path: Path, frames: int) -> Iterator[str]:
    """The first image, the middle one and the last."""
    wanted = sorted({0, frames // 2, max(frames - 1, 0)})
    try:
        with open_source(path) as source:
            for frame in source:
                if frame.index in wanted:
                    data = base64.b64encode(_small_jpeg(frame.as_rgb8())).decode()
                    yield f'<img alt="frame {frame.index}" src="data:image/jpeg;base64,{data}">'
    except Exception as error:  # noqa: BLE001 - a report without an image is better than none
        yield f"<p>{html.escape(str(error) or type(error).__name__)}</p>"


def _small_jpeg(picture: NDArray[np.uint8]) -> bytes:
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return data.tobytes()
