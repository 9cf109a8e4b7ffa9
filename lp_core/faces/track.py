"""One face through a clip: chosen once, then followed by place, size and motion.

Every face in sight is followed, not only the chosen one: where two people cross or one leaves, the faces that remain
belong to other tracks and are not taken for the chosen face. A face without a track near enough is a new person.
Nothing is known of looks here: ``person_track`` adds that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox
from lp_core.faces.selector import choose_face, parse_selector

_NEAR = 0.75
"""Furthest a face may be from where it is expected, in face sizes, one frame after it was seen."""
_NEAR_PER_LOST_FRAME = 0.15
"""Face sizes added to that for every frame in which it was not seen."""
_NEAR_AT_MOST = 2.5
"""Face sizes; further off it is another person however long it was away."""
_SIZE_FACTOR = 1.6
"""Furthest ratio of sizes between sightings."""
_VELOCITY_WEIGHT = 0.5
"""Weight of the newest step in the running velocity."""
_VELOCITY_DECAY = 0.85
"""What is left of the velocity after a frame without a sighting."""
_FORGET_AFTER = 75
"""Frames after which a bystander who is out of sight is forgotten; the chosen face never is."""


@dataclass(frozen=True)
class _Track:
    """Where a face was, how it moves, how long it has been away."""

    x: float
    y: float
    size: float
    step_x: float = 0.0
    step_y: float = 0.0
    lost: int = 0

    def cost(self, box: FaceBox) -> float | None:
        """How badly a face fits, in face sizes; None when it cannot be the same."""
        (x, y), size = box.center, _size(box)
        off = math.hypot(x - self.x - self.step_x, y - self.y - self.step_y) / max(self.size, size)
        growth = abs(math.log(size / self.size))
        reach = min(_NEAR + _NEAR_PER_LOST_FRAME * self.lost, _NEAR_AT_MOST)
        return off + growth if off <= reach and growth <= math.log(_SIZE_FACTOR) else None

    def seen(self, box: FaceBox) -> _Track:
        """The track after a sighting."""
        (x, y), weight = box.center, _VELOCITY_WEIGHT
        frames = self.lost + 1
        # After a gap x, y are predictions already, so the error is spread over the frames of the gap.
        step_x = self.step_x + weight * (x - self.x - self.step_x) / frames
        step_y = self.step_y + weight * (y - self.y - self.step_y) / frames
        return _Track(x, y, _size(box), step_x, step_y)

    def missed(self) -> _Track:
        """The track after a frame without a sighting: it drifts on and slows down."""
        left = _VELOCITY_DECAY
        return _Track(
            self.x + self.step_x,
            self.y + self.step_y,
            self.size,
            self.step_x * left,
            self.step_y * left,
            self.lost + 1,
        )


class FaceTrack:
    """Follows one face through the frames of a clip, in order."""

    def __init__(self, selector: str) -> None:
        """Makes a track that has not chosen yet.

        Args:
            selector: which face is meant at the first frame where it is there; words of FaceSettings.

        Raises:
            SettingError: the selector is not understood.
        """
        parse_selector(selector)
        self._selector = selector
        self._chosen: _Track | None = None
        self._others: list[_Track] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: none."""
        return ()

    @property
    def has_chosen(self) -> bool:
        """True from the first frame on that shows the chosen face."""
        return self._chosen is not None

    def follow(
        self,
        faces: Sequence[Face],
        width: int,
        height: int,
        picture: NDArray[np.uint8] | None = None,  # noqa: ARG002
    ) -> Face | None:
        """The chosen face in the next frame, or None where it is lost; never another person instead.

        Args:
            faces: all faces of the frame, in any order; call it for frames without faces too.
            width: of the frame, pixels.
            height: of the frame, pixels.
            picture: not looked at.
        """
        usable = [face for face in faces if face.box.area > 0]
        if self._chosen is None:
            return self._choose(usable, width, height)
        tracks = [self._chosen, *self._others]
        owner = _assign(tracks, usable)
        sighting = {track: face for face, track in owner.items()}
        moved = [
            track.seen(usable[sighting[index]].box) if index in sighting else track.missed()
            for index, track in enumerate(tracks)
        ]
        newcomers = [_start(face) for index, face in enumerate(usable) if index not in owner]
        self._chosen = moved[0]
        self._others = [track for track in moved[1:] if track.lost <= _FORGET_AFTER] + newcomers
        return usable[sighting[0]] if 0 in sighting else None

    def take(self, face: Face, faces: Sequence[Face]) -> None:
        """The chosen face is this one, wherever it was before; the other faces of the frame are bystanders."""
        self._chosen = _start(face)
        self._others = [_start(other) for other in faces if other is not face and other.box.area > 0]

    def refuse(self, face: Face) -> None:
        """The face that ``follow`` gave is a bystander; the chosen one is lost in this frame."""
        if self._chosen is not None:
            self._others.append(_start(face))
            self._chosen = replace(self._chosen, step_x=0.0, step_y=0.0, lost=self._chosen.lost + 1)

    def _choose(self, faces: Sequence[Face], width: int, height: int) -> Face | None:
        found = choose_face(faces, self._selector, width, height)
        if found is not None:
            self._chosen = _start(found)
            self._others = [_start(face) for face in faces if face is not found]
        return found


def _size(box: FaceBox) -> float:
    return math.sqrt(box.area)


def _start(face: Face) -> _Track:
    return _Track(*face.box.center, _size(face.box))


def _assign(tracks: Sequence[_Track], faces: Sequence[Face]) -> dict[int, int]:
    """Index of face -> index of track, cheapest pairs first, each at most once; of equal ones the bystander's.

    They are equal where the chosen face was refused: then a bystander is known to be there.
    """
    costs = [
        (cost, face_index, -track_index)
        for face_index, face in enumerate(faces)
        for track_index, track in enumerate(tracks)
        if (cost := track.cost(face.box)) is not None
    ]
    owner: dict[int, int] = {}
    taken: set[int] = set()
    for _, face_index, negated in sorted(costs):
        track_index = -negated
        if face_index not in owner and track_index not in taken:
            owner[face_index] = track_index
            taken.add(track_index)
    return owner
