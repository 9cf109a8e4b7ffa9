"""What a prepared set holds, for people: counts, reasons, contact sheets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.files import ensure_folder, write_whole
from lp_core.training.sheets import contact_sheet, write_png
from lp_core.training.store import SPLITS, StoredShot, TrainingSet

COLUMNS = 8
CELL_PX = 128
MOST_SHEETS = 50


def write_report(found: TrainingSet) -> Path:
    """Writes ``report.md`` and a contact sheet for each of the first shots; returns the report."""
    ensure_folder(found.folder / "sheets")
    for stored in found.shots[:MOST_SHEETS]:
        write_png(found.folder / "sheets" / f"{stored.shot.id}.png", sheet_of(stored))
    path = found.folder / "report.md"
    write_whole(path, report_text(found))
    return path


def sheet_of(stored: StoredShot) -> NDArray[np.uint8]:
    """Eight frames of a shot with their landmarks."""
    count = stored.shot.frames
    cells = []
    for index in np.unique(np.linspace(0, count - 1, COLUMNS).astype(int)):
        image = stored.image(int(index)).copy()
        points = ((stored.labels["landmarks"][index][:, :2] + 1) * len(image) - 1) / 2
        for x, y in np.rint(points).astype(int):
            cv2.circle(image, (int(x), int(y)), 0, (90, 255, 90), -1)
        cells.append(cv2.resize(image, (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA))
    return contact_sheet([cells])


def report_text(found: TrainingSet) -> str:
    """The report, in Markdown."""
    shots = [stored.shot for stored in found.shots]
    people = {split: sorted({shot.person for shot in shots if shot.split == split}) for split in SPLITS}
    lines = ["# Training set", "", "| split | people | shots | frames |", "|---|---|---|---|"]
    for split in SPLITS:
        own = [shot for shot in shots if shot.split == split]
        lines.append(f"| {split} | {len(people[split])} | {len(own)} | {sum(shot.frames for shot in own)} |")
    lines += [
        "",
        "| shot | source | person | split | frames | frames left out | license |",
        "|---|---|---|---|---|---|---|",
    ]
    for shot in shots:
        reasons = found.about["left_out"].get(shot.source, {})
        text = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "-"
        lines.append(
            f"| {shot.id} | {shot.source} | {shot.person} | {shot.split} | {shot.frames} | {text} | {shot.license} |"
        )
    refused = found.about["refused"]
    lines += ["", f"Shots left out: {len(refused)}."]
    lines += [f"- {row['source']} from frame {row['first']}: {row['reason']}" for row in refused]
    lines += [f"- {row['source']}: {row['reason']}" for row in found.about["unreadable"]]
    counts = Counter(reason for row in found.about["left_out"].values() for reason in row)
    lines += ["", f"Reasons in all: {', '.join(sorted(counts)) or 'none'}."]
    consent = found.about.get("consent")
    lines += [
        "",
        f"Consent: {consent['person'] + ', ' + consent['granted_by'] if consent else 'none recorded'}.",
    ]
    return "\n".join(lines) + "\n"
