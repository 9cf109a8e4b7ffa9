"""Reports of a batch: a contact sheet to look at, and figures for pipelines."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

from lp_core.batch.results import BatchSummary, ShotResult
from lp_core.files import write_whole
from lp_core.media.open import open_source
from lp_core.performance_name import speech_file
from lp_core.render.html_page import facts, page, thumbnail

SHEET, FIGURES = "report.html", "report.json"


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
    counts = ", ".join(f"{count} {html.escape(name)}" for name, count in summary.plan.counts.items())
    return page(
        f"{Path(summary.plan.timeline).name} - LP Suite batch",
        [
            f"<p>{counts}</p>",
            *(f"<p>{html.escape(line)}</p>" for line in summary.sentences()),
            *(_section(summary, result) for result in summary.results),
        ],
    )


def _section(summary: BatchSummary, result: ShotResult) -> str:
    path = summary.plan.folder / result.shot.output
    images = "" if result.state == "failed" else "".join(_images(path, result.shot.frames))
    rows = {
        "state": result.state,
        "performance": Path(speech_file(result.shot.job.driving)).name,
        "result": result.shot.output,
        **{name.replace("_", " "): value for name, value in result.figures.items()},
    }
    failed = f"<p>{html.escape(result.message)}</p>" if result.message else ""
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result.shot.notes)
    return (
        f'<section class="{result.state.split()[0]}"><div class="images">{images}</div><div>'
        f"<h2>{html.escape(result.shot.name or result.shot.id)}</h2>"
        f"{facts(rows.items())}{failed}{notes}</div></section>"
    )


def _images(path: Path, frames: int) -> Iterator[str]:
    """The first image, the middle one and the last."""
    wanted = sorted({0, frames // 2, max(frames - 1, 0)})
    try:
        with open_source(path) as source:
            for frame in source:
                if frame.index in wanted:
                    yield thumbnail(f"frame {frame.index}", frame.as_rgb8())
    except Exception as error:  # noqa: BLE001 - a report without an image is better than none
        yield f"<p>{html.escape(str(error) or type(error).__name__)}</p>"
