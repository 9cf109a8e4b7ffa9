"""Videos, encoded as a stream, written to a temporary file and renamed on commit."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lp_core.contexts import AbortsOnExit
from lp_core.errors import EmptyVideo, MediaError, UnknownCodec
from lp_core.files import (
    make_folder,
    move_into_place,
    refuse_existing,
    remove,
    remove_folders,
    temporary_path,
    write_failure,
)
from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import MATRICES, PRIMARIES, TRANSFERS, code_of, film_tags
from lp_core.media.transforms import check_frame
from lp_core.media.video.audio import Sound
from lp_core.media.video.codecs import CONTAINERS, FilmCodec, check_size, film_codec, stored_format
from lp_core.media.video.container import make_container
from lp_core.media.video.priority import scheduling_kept
from lp_core.media.video.rgb import FromRgb
from lp_core.media.video.x264_code import repeatable_routines

_REORDERED = 16  # images that H.264 and HEVC may hold back at most
_COMMON_WORDS = frozenset(
    {"title", "artist", "comment", "copyright", "description", "genre", "date", "album"}
)


class VideoSink(AbortsOnExit):
    """Encodes a video.

    Raises:
        UnknownCodec: no such codec, not built into the media library, or the container does not take it.
        OutputExists, NoWritePermission, DiskFull, MediaError: the file cannot be written.
        UnreadableMedia and others: the sound cannot be read.
    """

    def __init__(self, path: str | Path, spec: SinkSpec) -> None:
        self._path, self._spec = Path(path), spec
        self._suffix = self._path.suffix.lower()
        codec = film_codec(self._path, spec.codec)
        check_size(self._path, spec.codec, spec.width, spec.height)
        refuse_existing(self._path, spec.overwrite)
        self._stored = stored_format(codec, spec.width, spec.height, spec.bit_depth, spec.has_alpha)
        self._notes = sink_notes(self._path, spec)
        self._tags = film_tags(spec.color, codec.is_rgb, codec.holds_full_range)
        self._count = 0
        self._is_open = True
        self._made = make_folder(self._path)
        self._aside = temporary_path(self._path)
        self._container: OutputContainer | None = None
        self._sound: Sound | None = None
        try:
            self._container = open_container(self._aside, self._suffix, spec)
            self._stream = self._add_picture(self._container, codec)
            if spec.audio is not None:
                self._sound = Sound(spec.audio, self._container, self._suffix)
                self._notes = (*self._notes, *self._sound.notes)
            self._from_rgb = FromRgb(
                (spec.width, spec.height), spec.bit_depth, spec.has_alpha, self._tags, self._stored
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            self.abort()
            raise write_failure(self._path, error) from error
        except BaseException:
            self.abort()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return self._notes

    def write(self, frame: Frame) -> None:
        """Takes the next frame; the sink numbers frames by itself.

        Raises:
            MediaError: the frame does not fit the specification, or the sink is closed.
            DiskFull, NoWritePermission: the file cannot grow.
        """
        container = self._opened()
        check_frame(self._path, frame, self._spec)
        try:
            picture = self._from_rgb(frame.pixels)
            picture.pts, picture.time_base = self._count, 1 / self._spec.rate.fps
            picture.duration = 1
            picture.pict_type = 0
            _tag(picture, self._tags)
            self._mux(container, picture)
            self._count += 1
            if self._sound is not None:
                self._sound.write_until(self._spec.rate.time_s(self._count))
        except (av.FFmpegError, OSError, ValueError) as error:
            self.abort()
            raise write_failure(self._path, error) from error

    def commit(self) -> None:
        """Finishes the video and moves it to its name.

        Raises:
            EmptyVideo: no frame was written.
            OutputExists: a file came into its place meanwhile and may not be replaced.
            DiskFull, NoWritePermission, MediaError: the end cannot be written.
        """
        container = self._opened()
        if not self._count:
            self.abort()
            raise EmptyVideo(
                f"{self._path} was not written, because it would have no image; check the input."
            )
        try:
            self._mux(container, None)
            if self._sound is not None:
                self._sound.finish(self._spec.rate.time_s(self._count))
            self._close_sound()
            container.close()
            refuse_existing(self._path, self._spec.overwrite)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.abort()
            raise write_failure(self._path, error) from error
        except MediaError:
            self.abort()
            raise
        move_into_place(self._aside, self._path)
        self._is_open = False

    def abort(self) -> None:
        """Removes what was written; may be called twice, and does nothing after ``commit``."""
        if not self._is_open:
            return
        self._is_open = False
        self._close_sound()
        if self._container is not None:
            # Closing writes the trailer, which fails again where the disk is full; the file goes away anyhow.
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()
        remove(self._aside)
        remove_folders(self._made)

    def _opened(self) -> OutputContainer:
        if not self._is_open or self._container is None:
            raise MediaError(f"{self._path} was already committed or aborted; open it again to write it.")
        return self._container

    def _mux(self, container: OutputContainer, picture: VideoFrame | None) -> None:
        with scheduling_kept():  # the encoder opens with the first frame
            packets = list(self._stream.encode(picture))
        for packet in packets:
            # x265 leaves the decoding times of videos of one or two images uninitialised.
            if packet.pts is not None and (
                packet.dts is None or not packet.pts - _REORDERED <= packet.dts <= packet.pts
            ):
                packet.dts = packet.pts
            container.mux(packet)

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()

    def _add_picture(self, container: OutputContainer, codec: FilmCodec) -> VideoStream:
        options = dict(codec.options)
        for word, value in codec.environment.items():
            os.environ.setdefault(word, value)
        if codec.has_quality:
            options["crf"] = str(self._spec.quality)
        if codec.encoder == "libx264":
            options["x264-params"] += repeatable_routines()
        try:
            stream = container.add_stream(codec.encoder, rate=self._spec.rate.fps, options=options)
        except (av.error.LookupError, av.codec.codec.UnknownCodecError) as error:
            raise UnknownCodec(
                f"{self._path} cannot be encoded, because {codec.encoder} is not built into the installed av "
                "library; choose another codec."
            ) from error
        if not isinstance(stream, VideoStream):
            raise UnknownCodec(f"{self._path} cannot be encoded: {codec.encoder} is not an image codec.")
        stream.width, stream.height, stream.pix_fmt = self._spec.width, self._spec.height, self._stored
        stream.codec_context.time_base = 1 / self._spec.rate.fps
        stream.thread_type = codec.thread_type
        if codec.tag is not None and self._suffix != ".mkv":
            stream.codec_context.codec_tag = codec.tag
        if self._spec.pixel_aspect != 1:
            stream.codec_context.sample_aspect_ratio = self._spec.pixel_aspect
        if self._spec.timecode is not None:
            stream.metadata["timecode"] = self._spec.timecode.text  # mov: a tmcd track
        _tag(stream.codec_context, self._tags)
        return stream


def _tag(target: VideoFrame | VideoCodecContext, tags: ColorTags) -> None:
    """Encoders look at one or the other."""
    target.color_primaries = code_of(PRIMARIES, tags.primaries)
    target.color_trc = code_of(TRANSFERS, tags.transfer)
    target.colorspace = code_of(MATRICES, tags.matrix)
    target.color_range = 2 if tags.is_full_range else 1


def open_container(path: Path, suffix: str, spec: SinkSpec, is_repeatable: bool = False) -> OutputContainer:
    """Opens a video for writing, with the words of its container.

    Args:
        path: file that is written now.
        suffix: of its final name.
        spec: what it has to be.
        is_repeatable: the same images give the same bytes; Matroska bears random numbers otherwise.
    """
    options = {}
    if suffix != ".mkv":
        # The index goes to the front, so that browsers begin to play before they have it all. Only words
        # outside the classic set need the newer kind of metadata, which fewer programs show.
        has_special = any(word not in _COMMON_WORDS for word in spec.metadata)
        options["movflags"] = "+faststart" + ("+use_metadata_tags" if has_special else "")
    elif is_repeatable:
        options["fflags"] = "+bitexact"
    container = make_container(path, CONTAINERS[suffix], options)
    container.metadata.update(spec.metadata)
    return container


def sink_notes(path: Path, spec: SinkSpec) -> tuple[str, ...]:
    """Sentences the user should see about what a video cannot keep."""
    codec = film_codec(path, spec.codec)
    stored = stored_format(codec, spec.width, spec.height, spec.bit_depth, spec.has_alpha)
    notes = []
    if spec.has_alpha and (spec.bit_depth, True) not in codec.formats:
        notes.append(
            f"{path} is written without alpha, which {spec.codec} cannot hold; use prores4444, ffv1 or png."
        )
    if stored == codec.odd_format:
        notes.append(
            f"{path} keeps its odd size of {spec.width}x{spec.height} by full chroma resolution (4:4:4), "
            "which some hardware players do not show."
        )
    return tuple(notes)
