"""The only place where FFmpeg opens containers, each of a format that is asked for by name.

FFmpeg knows more than 300 formats. Some of them open other files or addresses that they name, and many were never
meant for files of strangers. So a demuxer runs only if it is listed here, with nothing but local files in reach.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from lp_core.files import check_readable
from lp_core.media.references import refuse_references

DEMUXERS: tuple[str, ...] = (
    *(
        "mov",
        "mp4",
        "matroska",
        "webm",
        "avi",
        "mxf",
        "mpegts",
        "mpeg",
        "flv",
        "asf",
        "ogg",
        "dv",
        "gxf",
        "nut",
    ),
    *("h264", "hevc", "m4v", "mpegvideo", "mjpeg", "ivf", "obu", "av1", "yuv4mpegpipe", "h263", "vc1", "rm"),
    *(
        "wav",
        "w64",
        "aiff",
        "au",
        "caf",
        "flac",
        "mp3",
        "aac",
        "ac3",
        "eac3",
        "dts",
        "truehd",
        "amr",
        "wv",
        "ape",
    ),
)
"""Formats of videos and sound that hold their own media, by FFmpeg's names."""
REFERENCE_DEMUXERS: tuple[str, ...] = ("concat", "hls", "dash", "imf")
"""Formats that name other files; opened where the user asks for it."""
_FOLLOWING = {"enable_drefs": "1", "use_absolute_path": "1", "safe": "0"}


def open_container(path: Path, follows_references: bool = False) -> InputContainer:
    """Opens a video or sound file for reading.

    Args:
        path: the file; its name has no special meaning.
        follows_references: True: playlists, concat scripts and movies whose media is in other local files are
            followed. Addresses of the network are never opened.

    Raises:
        UnreadableMedia, EmptyVideo: see ``check_readable``; or the file names its media in other files.
        av.ArgumentError: its format is not one of those.
        av.FFmpegError: FFmpeg cannot read it.
    """
    check_readable(path)
    formats = DEMUXERS
    options = {"protocol_whitelist": "file"}
    if follows_references:
        formats = (*DEMUXERS, *REFERENCE_DEMUXERS)
        options |= _FOLLOWING
    else:
        refuse_references(path)
    options["format_whitelist"] = ",".join(formats)
    return av.open(str(path.absolute()), "r", metadata_errors="replace", container_options=options)


def open_image(data: bytes, demuxer: str) -> InputContainer:
    """Opens the bytes of a single image.

    Args:
        data: the file's content.
        demuxer: FFmpeg's name of its format, such as 'tiff_pipe'.

    Raises:
        av.FFmpegError: FFmpeg cannot read it.
    """
    return av.open(io.BytesIO(data), "r", format=demuxer)


def make_container(path: Path, muxer: str, options: Mapping[str, str]) -> OutputContainer:
    """Opens a video for writing.

    Args:
        path: the file, made or replaced.
        muxer: FFmpeg's name of its format.
        options: of the format.

    Raises:
        av.FFmpegError, OSError: it cannot be made.
    """
    return av.open(str(path.absolute()), "w", format=muxer, container_options=dict(options))
