from __future__ import annotations

import pytest

from lp_core.motion.builtin import _MOTIONS
from lp_core.performance_name import (
    BUILTIN,
    BUILTIN_MOTIONS,
    CAMERA,
    CLIP,
    MEDIA,
    PUSH,
    STORED,
    TRACK,
    is_builtin,
    is_motion,
    motion_suffix,
    parse,
)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("demo:nod", BUILTIN, "nod"),
        ("demo:", BUILTIN, ""),
        ("talk.lpmotion", STORED, "talk.lpmotion"),
        ("TALK.PKL", STORED, "TALK.PKL"),
        ("a/b.LpMotion", STORED, "a/b.LpMotion"),
        ("C:\\takes\\talk.PKL", STORED, "C:\\takes\\talk.PKL"),
        ("camera:0", CAMERA, "0"),
        ("camera:/dev/video0", CAMERA, "/dev/video0"),
        ("push", PUSH, "push"),
        ("push.mp4", MEDIA, "push.mp4"),
        ("clip:A: take 2", CLIP, "A: take 2"),
        ("track:V2", TRACK, "V2"),
        ("clip.mov", MEDIA, "clip.mov"),
        ("my demo:nod.mp4", MEDIA, "my demo:nod.mp4"),
        ("shot.%04d.exr", MEDIA, "shot.%04d.exr"),
        ("rtsp://host/talk", MEDIA, "rtsp://host/talk"),
        ("talk.pkl.mp4", MEDIA, "talk.pkl.mp4"),
        ("", MEDIA, ""),
    ],
)
def test_names(text, kind, name):
    assert parse(text) == (kind, name)
    assert is_motion(text) == (kind in (BUILTIN, STORED))
    assert is_builtin(text) == (kind == BUILTIN)


def test_the_suffix_is_a_key_of_the_formats():
    assert [motion_suffix(name) for name in ("a.PKL", "a.LPMOTION", "a.mp4", ".pkl")] == [
        ".pkl",
        ".lpmotion",
        "",
        "",
    ]


def test_the_built_in_motions_are_those_that_exist():
    assert tuple(_MOTIONS) == BUILTIN_MOTIONS
