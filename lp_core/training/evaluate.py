"""``lpsuite train evaluate``: how well weights, engines and videos of other programs reenact a prepared set."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.liveportrait.networks import Networks
from lp_core.errors import LpError, SettingError
from lp_core.faces.sface import FaceDescriber
from lp_core.files import ensure_folder, write_whole
from lp_core.training.export import read_weights
from lp_core.training.metrics import (
    FaceReading,
    InceptionFeatures,
    LpipsDistance,
    compare_readings,
    frechet,
    identity_kept,
    interval,
    read_faces,
    ssim,
)
from lp_core.training.reenact import face_box, held_out, networks_of, reenact, reenact_other, unseen
from lp_core.training.rivals import at_size, drawn_by_mesh, result_of, write_inputs
from lp_core.training.sheets import as_u8, contact_sheet, write_png
from lp_core.training.store import StoredShot, TrainingSet, open_set

U8 = NDArray[np.uint8]
Hear = Callable[[str], None]
PARTS = ("held-out", "validation", "test")
PIXEL = ("PSNR", "PSNR-face", "L1", "SSIM", "LPIPS")
FACE = ("AKD", "AED-mp", "APD-mp", "MAE-eye", "r_eyes", "r_lips", "found", "CSIM")
SHEET_SHOTS, SHEET_FRAMES = 8, 3


@dataclass(frozen=True)
class EvaluateOptions:
    """What is evaluated."""

    part: str = "test"
    """'held-out' frames of people who were trained on, or people of 'validation' or 'test'."""
    every: int = 8
    """Every so many frames."""
    is_cross: bool = False
    """Each source is driven by the next shot's person, so there is no truth to compare pixels with."""
    reads_faces: bool = True
    """Figures from MediaPipe and SFace too."""
    has_mesh: bool = True
    """A row for the mesh engine."""
    results: tuple[Path, ...] = ()
    """Folders of videos by other programs."""
    inputs: Path | None = None
    """Folder to write the inputs to, for other programs."""
    inception: Path | None = None
    """Network of the FID, TorchScript."""

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise SettingError(f"part = {self.part} is not known; choose one of: {', '.join(PARTS)}.")
        if self.every < 1:
            raise SettingError(f"every = {self.every} is out of range; it is at least 1.")


@dataclass(frozen=True)
class Case:
    """One source and the frames that drive it."""

    name: str
    """Of the shot, and of the driving shot where that is another."""
    source: StoredShot
    """Its first frame is animated."""
    driving: StoredShot
    """Where the driving frames come from."""
    frames: list[int]
    """Driving frames."""


@dataclass
class EvaluationTable:
    """Figures: way -> clip -> name -> value."""

    side: int
    """Pixels of the compared images."""
    rows: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """All figures."""
    notes: list[str] = field(default_factory=list)
    """What is not available, and why."""
    images: int = 0
    """Frames that were compared."""

    def add(self, way: str, clip: str, figures: dict[str, float]) -> None:
        """Takes in the figures of a clip."""
        self.rows.setdefault(way, {})[clip] = figures


def evaluate(
    data: Path, weights: Sequence[Path], output: Path, options: EvaluateOptions, hear: Hear
) -> EvaluationTable:
    """Compares weights, the mesh engine and videos of other programs; writes tables and a sheet.

    Args:
        data: a prepared set.
        weights: folders of weights, each a row.
        output: folder of ``table.md``, ``table.csv`` and ``sheet.png``.
        options: what is evaluated.
        hear: called with the name of each clip.

    Raises:
        SettingError: the set has nothing to evaluate, or a video has another number of frames.
        ModelMissing, ModelDamaged: weights cannot be read.
    """
    found = open_set(data)
    cases = cases_of(found, options)
    models = {_name(path): networks_of((w := read_weights(path)).sizes, w.states) for path in weights}
    side = min([found.size, *(network.sizes.output_px for network in models.values())])
    table = EvaluationTable(side)
    tools = _Tools.opened(options, table)
    features: dict[str, list[NDArray[np.float64]]] = {}
    sheet = []
    for case in cases:
        hear(case.name)
        truth = [at_size(case.driving.image(index), side) for index in case.frames]
        ways = _ways(case, models, options, side)
        table.images += len(truth)
        sheet.append(_sheet_row(case, truth, ways, side))
        _measure(table, case, truth, ways, tools, options)
        if tools.inception is not None:
            for way, images in {"truth": truth, **ways}.items():
                features.setdefault(way, []).append(tools.inception(images))
    for way in [way for way in features if way != "truth"]:
        both = (np.concatenate(features["truth"]), np.concatenate(features[way]))
        table.add(way, "all", {"FID": frechet(*both)})
    ensure_folder(output)
    write_whole(output / "table.md", as_markdown(table, options))
    write_whole(output / "table.csv", as_csv(table))
    write_png(output / "sheet.png", contact_sheet(sheet[:SHEET_SHOTS]))
    return table


def _name(path: Path) -> str:
    found = read_weights(path)
    return found.trained.name if found.trained is not None else path.name


def cases_of(found: TrainingSet, options: EvaluateOptions) -> list[Case]:
    """What is reenacted.

    Raises:
        SettingError: nothing.
    """
    own = (
        held_out(found, options.every)
        if options.part == "held-out"
        else unseen(found, options.part, options.every)
    )
    shots = list(own)
    if not shots or (options.is_cross and len(shots) < 2):
        raise SettingError(
            f"{found.folder} has {len(shots)} shots to evaluate in its part '{options.part}'; prepare it with "
            "--test or --validation, or choose another part."
        )
    if not options.is_cross:
        return [Case(stored.shot.id, stored, stored, frames) for stored, frames in shots]
    others = [*shots[1:], shots[0]]
    return [
        Case(f"{stored.shot.id}~{other.shot.id}", stored, other, frames)
        for (stored, _), (other, frames) in zip(shots, others, strict=True)
    ]


@dataclass(frozen=True)
class _Tools:
    """Networks that some figures need."""

    describer: FaceDescriber | None
    lpips: LpipsDistance | None
    inception: InceptionFeatures | None

    @classmethod
    def opened(cls, options: EvaluateOptions, table: EvaluationTable) -> _Tools:
        """What is there; the table notes what is not."""
        describer, distance = None, None
        if options.reads_faces:
            try:
                describer = FaceDescriber()
            except LpError as error:
                table.notes.append(f"CSIM is not available: {error}")
        try:
            distance = LpipsDistance()
        except LpError as error:
            table.notes.append(str(error))
        if options.inception is None:
            table.notes.append(
                "FID is not available: name the Inception network, TorchScript, with --inception."
            )
        return cls(describer, distance, InceptionFeatures(options.inception) if options.inception else None)


def _ways(
    case: Case, models: dict[str, Networks], options: EvaluateOptions, side: int
) -> dict[str, list[U8]]:
    source = case.source.image(0)
    ways = {"source frame": [at_size(source, side)] * len(case.frames)}
    for name, networks in models.items():
        found = (
            reenact_other(networks, case.source, case.driving, case.frames)
            if options.is_cross
            else reenact(networks, case.source, case.frames)
        )
        ways[f"{name}, motion off"] = [at_size(as_u8(found.still), side)] * len(case.frames)
        ways[name] = [at_size(as_u8(image), side) for image in found.drawn]
    driving = [case.driving.image(0), *(case.driving.image(index) for index in case.frames)]
    if options.inputs is not None:
        write_inputs(options.inputs / case.name, source, driving)
    if options.has_mesh:
        drawn = drawn_by_mesh(source, driving)
        if drawn is not None:
            ways["mesh"] = [at_size(image, side) for image in drawn[1:]]
    for folder in options.results:
        drawn = result_of(folder, case.name, len(driving))
        if drawn is not None:
            ways[folder.name] = [at_size(image, side) for image in drawn[1:]]
    return ways


def _measure(
    table: EvaluationTable,
    case: Case,
    truth: Sequence[U8],
    ways: dict[str, list[U8]],
    tools: _Tools,
    options: EvaluateOptions,
) -> None:
    read = read_faces(truth, None) if options.reads_faces else []
    (shown,) = read_faces([case.source.image(0)], tools.describer) if options.reads_faces else (None,)
    for way, images in ways.items():
        figures: dict[str, float] = {}
        if not options.is_cross:
            figures |= pixel_figures(truth, images, case, table.side, tools.lpips)
        if options.reads_faces:
            figures |= _face_figures(read, shown, images, tools.describer)
        table.add(way, case.name, figures)


def pixel_figures(
    truth: Sequence[U8], images: Sequence[U8], case: Case, side: int, lpips: LpipsDistance | None
) -> dict[str, float]:
    """PSNR whole and in the face box, L1, SSIM and, where it is there, LPIPS, over the frames of a clip."""
    errors, faces, absolute, alike, far = [], [], [], [], []
    for index, a, b in zip(case.frames, truth, images, strict=True):
        x, y = (np.asarray(image.transpose(2, 0, 1) / 255, np.float32) for image in (a, b))
        rows, columns = face_box(case.driving.labels["landmarks"][index], side)
        square = np.square(x - y)
        errors.append(float(square.mean()))
        faces.append(float(square[:, rows, columns].mean()))
        absolute.append(float(np.abs(x - y).mean()))
        alike.append(ssim(x, y))
        if lpips is not None:
            far.append(lpips(x, y))
    found = {
        "PSNR": _db(errors),
        "PSNR-face": _db(faces),
        "L1": float(np.mean(absolute)),
        "SSIM": float(np.mean(alike)),
    }
    return found | ({"LPIPS": float(np.mean(far))} if far else {})


def _db(errors: Sequence[float]) -> float:
    mean = float(np.mean(errors))
    return float("inf") if mean == 0 else -10 * float(np.log10(mean))


def _face_figures(
    truth: Sequence[FaceReading | None],
    shown: FaceReading | None,
    images: Sequence[U8],
    describer: FaceDescriber | None,
) -> dict[str, float]:
    drawn = read_faces(images, describer)
    found = compare_readings(truth, drawn)
    return found | ({"CSIM": identity_kept(shown, drawn)} if describer is not None else {})


def as_markdown(table: EvaluationTable, options: EvaluateOptions) -> str:
    """A mean with its 95 % interval for each way, then each clip."""
    kind = "cross-reenactment" if options.is_cross else "self-reenactment"
    names = [
        name
        for name in (*PIXEL, *FACE, "FID")
        if any(name in f for c in table.rows.values() for f in c.values())
    ]
    lines = [
        f"# Evaluation: {kind}, {options.part}",
        "",
        f"{table.images} frames of {table.side} pixels, every {options.every} of a shot. Mean over clips, and the ends "
        "of its 95 % interval by resampling clips. AED-mp, APD-mp and MAE-eye are from MediaPipe and are not the "
        "figures of papers; CSIM is SFace's cosine to the source.",
        "",
        "| | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for way, clips in table.rows.items():
        cells = []
        for name in names:
            values = [figures[name] for figures in clips.values() if name in figures]
            mean, low, high = interval(values)
            is_exact = bool(values) and all(np.isinf(value) for value in values)
            cells.append("exact" if is_exact else f"{mean:.3f} ({low:.3f} .. {high:.3f})" if values else "-")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    lines += ["", "| clip | | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for way, clips in table.rows.items():
        for clip, figures in clips.items():
            cells = [f"{figures[name]:.3f}" if name in figures else "-" for name in names]
            lines.append(f"| {clip} | {way} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in table.notes)]) + "\n"


def as_csv(table: EvaluationTable) -> str:
    """One row for each way and clip."""
    text = io.StringIO()
    names = [*PIXEL, *FACE, "FID"]
    writer = csv.DictWriter(text, ["way", "clip", *names], restval="", lineterminator="\n")
    writer.writeheader()
    for way, clips in table.rows.items():
        for clip, figures in clips.items():
            writer.writerow(
                {"way": way, "clip": clip, **{key: f"{value:.6g}" for key, value in figures.items()}}
            )
    return text.getvalue()


def _sheet_row(case: Case, truth: Sequence[U8], ways: dict[str, list[U8]], side: int) -> list[U8]:
    """The source, then truth and each way for some frames."""
    row = [at_size(case.source.image(0), side)]
    for index in np.unique(np.linspace(0, len(truth) - 1, SHEET_FRAMES).astype(int)):
        row += [truth[index], *(images[index] for way, images in ways.items() if way != "source frame")]
    return row
