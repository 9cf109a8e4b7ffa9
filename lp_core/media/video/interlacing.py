"""Interlaced videos: refused, or a frame made of each two fields."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from av.filter import Graph
from av.video.frame import VideoFrame

from lp_core.errors import MediaError
from lp_core.media.video.constant_rate import TimedItem

FieldItem = tuple[VideoFrame, bool]
"""An image, and whether it replaces a damaged one."""


def check_fields(path: Path, first: VideoFrame, choice: str) -> None:
    """Refuses an interlaced video unless the user has said what happens to its fields.

    Raises:
        MediaError: the first image is interlaced and ``choice`` is 'refuse'.
    """
    if first.interlaced_frame and choice == "refuse":
        raise MediaError(
            f"{path} is interlaced: each image holds two moments; use --interlaced frame to make a whole frame "
            "of each image, or --interlaced keep if it is progressive and only marked so."
        )


def deinterlaced(pictures: Iterator[TimedItem[FieldItem]]) -> Iterator[TimedItem[FieldItem]]:
    """The same images, each whole (bwdif, one frame for two fields); times and number stay."""
    waiting: deque[TimedItem[FieldItem]] = deque()
    graph: Graph | None = None
    form = 0, 0, ""
    for count, shown in enumerate(pictures):
        frame = shown.item[0]
        changed = (frame.width, frame.height, frame.format.name) != form
        if graph is not None and changed:
            graph.push(None)
            yield from _done(graph, waiting)
        if graph is None or changed:
            graph, form = _graph(frame), (frame.width, frame.height, frame.format.name)
        # The filter looks at times; an image repeated over a gap would bear the same one twice.
        frame.pts, frame.time_base = count, Fraction(1, 25)
        waiting.append(shown)
        graph.push(frame)
        yield from _done(graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _done(graph, waiting)


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    buffer = graph.add(
        "buffer",
        args=f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/25",
    )
    # "deint=all": videos that mark only some images as interlaced would flicker.
    graph.link_nodes(
        buffer, graph.add("bwdif", "mode=send_frame:deint=all"), graph.add("buffersink")
    ).configure()
    return graph


def _done(graph: Graph, waiting: deque[TimedItem[FieldItem]]) -> Iterator[TimedItem[FieldItem]]:
    while waiting:
        try:
            made = graph.vpull()
        except (BlockingIOError, EOFError):
            return
        shown = waiting.popleft()
        yield replace(shown, item=(made, shown.item[1]))
