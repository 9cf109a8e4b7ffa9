"""MediaPipe Face Landmarker: 478 points, 52 blendshapes and the head's rotation of every face.

What the model gives and how it is read here:

* Landmarks are fractions of the image; times width and height they are pixel-center coordinates, z times
  width.
* Its 4x4 transform is in axes x right, y up, z towards the camera. With C = diag(1, -1, -1) the rotation
  in image axes is C R C. The model assumes one pinhole camera for every image and part of the angle under
  which that camera would see the head goes into the rotation: the same face moved from the middle of a
  image to its upper edge reads about 8 degrees more pitch, to a side about 5 degrees of yaw. Compare poses
  within one clip, or between faces at similar places.
* It gives no score per face. For lone images the detector inside the bundle gives one: each face is cut out
  upright at three sizes and mirrored, and ``score`` is the detector's mean confidence over these looks. In
  video mode this is not measured and ``score`` is 1: the landmarker hands over only faces that it holds more
  likely there than not.
* In video mode with one face to find, the landmarks are filtered in time and trail the image (``Face.lag_s``,
  LAG_S); blendshapes and transform come from the filtered landmarks. With several faces to find, nothing is filtered.
* A face that the detector is not certain of is looked at turned by 90, 180 and 270 degrees too, and one that is
  rolled by more than 45 degrees is read again in an upright cut; see ``upright``. In video mode this happens when
  a face appears; a clip with one face to find is turned by quarters from then on.
* The detector is made for faces near the camera and misses those below about a tenth of the image. So YuNet looks
  for the others in lone images, and in clips at most once a second while faces are missing; each of its boxes is
  read in an upright cut (lp_core.faces.box_reader). A face found so is followed by looking at a window around where
  it was last. Without YuNet's model, images where nothing is found are searched tile by tile.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError
from lp_core.faces.base import Face, FaceBox, Sightings, UnreadFace
from lp_core.faces.box_reader import BoxReader, covers, weakly
from lp_core.faces.mediapipe_tasks import MODEL, OpenTasks, faces_of, image_of, translated
from lp_core.faces.reduced import analyze_reduced, survey_reduced
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.faces.selector import HUMAN_SCORE
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.faces.small_faces import FaceDetection, distinct, overlap, tile_levels, window_around
from lp_core.faces.upright import (
    CERTAIN_SCORE,
    CLEAR_GAIN,
    MOST_ROLL_DEG,
    QUARTERS,
    looks,
    moved,
    quarter_turned,
    quarters_of,
    turned_cut,
    wrapped,
)
from lp_core.models.store import locate

LAG_S = 0.015
"""Delay of the filtered readings of a face that moves slowly, in seconds. benchmarks/landmarker_lag.py prints, over
six clips, 11 to 47 ms for landmarks, 6 to 15 ms for the smile."""

_LEAST_DETECTION = 0.5
_LOOK_FACTORS = (1.5, 2.0, 2.5)
_WINDOW_FACTOR = 3.0
"""Side of the window around a small face, in detector boxes; the landmarker's own detector wants some
room."""
_FOLLOW_FACTOR = 2.5
"""Side of the window around a face followed from the frame before, in landmark boxes."""
_SEARCH_EVERY_MS = 1000

_SAME_FACE = 0.5
"""Two readings that share more than this part of their union are of one face."""

_SAME_PLACE = 0.1
"""A wrong reading and the right one share at least this part of their union."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Seen:
    """A face of the frame before."""

    box: FaceBox
    turn_deg: float
    """By how much its upright look is turned to be read rightly; 0: it is read as the landmarker gives it."""


class MediaPipeAnalyzer:
    """The default ``FaceAnalyzer``; see the module for what its numbers mean."""

    scheme = MEDIAPIPE478.name

    def __init__(self, *, is_video: bool, max_faces: int = 1) -> None:
        """Loads the model.

        Args:
            is_video: True for the frames of one clip in order (tracks, 13 ms a frame), False for lone
                images.
            max_faces: at most so many faces are found; in a clip more than are there cost time on each frame.

        Raises:
            ModelMissing, ModelDamaged: the model file is not there or not whole.
        """
        self._is_video = is_video
        self._max_faces = max_faces
        self._bundle = locate(MODEL).read_bytes()
        self._reader = BoxReader(self._bundle, weakly(self._as_it_is_rolled))
        self._tasks = OpenTasks(self._bundle, max_faces)
        self._last_time_ms = -1
        self._next_search_ms = 0
        self._followed: list[Face] = []
        self._quarters = 0
        self._seen: list[_Seen] = []
        self._is_filtering = False
        self._is_closed = False
        self._tasks.task("video" if is_video else "still")

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        """Finds the faces of an image; see ``FaceAnalyzer.analyze``.

        Raises:
            FaceError: the image is not (H, W, 3) uint8 with at least one pixel, the time does not grow, the
                analyzer is closed, or the landmarker fails.
        """
        self._check(picture, time_ms)
        with translated():
            if self._is_video:
                return analyze_reduced(picture, lambda part: self._analyze_frame(part, self._last_time_ms))
            return list(survey_reduced(picture, self._surveyed).faces)

    def survey(self, picture: NDArray[np.uint8]) -> Sightings:
        """The faces of a lone image, and those that cannot be read; see ``FaceAnalyzer.survey``.

        Raises:
            FaceError: as ``analyze``.
        """
        self._check(picture, self._last_time_ms + 1)
        with translated():
            return survey_reduced(picture, self._surveyed)

    def close(self) -> None:
        """Releases the model; may be called twice."""
        self._is_closed = True
        with native_stderr_to_log(), translated():
            self._reader.close()
            self._tasks.close()

    def _surveyed(self, picture: NDArray[np.uint8]) -> Sightings:
        found = self._upright_all(picture, self._landmarks(picture, _whole(picture)))
        if not self._reader.is_there:
            return Sightings(tuple(found or self._turned(picture) or self._search(picture)))
        sure = [face for face in found if self._reader.is_sure(picture, face)]
        unread: list[UnreadFace] = []
        if len(sure) < self._max_faces:
            more, unread = self._reader.read(picture, sure, self._max_faces - len(sure))
            sure += more
        # What the network doubts counts where no better reading of the same face has come up.
        sure += [face for face in found if all(overlap(face.box, other.box) == 0 for other in sure)]
        unread = [item for item in unread if not any(covers(face.box, item.box) for face in sure)]
        return Sightings(tuple(sure or self._turned(picture))[: self._max_faces], tuple(unread))

    def _check(self, picture: NDArray[np.uint8], time_ms: int | None) -> None:
        if self._is_closed:
            raise FaceError("The face landmarker is closed; open a new one for further images.")
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
            raise FaceError(
                f"An image of shape {picture.shape} and type {picture.dtype} cannot be analysed; hand over "
                "(H, W, 3) uint8 with at least one pixel."
            )
        if not self._is_video:
            return
        if time_ms is None or time_ms <= self._last_time_ms:
            raise FaceError(
                f"The frame at {time_ms} ms does not follow the one at {self._last_time_ms} ms; hand over "
                "the frames of a clip in order, each with its time."
            )
        self._last_time_ms = time_ms

    def _analyze_frame(self, picture: NDArray[np.uint8], time_ms: int) -> list[Face]:
        self._tasks.next_frame()
        turned, frame_from_turned = quarter_turned(picture, self._quarters)
        result = self._tasks.task("video").detect_for_video(image_of(turned), time_ms)
        found = faces_of(result, _whole(turned))
        if self._quarters:
            found = [moved(face, frame_from_turned) for face in found]
        lag_s = LAG_S if self._is_filtering else 0.0  # the filter leaves the first face as it is
        self._is_filtering = bool(found) and self._max_faces == 1
        found = self._judged(picture, found)
        if found and self._max_faces == 1:
            self._followed = []
            return [replace(face, lag_s=lag_s) for face in found]
        for old in self._followed:
            if not any(covers(old.box, face.box) for face in found):
                again = self._followed_again(picture, old)
                found += [face for face in again if not any(overlap(face.box, one.box) > 0 for one in found)]
        is_short = not found or (len(found) < self._max_faces and self._reader.is_there)
        if is_short and time_ms >= self._next_search_ms:
            self._next_search_ms = time_ms + _SEARCH_EVERY_MS
            found += self._found_anew(picture, found)
        found = found[: self._max_faces]
        if found:  # a face that is gone for a moment is looked for where it was last
            self._followed = found
        return found

    def _followed_again(self, picture: NDArray[np.uint8], face: Face) -> list[Face]:
        """A face near where it was last, read under the roll it had."""
        if abs(face.pose.roll_deg) > MOST_ROLL_DEG:
            again = self._read_again(picture, face, 0.0)
            return [] if again is None else [again]
        height, width = picture.shape[:2]
        return self._landmarks(picture, window_around(face.box, _FOLLOW_FACTOR, width, height))

    def _found_anew(self, picture: NDArray[np.uint8], known: list[Face]) -> list[Face]:
        """Faces of a frame beyond those that are followed; a clip with one face to find is turned for it."""
        most = self._max_faces - len(known)
        if known:
            return [replace(face, score=1.0) for face in self._reader.read_upright(picture, known, most)]
        found, _ = self._reader.read(picture, known, most)
        if not found:
            found = self._turned(picture)
        if found and self._max_faces == 1 and quarters_of(found[0].pose.roll_deg) != self._quarters:
            self._turn_clip(found[0])
        if not found and not self._reader.is_there:
            found = self._search(picture)
        return [replace(face, score=1.0) for face in found]

    def _judged(self, picture: NDArray[np.uint8], faces: list[Face]) -> list[Face]:
        """The faces of a frame that are read upright; one is judged when it appears, and followed from then on."""
        seen, kept = list[_Seen](), list[Face]()
        for face in faces:
            known = next((old.turn_deg for old in self._seen if overlap(old.box, face.box) > 0), None)
            if known is None:
                upright, turn_deg = self._upright(picture, face, 90.0 * self._quarters)
                is_turned = upright is not None and quarters_of(upright.pose.roll_deg) != self._quarters
            else:
                upright, turn_deg = self._read_again(picture, face, known) if known else face, known
                is_turned = bool(known)
            if upright is not None and is_turned and self._max_faces == 1:
                self._turn_clip(upright)
                turn_deg = 0.0
            seen.append(_Seen(face.box, turn_deg))
            kept.extend([] if upright is None else [replace(upright, score=1.0)])
        self._seen = seen
        return kept

    def _turn_clip(self, face: Face) -> None:
        """Reads the frames from the next one on turned so that this face is upright; the filter starts again."""
        self._quarters = quarters_of(face.pose.roll_deg)
        self._is_filtering = False
        self._tasks.drop("video")

    def _upright_all(
        self, picture: NDArray[np.uint8], faces: list[Face], read_at_deg: float = 0.0
    ) -> list[Face]:
        """The faces with their scores, those that are not upright read again; without wrong readings."""
        kept: list[Face] = []
        for face in faces:
            upright, _ = self._upright(picture, face, read_at_deg)
            if upright is not None and all(overlap(upright.box, other.box) <= _SAME_FACE for other in kept):
                kept.append(upright)
        return kept

    def _upright(
        self, picture: NDArray[np.uint8], face: Face, read_at_deg: float
    ) -> tuple[Face | None, float]:
        """The face as it is upright, with its score; None where it was read wrongly and is not found otherwise.

        Args:
            picture: the frame.
            face: in its pixels.
            read_at_deg: counterclockwise turn of the image that the face was read in.

        Returns:
            The face, and the turn beyond its first reading's roll that shows it upright; 0: its first reading is right.
        """
        score = self._score(picture, face)
        turn_deg, least = 0.0, score - CLEAR_GAIN
        if score < CERTAIN_SCORE:
            turned = {turn: self._score(picture, face, turn) for turn in (180.0, 90.0, 270.0)}
            best = max(turned, key=lambda turn: turned[turn])
            if turned[best] > score + CLEAR_GAIN:
                turn_deg, least = best, score
        is_rolled = abs(wrapped(face.pose.roll_deg - read_at_deg)) > MOST_ROLL_DEG
        if not turn_deg and not is_rolled:
            return replace(face, score=score), 0.0
        again = self._read_again(picture, face, turn_deg)
        if again is not None:
            again = replace(again, score=self._score(picture, again))
            if again.score > least:
                return again, turn_deg
        return (None, turn_deg) if turn_deg else (replace(face, score=score), 0.0)

    def _as_it_is_rolled(self, picture: NDArray[np.uint8], face: Face) -> Face | None:
        """A face that was read in a cut turned by its roll, judged."""
        return self._upright(picture, face, face.pose.roll_deg)[0]

    def _read_again(self, picture: NDArray[np.uint8], face: Face, turn_deg: float) -> Face | None:
        """The face as it is read in a cut turned by its roll and a further turn; None where none is found there."""
        cut, frame_from_cut = turned_cut(picture, face, face.pose.roll_deg + turn_deg)
        found = faces_of(self._tasks.task("still").detect(image_of(cut)), _whole(cut))
        near = [moved(item, frame_from_cut) for item in found if abs(item.pose.roll_deg) <= MOST_ROLL_DEG]
        same = [item for item in near if overlap(item.box, face.box) > _SAME_PLACE]
        return max(same, key=lambda item: overlap(item.box, face.box), default=None)

    def _turned(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Looks for faces in the image turned by quarters; only those certain to be human are taken."""
        for quarters in QUARTERS:
            turned, frame_from_turned = quarter_turned(picture, quarters)
            read = [moved(face, frame_from_turned) for face in self._landmarks(turned, _whole(turned))]
            found = self._upright_all(picture, read, 90.0 * quarters)
            found = [face for face in found if face.score >= HUMAN_SCORE]
            if found:
                return found
        return []

    def _landmarks(self, picture: NDArray[np.uint8], window: FaceBox) -> list[Face]:
        """Faces the landmarker sees in a window of the image, in frame pixels."""
        return faces_of(self._tasks.task("still").detect(image_of(_cut(picture, window))), window)

    def _search(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Looks for small faces, tile by tile; only those certain to be human are taken."""
        height, width = picture.shape[:2]
        for level in tile_levels(width, height):
            seen = distinct([found for tile in level for found in self._detections(picture, tile)])
            faces: list[Face] = []
            for found in seen:
                near = self._landmarks(picture, window_around(found.box, _WINDOW_FACTOR, width, height))
                faces += [
                    face
                    for face in self._upright_all(picture, near)
                    if not any(overlap(face.box, other.box) > 0 for other in faces)
                    and face.score >= HUMAN_SCORE
                ]
                if len(faces) >= self._max_faces:
                    break
            if faces:
                _log.debug("found %d small face(s) in tiles of %.0f px", len(faces), level[0].right)
                return faces[: self._max_faces]
        return []

    def _detections(self, picture: NDArray[np.uint8], window: FaceBox) -> list[FaceDetection]:
        result = self._tasks.task("detector").detect(image_of(_cut(picture, window)))
        boxes = [(item.bounding_box, float(item.categories[0].score)) for item in result.detections]
        return [
            FaceDetection(
                FaceBox(
                    window.left + box.origin_x,
                    window.top + box.origin_y,
                    window.left + box.origin_x + box.width,
                    window.top + box.origin_y + box.height,
                ),
                score,
            )
            for box, score in boxes
            if score >= _LEAST_DETECTION
        ]

    def _score(self, picture: NDArray[np.uint8], face: Face, turn_deg: float = 0.0) -> float:
        """Mean confidence of the detector over several looks at a face, upright or turned further, 0..1."""
        detector = self._tasks.task("detector")
        best = [
            max(
                (item.categories[0].score for item in detector.detect(image_of(look)).detections), default=0.0
            )
            for factor in _LOOK_FACTORS
            for look in looks(picture, face, factor, turn_deg)
        ]
        return min(max(float(np.mean(best)), 0.0), 1.0)


def _whole(picture: NDArray[np.uint8]) -> FaceBox:
    return FaceBox(0, 0, picture.shape[1], picture.shape[0])


def _cut(picture: NDArray[np.uint8], window: FaceBox) -> NDArray[np.uint8]:
    return picture[int(window.top) : int(window.bottom), int(window.left) : int(window.right)]
