"""``lpsuite inspect``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lp_core.cli.flags import settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.output import say

if TYPE_CHECKING:
    from lp_core.faces.base import Face, FaceBox, Sightings, UnreadFace
    from lp_core.frame import ClipInfo, Frame
    from lp_core.render.edges import FilmedFace

_STRONGEST = 5
"""Blendshapes shown in the table; JSON has them all."""


@click.command(short_help="Show the faces of an image.")
@click.argument("picture")
@click.option("--frame", default=0, show_default=True, type=click.IntRange(min=0), help="Frame of a video.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--ids", is_flag=True, help="List the people of a video with their ids (needs the model sface)."
)
@click.option("--overlay", metavar="OUT.png", help="Write the image with the faces drawn on it.")
@click.option(
    "--write-points", metavar="OUT.json", help="Write points of the first face, or of a cat, for --points."
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@settings_options("layer", "view", "interlaced", "references", "points")
@debug_option
def inspect(
    picture: str,
    frame: int,
    as_json: bool,
    ids: bool,
    overlay: str | None,
    write_points: str | None,
    overwrite: bool,
    points: str | None,
    **values: Any,  # noqa: ANN401
) -> None:
    """Shows the faces found in PICTURE (index, box, score, pose, strongest blendshapes) and the clip's length.

    The index is what --source-face and --driving-face take; so are the ids of people.
    """
    from lp_core.clips import face_by_points, filmed_face, sightings_of_frame
    from lp_core.faces.base import Sightings
    from lp_core.faces.selector import in_order
    from lp_core.media.base import ReadOptions

    options = ReadOptions(**values)
    film = filmed_face(picture, "largest", options)
    found, seen = sightings_of_frame(film, frame)
    if points is not None:
        seen = Sightings((face_by_points(film, points, found),))
    faces = in_order(seen.faces)
    if write_points is not None:
        _write_points(Path(write_points), found, faces, overwrite)
    if overlay is not None:
        _write_overlay(Path(overlay), found, seen, film.info, overwrite)
    height, width = found.pixels.shape[:2]
    described = [describe(index, face, film.info.is_still) for index, face in enumerate(faces)]
    people = _people(film) if ids else []
    if as_json:
        report: dict[str, Any] = {
            "file": picture,
            "frame": frame,
            "width": width,
            "height": height,
            "faces": described,
            "unread": [describe_unread(item) for item in seen.unread],
        }
        if not film.info.is_still:
            report["clip"] = clip_values(film.info)
        if ids:
            report["people"] = people
        say(json.dumps(report, indent=2))
        return
    _print(picture, (width, height), described, seen, film.info)
    for person in people:
        say(person_line(person))
    for name, path in (("Overlay", overlay), ("Points", write_points)):
        if path is not None:
            say(f"{name}: {path}")


def _print(
    picture: str, size: tuple[int, int], described: list[dict[str, Any]], seen: Sightings, info: ClipInfo
) -> None:
    say(f"{picture}: {size[0]}x{size[1]} pixels, {count_text(len(described))}")
    if not info.is_still:
        say(clip_lines(info))
    for face in described:
        say(face_lines(face))
    for item in seen.unread:
        say(unread_line(item))


def _people(film: FilmedFace) -> list[dict[str, Any]]:
    """The people of a video as plain values; what they look like is not among them."""
    from lp_core.wanted_people import people_in

    return [
        {
            "id": person.id,
            "first_frame": person.first_frame,
            "last_frame": person.last_frame,
            "looks": person.looks,
            "box": box_values(person.box),
        }
        for person in people_in(film.info, film.open)
    ]


def person_line(person: dict[str, Any]) -> str:
    """A person for people."""
    left, top, right, bottom = person["box"]
    return (
        f"  person {person['id']}: frames {person['first_frame']} to {person['last_frame']}, last seen at "
        f"{left:.0f},{top:.0f} to {right:.0f},{bottom:.0f}"
    )


def box_values(box: FaceBox) -> list[float]:
    """A box as left, top, right, bottom in pixels."""
    return [round(value, 1) for value in (box.left, box.top, box.right, box.bottom)]


def _write_overlay(path: Path, found: Frame, seen: Sightings, info: ClipInfo, overwrite: bool) -> None:
    from lp_core.faces.overlay import draw_overlay
    from lp_core.media.color_tags import SRGB
    from lp_core.media.image.stills import write_image

    is_shown = found.encoding is None or found.encoding.is_display  # else as_rgb8 makes it sRGB
    drawn = draw_overlay(found.as_rgb8(), seen.faces, seen.unread)
    write_image(path, drawn, info.color if is_shown else SRGB, overwrite=overwrite)


def _write_points(path: Path, found: Frame, faces: Sequence[Face], overwrite: bool) -> None:
    """Writes the points of the first face; where there is none, a guess at a cat's."""
    from lp_core.errors import NoFace
    from lp_core.faces.cats import cat_points
    from lp_core.faces.hand_points import points_of, write_points
    from lp_core.files import refuse_existing

    refuse_existing(path, overwrite)
    points = points_of(faces[0]) if faces else cat_points(found.as_rgb8())
    if points is None:
        raise NoFace(
            f"No face and no cat was found to take points from; write {path} by hand (docs/faces.md)."
        )
    write_points(path, points)


def clip_values(info: ClipInfo) -> dict[str, Any]:
    """What is known of a clip: its frames as they will be delivered, duration in seconds."""
    count = info.frame_count
    return {
        "frames": count,
        "rate": str(info.rate),
        "duration_s": None if count is None else round(float(info.rate.time_s(count)), 6),
        "alpha": info.has_alpha,
        "audio": info.has_audio,
        "timecode": None if info.timecode is None else info.timecode.text,
        "notes": list(info.notes),
    }


def clip_lines(info: ClipInfo) -> str:
    """The same for people."""
    values = clip_values(info)
    length = "unknown length" if values["frames"] is None else f"{values['frames']} frames"
    parts = [f"{length} at {info.rate} frames per second"]
    if values["duration_s"] is not None:
        parts.append(f"{values['duration_s']:g} s")
    parts += [word for word in ("alpha", "audio") if values[word]]
    return "\n".join([f"  clip: {', '.join(parts)}", *(f"  note: {note}" for note in info.notes)])


def describe(index: int, face: Face, is_still: bool = True) -> dict[str, Any]:
    """A face as plain values: box in pixels, pose in degrees, blendshapes from the strongest; of a still, its id."""
    shapes = sorted(face.blendshapes.items(), key=lambda item: -item[1])
    return {
        "index": index,
        **({"id": f"p{index}"} if is_still else {}),
        "box": box_values(face.box),
        "score": round(float(face.score), 3),
        "pose": {
            "pitch_deg": round(float(face.pose.pitch_deg), 1),
            "yaw_deg": round(float(face.pose.yaw_deg), 1),
            "roll_deg": round(float(face.pose.roll_deg), 1),
        },
        "landmarks": len(face.landmarks_frame),
        "blendshapes": {name: round(float(value), 3) for name, value in shapes},
    }


def describe_unread(item: UnreadFace) -> dict[str, Any]:
    """A face that cannot be read as plain values: box in pixels, score, reason."""
    return {
        "box": box_values(item.box),
        "score": round(float(item.score), 3),
        "reason": item.reason,
    }


def unread_line(item: UnreadFace) -> str:
    """The same for people."""
    box = item.box
    return f"  face at {box.left:.0f},{box.top:.0f} to {box.right:.0f},{box.bottom:.0f}: {item.reason}"


def face_lines(values: dict[str, Any]) -> str:
    """The same for people."""
    left, top, right, bottom = values["box"]
    pose = values["pose"]
    strongest = list(values["blendshapes"].items())[:_STRONGEST]
    shapes = ", ".join(f"{name} {value:.2f}" for name, value in strongest) or "none"
    return (
        f"  face {values['index']}: score {values['score']:.2f}, "
        f"box {left:.0f},{top:.0f} to {right:.0f},{bottom:.0f} ({right - left:.0f}x{bottom - top:.0f})\n"
        f"    pose: pitch {pose['pitch_deg']:+.1f}, yaw {pose['yaw_deg']:+.1f}, "
        f"roll {pose['roll_deg']:+.1f} degrees\n"
        f"    blendshapes: {shapes}"
    )


def count_text(count: int) -> str:
    """How many faces, in words."""
    return {0: "no face", 1: "1 face"}.get(count, f"{count} faces")
