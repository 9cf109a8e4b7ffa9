"""Files that a client names by address, fetched and looked into before they get their name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lp_core.errors import SettingError
from lp_core.worker.compat.remote import Remote
from lp_core.worker.compat.talks import SUFFIXES
from lp_core.worker.sent_files import look_into

REMOTE = ("http://", "https://")
LookAt = Callable[[Path, str, float], object]
"""(path, kind, seconds) -> whatever; raises LpError for what is not taken."""
_FILMS = (".mp4", ".mov", ".webm")


def fetched(
    remote: Remote, address: str, kind: str, place: Path, most_s: float, look_at: LookAt = look_into
) -> str:
    """The path of a fetched file; one that was fetched to the same place before is used again.

    Args:
        remote: fetches.
        address: of the file.
        kind: image or audio; a video may be in the place of an image.
        place: path without suffix; the type of the file decides that.
        most_s: seconds that a sound or video may last.
        look_at: refuses what is of another kind, or too long.

    Raises:
        SettingError: it is of another kind, or too long.
        LpError: it may not or cannot be fetched or kept.
    """
    before = next(place.parent.glob(f"{place.name}.*"), None)
    if before is not None:
        return str(before)
    temporary = place.with_name(f"fetched-{place.name}")
    media_type = remote.fetch(address, temporary)
    suffix = SUFFIXES.get(media_type) or Path(address.partition("?")[0]).suffix.lower()
    if suffix not in set(SUFFIXES.values()):
        raise SettingError(
            f"{address} is of the type '{media_type}', which is not taken; give JPEG, PNG, WAV or MP3."
        )
    look = place.with_name(f"look-{place.name}{suffix}")
    temporary.rename(look)
    look_at(look, "video" if kind == "image" and suffix in _FILMS else kind, most_s)
    return str(look.rename(place.with_name(place.name + suffix)))
