"""What planning must know of media: each file is opened once, and only its header is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from lp_core.batch.media_links import MediaLink
from lp_core.errors import UnreadableMedia
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source
from lp_core.timing import FrameRate


@dataclass(frozen=True)
class MediaFacts:
    """A video, a sequence or a still."""

    name: str
    """File, or frame pattern with its frames where they must be said; see ``MediaLink.address``."""
    is_still: bool
    is_sequence: bool
    fps: Fraction
    """Frames per second."""
    frames: int | None
    """Number of frames; None where the file does not say."""
    first: int
    """Number of the first frame; videos count from 0."""
    timecode_s: Fraction | None
    """Time of the first frame by the file's own timecode."""
    size: tuple[int, int]


@dataclass
class Prober:
    """Opens media and remembers what it found."""

    interlaced: str
    """What happens to videos of fields."""
    references: str
    """What happens to containers that name their media in other files."""
    admit: Callable[[str], object] = str
    """Is given each name before it is opened; raises NotAllowed for what may not be read."""
    _found: dict[tuple[str, Fraction | None], MediaFacts | Exception] = field(default_factory=dict)

    def facts(self, link: MediaLink, fps: Fraction | None = None) -> MediaFacts:
        """What a header says.

        Args:
            link: the media.
            fps: rate of a sequence whose headers do not say it.

        Raises:
            LpError: it cannot be opened.
        """
        key = (link.address, fps)
        if key not in self._found:
            try:
                self._found[key] = self._read(link, fps)
            except Exception as error:  # noqa: BLE001 - raised again below, for each clip that uses the file
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, Exception):
            raise found
        return found

    def _read(self, link: MediaLink, fps: Fraction | None) -> MediaFacts:
        self.admit(link.name)
        if not link.exists:
            raise UnreadableMedia(f"{link.name} is not there.")
        rate = None if fps is None else FrameRate(fps)
        # gaps in a sequence are the render's business, by its own setting
        options = ReadOptions(
            rate=rate, interlaced=self.interlaced, references=self.references, missing="hold"
        )
        with open_source(link.address, options=options) as source:
            info = source.info
        timecode = info.timecode
        return MediaFacts(
            name=link.address,
            is_still=info.is_still,
            is_sequence=link.is_sequence,
            fps=info.rate.fps,
            frames=info.frame_count,
            first=info.first_frame or 0,
            timecode_s=None if timecode is None else timecode.frame / info.rate.fps,
            size=(info.width, info.height),
        )
