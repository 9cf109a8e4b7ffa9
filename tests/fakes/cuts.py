"""Timelines made in code."""

import opentimelineio as otio

RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange


def file_at(path, rate, count, start=0):
    """A reference to a video or a still."""
    return otio.schema.ExternalReference(str(path), TR(RT(start, rate), RT(count, rate)))


def clip_of(name, reference, rate, start, count, driver=None, **settings):
    """A clip, marked in its metadata where a driver is given."""
    clip = otio.schema.Clip(name, reference, TR(RT(start, rate), RT(count, rate)))
    if driver is not None:
        clip.metadata["lp_suite"] = {
            "driver": str(driver),
            "engine": "mesh",
            "calibration": "off",
            **settings,
        }
    return clip


def gap_of(rate, count):
    return otio.schema.Gap(source_range=TR(RT(0, rate), RT(count, rate)))


def timeline_of(name, video, audio=()):
    """A timeline of tracks: lists of items for images, bottom first, and for sound."""
    timeline = otio.schema.Timeline(name)
    for kind, tracks in (("Video", video), ("Audio", audio)):
        for number, items in enumerate(tracks, 1):
            track = otio.schema.Track(f"{kind[0]}{number}", kind=kind)
            track.extend(items)
            timeline.tracks.append(track)
    return timeline


def write(timeline, path):
    otio.adapters.write_to_file(timeline, str(path))
    return path


def read(path):
    return otio.adapters.read_from_file(str(path))


def places(timeline):
    """All clips."""
    return list(timeline.find_clips())
