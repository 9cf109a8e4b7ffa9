"""A render with a report: an HTML page with images of the result, its figures, and the curve of confidence."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.errors import SettingError
from lp_core.files import refuse_existing, write_whole
from lp_core.job import RenderJob
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_source
from lp_core.render.html_page import curve, facts, page, thumbnail
from lp_core.render.passes import FaceLog
from lp_core.render.report import Listener, Summary, runs_text

IMAGES = 12
"""Images on the page, spread over the result."""


@dataclass
class _Curves:
    """Keeps the confidence of every frame, and passes all numbers on to the log that was asked for."""

    inner: FaceLog | None
    confidence: list[float] = field(default_factory=list)

    def add(
        self,
        index: int,
        confidence: float,
        landmarks: NDArray[np.float32] | None,
        scheme: str,
        trust: NDArray[np.float32] | None = None,
        cause: str = "",
    ) -> None:
        lowest = confidence if trust is None else min(confidence, float(trust.min()))
        self.confidence.append(float(lowest))
        if self.inner is not None:
            self.inner.add(index, confidence, landmarks, scheme, trust, cause)

    def commit(self) -> None:
        if self.inner is not None:
            self.inner.commit()

    def abort(self) -> None:
        if self.inner is not None:
            self.inner.abort()

    def __enter__(self) -> Self:
        if self.inner is not None:
            self.inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.inner is not None:
            self.inner.__exit__(kind, error, trace)


def render_with_report(job: RenderJob, path: Path, listener: Listener | None = None) -> Summary:
    """Renders a job and writes a page about the result.

    Args:
        job: what to render.
        path: the page; its name ends in ``.html``.
        listener: takes progress.

    Raises:
        SettingError: the page has another suffix.
        OutputExists: the page exists, and the job does not say to overwrite.
        LpError: the render cannot start or finish, or the page cannot be written; a finished result stays.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise SettingError(f"--report {path} is not a page; let its name end in .html.")
    refuse_existing(path, job.settings.output.overwrite)
    render = assemble(job)
    curves = _Curves(None)

    def open_log(spec: SinkSpec) -> FaceLog:
        curves.inner = None if render.target.open_log is None else render.target.open_log(spec)
        return curves

    summary = replace(render, target=replace(render.target, open_log=open_log)).run(listener)
    write_whole(path, contact_sheet(job, summary, curves.confidence))
    return summary


def contact_sheet(job: RenderJob, summary: Summary, confidence: list[float]) -> str:
    """The page.

    Args:
        job: what was rendered.
        summary: what came of it.
        confidence: of the driving face in every frame, 0..1.
    """
    figures: list[tuple[str, object]] = [
        ("source", Path(job.source).name),
        ("performance", Path(job.driving).name),
        ("engine", summary.engine),
        ("frames", f"{summary.frames} at {summary.rate} fps"),
        ("seconds", summary.seconds),
        ("signature", summary.signature),
    ]
    lost = (
        ("driving face lost", summary.lost_driving_frames),
        ("source face lost", summary.lost_source_frames),
    )
    figures += [(name, runs_text(runs)) for name, runs in lost if runs]
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in summary.notes)
    return page(
        f"{Path(summary.output).name} - LP Suite",
        [
            f'<section><div class="images">{"".join(_images(summary))}</div></section>',
            f"<section><div>{facts(figures)}{notes}</div></section>",
            f"<section><div>{curve('Confidence of the driving face', confidence)}</div></section>",
        ],
    )


def _images(summary: Summary) -> Iterator[str]:
    """Images spread over the result."""
    count = min(IMAGES, summary.frames)
    wanted = {round(index) for index in np.linspace(0, summary.frames - 1, count)} if count else set()
    with open_source(summary.output) as result:
        for frame in result:
            if frame.index in wanted:
                yield thumbnail(f"frame {frame.index}", frame.as_rgb8())
