"""How Resolve's double imports a timeline, and what its queue renders."""

import json
import re
from fractions import Fraction
from pathlib import Path

from fakes.resolve_pool import MediaPoolItem, described


class NotItsShape(Exception):
    """The file is not as Resolve writes it; it then imports nothing and says nothing."""


def _need(condition):
    if not condition:
        raise NotItsShape


def imported(host, path, options):
    """The timeline of an OTIO file, with a clip in the media pool; speeds are those of LinearTimeWarp."""
    whole = json.loads(Path(path).read_text(encoding="utf-8"))
    start, video = whole.get("global_start_time"), []
    _need(start)
    for track in whole["tracks"]["children"]:
        if track["kind"] == "Video":
            video.append(track)
            _need(track["name"].startswith("Video "))
    rate = start["rate"]
    text = f"{rate:.3f}".rstrip("0").rstrip(".")
    made = host.project.timeline(options["timelineName"], text, "01:00:00:00")  # it is shown at once
    made.made_from, made.start = path, round(start["value"])
    for index, track in enumerate(video, 1):
        made.tracks.setdefault(index, [])
        at = made.start
        for item in track["children"]:
            if item["OTIO_SCHEMA"].startswith("Gap"):
                at += round(item["source_range"]["duration"]["value"])
                continue
            at += _lay(host, made, index, at, item)
    length = max((item.start + item.length for items in made.tracks.values() for item in items), default=0)
    made.own_clip = MediaPoolItem(
        host,
        {"File Path": "", "FPS": text, "Frames": str(length - made.start), "Start TC": "00:00:00:00",
         "Type": "Timeline", "Clip Name": made.name},
    )  # fmt: skip
    return made


def _lay(host, timeline, track, at, item):
    _need(item["OTIO_SCHEMA"] == "Clip.2" and item.get("media_references"))
    reference = item["media_references"][item["active_media_reference_key"]]
    _need(reference.get("available_range") and not reference["target_url"].startswith("file:"))
    clip = _clip(host, reference["target_url"])
    span = item["source_range"]
    first = round(span["start_time"]["value"] - reference["available_range"]["start_time"]["value"])
    _need(0 <= first < clip.frames)  # source frames are those of the file's timecode
    speed = next((Fraction(str(effect["time_scalar"])) for effect in item.get("effects") or []
                  if effect["OTIO_SCHEMA"].startswith("LinearTimeWarp")), Fraction(1))  # fmt: skip
    length = round(span["duration"]["value"] * float(timeline.rate.fps) / span["duration"]["rate"])
    placed = timeline.put(track, clip, at, first, round(length * speed), length)
    placed.speed = speed
    return length


def _clip(host, url):
    for item in host.project.pool.every():
        if item.properties["File Path"] == url:
            return item
    numbered = re.match(r"(.*)\[(\d+)-(\d+)\](.*)$", url)
    if numbered:
        head, first, last, tail = numbered.groups()
        about = described(f"{head}%0{len(first)}d{tail}", int(first), int(last))
    else:
        _need(Path(url).is_file())
        about = described(url)
    return host.project.pool.add(about)


def render(timeline, settings, chosen):
    """Writes what the timeline shows in a range: the topmost visible track, retimes by the nearest frame."""
    from fakes.plates import write_plate

    from lp_core.media.open import open_source

    shown = []
    for at in range(settings["MarkIn"], settings["MarkOut"] + 1):
        items = [item for index in sorted(timeline.tracks) if index not in timeline.hidden
                 for item in timeline.tracks[index] if item.start <= at < item.start + item.length]  # fmt: skip
        item = items[-1]
        if item.shown is not None:
            shown.append(item.shown[at - item.start])
            continue
        number = item.first + int((at - item.start) * item.speed)
        path = re.sub(
            r"\[(\d+)-\d+\]", lambda found: f"%0{len(found.group(1))}d", item.clip.properties["File Path"]
        )
        with open_source(path) as source:
            shown.append(next(frame.as_rgb8() for frame in source if frame.index == number))
    path = Path(settings["TargetDir"]) / f"{settings['CustomName']}.{chosen['format']}"
    write_plate(path, shown, str(timeline.rate.fps), "01:00:00:00")
