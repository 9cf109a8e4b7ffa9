"""Which track of sound goes into a container, and how: copied, encoded, mixed to fewer channels, or left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer

from lp_core.errors import LpError
from lp_core.media.video.codec_tag import codec_tag
from lp_core.media.video.codecs import COPYABLE_SOUND, ENCODED_SOUND
from lp_core.media.video.header import open_film

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_AAC_LAYOUTS = frozenset({"mono", "stereo", "2.1", "3.0", "4.0", "quad", "5.0", "5.1", "7.1"})
"""Layouts that decoders read back as they were written; the encoder takes more, but loses the positions."""
_SAME_IN_AAC: Mapping[str, str] = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
"""Layout -> the one that AAC has for the same speakers."""
_GUESSED: Mapping[int, str] = {
    1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1",
}  # fmt: skip
"""Number of channels -> their usual meaning, for files that state none."""
_MOST_IN_FLAC = 8
_NAMELESS = re.compile(r"\d+ channels|ambisonic \d.*|")
_FALLBACK_RATE = 48000


@dataclass(frozen=True)
class SoundPlan:
    """How a track is written."""

    track: int
    """Number among the file's tracks of sound, from 0."""
    codec: str | None
    """Encoder; None: the packets are copied."""
    rate: int = 0
    """Samples per second of the encoded sound."""
    layout: str = ""
    """Channel layout of the encoded sound."""
    is_mixed: bool = False
    """True: channels are mixed into fewer ones."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see."""


def plan_sound(
    path: Path, container: InputContainer, suffix: str, is_cut: bool
) -> tuple[SoundPlan | None, tuple[str, ...]]:
    """What happens to a file's sound.

    Args:
        path: the file, for messages.
        container: the same, opened; it has a track of sound.
        suffix: of the output, a key of ENCODED_SOUND.
        is_cut: the sound has to begin within a packet, which only encoding can do.

    Returns:
        The plan, and sentences for the user; without a plan the sound is left out, and the sentence says why.
    """
    tracks = container.streams.audio
    layouts = [_settled_layout(stream) for stream in tracks]
    usable = [number for number, layout in enumerate(layouts) if layout is not None]
    if not usable:
        tag = codec_tag(path, tracks[0].index)
        named = f"codec '{tag}'" if tag else "codec"
        return None, (
            f"The sound of {path} is left out, because the media library has no decoder for its {named}; "
            "convert it to AAC or PCM to keep it.",
        )
    track = usable[0]
    notes: tuple[str, ...] = ()
    if len(tracks) > 1:
        notes = (f"{path} has {len(tracks)} tracks of sound; track {track + 1} is used.",)
    stream = tracks[track]
    if not is_cut and stream.codec_context.name in COPYABLE_SOUND[suffix]:
        return SoundPlan(track, None, notes=notes), notes
    plan, said = _encoded(path, track, stream, suffix, *(layouts[track] or ("stereo", 2)))
    return plan, (*notes, *said)


def _encoded(
    path: Path, track: int, stream: AudioStream, suffix: str, given: str, count: int
) -> tuple[SoundPlan | None, tuple[str, ...]]:
    codec = "pcm_s24le" if suffix == ".mkv" and count > _MOST_IN_FLAC else ENCODED_SOUND[suffix]
    layout = _carried(codec, given, count)
    if layout is None or not _can_mix(given, count, layout):
        return None, (
            f"The sound of {path} is left out, because its {count} channels state no usable positions and "
            f"{suffix} holds at most 8 of those; write .mov or .mkv to keep them.",
        )
    notes = []
    is_mixed = av.AudioLayout(layout).nb_channels < count
    if is_mixed:
        notes.append(
            f"The sound of {path} is mixed from {_words(given, count)} to {layout}, because {suffix} cannot hold "
            "its channels; write .mov to keep them."
        )
    elif count > 2 and _NAMELESS.fullmatch(given) and layout != given:
        notes.append(
            f"The {count} channels of {path} are taken as {layout}, because no usable positions are stated."
        )
    rate = stream.rate if codec != "aac" or stream.rate in _AAC_RATES else _FALLBACK_RATE
    if rate != stream.rate:
        notes.append(
            f"The sound of {path} is resampled from {stream.rate} to {rate} Hz, which {suffix} can hold."
        )
    return SoundPlan(track, codec, rate, layout, is_mixed, tuple(notes)), tuple(notes)


def usable_sound(path: Path, output: str, start_s: Fraction) -> tuple[Path | None, tuple[str, ...]]:
    """The file whose sound goes into an output; None with the reason where it cannot.

    Args:
        path: a file with a track of sound.
        output: name or pattern of the result.
        start_s: where in the sound the result begins, in seconds.
    """
    suffix = Path(output).suffix.lower()
    if suffix not in ENCODED_SOUND:
        return None, (f"{output} is written without sound, which images cannot hold.",)
    try:
        with open_film(path) as container:
            if not container.streams.audio:
                return None, ()
            plan, notes = plan_sound(path, container, suffix, is_cut_within_packet(suffix, start_s))
    except LpError as error:
        return None, (f"The sound of {path} is left out: {error}",)
    return (None, notes) if plan is None else (path, ())


def is_cut_within_packet(suffix: str, start_s: Fraction) -> bool:
    """Whether a start needs encoding: Matroska cannot hide the part of a packet before the cut."""
    return suffix == ".mkv" and start_s > 0


def _settled_layout(stream: AudioStream) -> tuple[str, int] | None:
    """(name, channels) of a track's layout; None where the library has no decoder or knows no rate or channels.

    MOV and CAF describe each channel, which the library keeps as a list in memory that PyAV frees with every
    object it makes of a layout. So the layout is read exactly once and replaced at once by a plain one, before
    anything is decoded; reading it again in between would end the process.
    """
    context = cast("AudioCodecContext | None", stream.codec_context)
    if context is None or not context.sample_rate:
        return None
    layout = context.layout
    name, count = layout.name, layout.nb_channels
    del layout
    if not count:
        return None
    if "(" in name and "+" in name:  # an order that has no name
        name = f"{count} channels"
    context.layout = name
    return name, count


def _carried(codec: str, given: str, count: int) -> str | None:
    """The layout that a codec writes for a given one; None where nothing fits."""
    is_nameless = _NAMELESS.fullmatch(given) is not None
    if is_nameless and count <= 2:
        return _GUESSED[count]
    if codec == "pcm_s24le" or (codec == "flac" and count <= _MOST_IN_FLAC):
        return given or f"{count} channels"
    if is_nameless and count not in _GUESSED:
        return None
    named = _GUESSED[count] if is_nameless else _SAME_IN_AAC.get(given, given)
    if codec == "aac" and named in _AAC_LAYOUTS:
        return named
    return "5.1" if count >= 6 else "stereo"


def _can_mix(given: str, count: int, layout: str) -> bool:
    """Whether the resampler knows how to make one layout of another; tried on a moment of silence."""
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler

    try:
        frame = AudioFrame(format="s32", layout=given or f"{count} channels", samples=64)
        frame.sample_rate = _FALLBACK_RATE
        AudioResampler(format="s32", layout=layout, rate=_FALLBACK_RATE).resample(frame)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _words(given: str, count: int) -> str:
    return given if not _NAMELESS.fullmatch(given) else f"{count} channels"
