"""A timeline of the double as Resolve writes it into OTIO: bare paths, absolute media time, markers with notes."""

import opentimelineio as otio

from lp_core.timing import Timecode


def as_otio(timeline):
    """The text of an .otio file."""
    rate = float(timeline.rate.fps)
    made = otio.schema.Timeline(
        timeline.name, global_start_time=otio.opentime.RationalTime(timeline.start, rate)
    )
    made.metadata["Resolve_OTIO"] = {"Resolve OTIO Meta Version": "1.0"}
    for index, items in sorted(timeline.tracks.items()):
        track = otio.schema.Track(f"Video {index}", kind=otio.schema.TrackKind.Video)
        at = timeline.start
        for item in sorted(items, key=lambda found: found.start):
            if item.start > at:
                gap = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(item.start - at, rate))
                track.append(otio.schema.Gap(source_range=gap))
            track.append(_clip(item, rate) if item.clip else _title(item, rate))
            at = item.start + item.length
        made.tracks.append(track)
    return made.to_json_string()


def _title(item, rate):
    span = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(item.length, rate))
    return otio.schema.Clip(item.GetName(), otio.schema.MissingReference(), span)


def _clip(item, rate):
    media = item.clip
    hours, minutes, seconds, frames = (
        int(word) for word in media.properties["Start TC"].replace(";", ":").split(":")
    )
    start = Timecode.of(
        hours, minutes, seconds, frames, media.rate, ";" in media.properties["Start TC"]
    ).frame

    def span(first, count):
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start + first, rate), otio.opentime.RationalTime(count, rate)
        )

    reference = otio.schema.ExternalReference(media.properties["File Path"], span(0, media.frames))
    clip = otio.schema.Clip(
        item.GetName(), reference, span(item.first, item.length if item.speed != 1 else item.count)
    )
    if item.speed != 1:  # the place in the media is the true one, the length that of the timeline
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(item.speed)))
    for frame, marker in item.markers.items():
        spot = otio.opentime.TimeRange(
            otio.opentime.RationalTime(frame, rate), otio.opentime.RationalTime(1, rate)
        )
        note = {"Resolve_OTIO": {"Note": marker["note"], "Keywords": []}}
        clip.markers.append(otio.schema.Marker(marker["name"], spot, metadata=note))
    return clip
