"""What is in front of a face: hands by their joints, other things by colors that no skin has.

Convention:
    Mattes are (H, W) float32 on the pixels of the image, 1 = in front of the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.faces.hands import HandFinder
from lp_core.faces.person import PersonSegmenter
from lp_core.frame import Box
from lp_core.geometry.cut_out import cut_out
from lp_core.geometry.face_parts import FaceParts
from lp_core.geometry.foreign import foreign_parts
from lp_core.geometry.hand_shape import finger_width, hand_mask
from lp_core.geometry.steady import Patch

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_REACH = 2.5
"""Side of the square that is looked at, in sizes of the face."""
_SIDE_PX = 288
"""Largest side at which an object is separated."""
_TOUCHES = 0.01
"""Part of the face that a hand must cover to count."""
_AROUND, _SAME = 0.5, 0.5
"""How much of its size is seen around a hand that is looked at again, and how far both finds must cover each other."""
_MARGIN, _SOFT = 1.5, 1.5
"""Pixels of that size by which a matte is larger than what was found, and over which it ends."""
_LEAST = 0.4
"""Value from which a steadied grid counts: what one frame misses and the two before it saw is kept."""


@dataclass(frozen=True)
class OccluderLook:
    """What one image shows in front of a face, on a small grid."""

    patch: Patch
    """1 where something is in front that can be separated, else 0."""
    parts: FaceParts
    """The parts of the face, on the same grid."""
    unclear: Mask
    """(h, w) what looks covered by something that cannot be separated."""
    hands: int
    """Hands among it."""

    @property
    def unclear_share(self) -> float:
        """Part of the face that is covered by something that cannot be separated, 0..1."""
        return self.parts.share(self.unclear)

    def regions(self) -> tuple[float, float, float]:
        """Covered part of the face, of the eyes with their lids, and of the mouth, whatever covers it."""
        covered = (self.patch.values > 0) | self.unclear
        eyes, mouth = (
            float(covered[region].mean()) if region.any() else 0.0
            for region in (self.parts.eyes, self.parts.mouth)
        )
        return self.parts.share(covered), eyes, mouth


class OccluderFinder(ClosesOnExit):
    """Finds what is in front of a face, each image by itself. Not thread-safe."""

    def __init__(self) -> None:
        """Opens the hand landmarker and the person segmenter.

        Raises:
            ModelMissing, ModelDamaged: a file of theirs cannot be used.
        """
        self._hands = HandFinder()
        self._person = PersonSegmenter()

    def look(self, image: NDArray[np.uint8], landmarks_frame: F32) -> OccluderLook:
        """What is in front of a face.

        Args:
            image: (H, W, 3) RGB, display-encoded.
            landmarks_frame: (478, 2 or 3) points of the face in pixels.
        """
        height, width = image.shape[:2]
        points = landmarks_frame[:, :2]
        box = _square(points, width, height)
        left, top, right, bottom = box
        crop = image[top:bottom, left:right]
        scale = min(_SIDE_PX / max(crop.shape[:2]), 1.0)
        size = max(round(crop.shape[1] * scale), 8), max(round(crop.shape[0] * scale), 8)
        small = np.ascontiguousarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))
        parts = FaceParts.of(((points - (left, top)) * scale).astype(np.float32), size)
        hands = self._covering(small, parts)
        front = _hands_cut_out(small, hands, parts)
        person = self._person.where(small, parts.points)
        foreign = foreign_parts(small, parts, front | _united(hands, front), person)
        front |= foreign.found
        return OccluderLook(Patch(front.astype(np.float32), box), parts, foreign.unclear, len(hands))

    def _covering(self, small: NDArray[np.uint8], parts: FaceParts) -> list[tuple[F32, Mask]]:
        """Hands in front of the face: points and rough mask."""
        size = small.shape[1], small.shape[0]
        found = [(hand, hand_mask(hand, size)) for hand in self._hands.find(small)]
        return [
            (hand, mask)
            for hand, mask in found
            if parts.share(mask) > _TOUCHES and self._is_seen_again(small, hand, mask)
        ]

    def _is_seen_again(self, small: NDArray[np.uint8], hand: F32, mask: Mask) -> bool:
        """Whether a hand is found where it was when it is looked at by itself: the network gives no score."""
        low, high = hand.min(axis=0), hand.max(axis=0)
        room = _AROUND * float(max(high - low))
        size = small.shape[1], small.shape[0]
        left, top = np.maximum(np.floor(low - room), 0).astype(int)
        right, bottom = np.minimum(np.ceil(high + room) + 1, size).astype(int)
        closer = np.ascontiguousarray(small[top:bottom, left:right])
        again = [hand_mask(one + np.array([left, top], np.float32), size) for one in self._hands.find(closer)]
        return any((mask & one).sum() > _SAME * (mask | one).sum() for one in again)

    def close(self) -> None:
        """Frees the networks; may be called twice."""
        self._hands.close()
        self._person.close()


def _square(points: F32, width: int, height: int) -> tuple[int, int, int, int]:
    low, high = points.min(axis=0), points.max(axis=0)
    half = _REACH * float(max(high - low)) / 2
    center = (low + high) / 2
    left, top = np.clip(np.floor(center - half), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(center + half), (left + 1, top + 1), (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _united(hands: list[tuple[F32, Mask]], like: Mask) -> Mask:
    return np.asarray(np.logical_or.reduce([mask for _, mask in hands]) if hands else np.zeros_like(like))


def _hands_cut_out(small: NDArray[np.uint8], hands: list[tuple[F32, Mask]], parts: FaceParts) -> Mask:
    """What hands really cover; the lips are never taken for a hand beyond its own bones."""
    front = np.zeros(small.shape[:2], bool)
    for hand, mask in hands:
        width = finger_width(hand)
        sure = _grown(mask, -0.3 * width)
        possible = _grown(mask, 0.7 * width)
        never = parts.lips & ~mask
        front |= cut_out(small, sure, mask, possible, never)
    return front


def _grown(mask: Mask, pixels: float) -> Mask:
    side = 2 * max(round(abs(pixels)), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    change = cv2.dilate if pixels > 0 else cv2.erode
    return np.asarray(change(mask.astype(np.uint8), kernel) > 0)


def front_matte(values: F32, box: Box, size: tuple[int, int]) -> F32:
    """(H, W) matte of a frame, from the grid of a look.

    It is 1 on what was found and a little around it, so that no rim of it moves, and ends softly.

    Args:
        values: (h, w) 0..1, as ``OccluderLook.patch`` has them or steadied.
        box: what they cover.
        size: width and height of the frame.
    """
    left, top, right, bottom = box
    matte = np.zeros((size[1], size[0]), np.float32)
    is_front = values > _LEAST
    if is_front.any():
        away = cv2.distanceTransform((~is_front).astype(np.uint8), cv2.DIST_L2, 3)
        soft = np.clip((_MARGIN + _SOFT - away) / _SOFT, 0, 1).astype(np.float32)
        matte[top:bottom, left:right] = cv2.resize(
            soft, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
        )
    return matte
