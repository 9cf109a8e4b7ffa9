"""Routes of the page's face tools: the faces of a source, its image, and the mesh that points set by hand give."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from lp_core.clips import filmed_face, one_frame, sightings_of_frame
from lp_core.engines.mesh.topology import skin_triangles
from lp_core.errors import SettingError
from lp_core.faces.base import Face, FaceBox
from lp_core.faces.cats import cat_points
from lp_core.faces.hand_points import COUNTS, face_from_points, points_of
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.faces.selector import in_order
from lp_core.motion.builtin import neutral_face
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.schema import Name, Wire
from lp_core.worker.thumbnails import small_jpeg

SHOWN_PX = 1280
"""Longer side of the image that the page draws on."""
JPEG: dict[int | str, dict[str, Any]] = {200: {"description": "JPEG.", "content": {"image/jpeg": {}}}}
FrameNumber = Annotated[int, Field(ge=0, le=10**7, description="Frame of a video, from 0.")]
Coordinate = Annotated[float, Field(ge=-(10.0**6), le=10.0**6)]
HandPoint = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class FacesRequest(Wire):
    """Asks for the faces of a frame."""

    source: Name = Field(description="Absolute path of a still, video or frame pattern.")
    frame: FrameNumber = 0


class FoundFace(Wire):
    """A face that was read."""

    id: str = Field(description="Of a still, and of a video's first frame: what source_face takes.")
    index: int = Field(description="From left to right; source_face takes it, too.")
    box: list[float] = Field(description="Left, top, right, bottom in pixels.")
    score: float
    points: dict[str, list[list[float]]] = Field(description="Its 5 and 9 points, to be changed by hand.")


class HiddenFace(Wire):
    """A face that was found and cannot be read."""

    box: list[float]
    reason: str


class FacesFound(Wire):
    """The faces of a frame."""

    width: int
    height: int
    is_still: bool
    faces: list[FoundFace]
    unread: list[HiddenFace]
    guess: list[list[float]] | None = Field(
        description="Five points of a cat's head, where no face was found."
    )


class MeshRequest(Wire):
    """Asks for the mesh through some points."""

    points: list[HandPoint] = Field(description="5 or 9 points in pixels (docs/faces.md).", max_length=9)


class MeshLines(Wire):
    """A fitted mesh as SVG paths in pixels of the frame."""

    mesh: str = Field(description="All edges.")
    contours: str = Field(description="Outline, eyes and lips.")


class FaceTools:
    """Finds the faces of sources; one at a time, as each takes a processor."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._lock = threading.Lock()

    def found(self, source: str, frame: int) -> FacesFound:
        """The faces of a frame.

        Raises:
            NotAllowed: the source is elsewhere.
            MediaError: it cannot be read, or has no such frame.
        """
        film = filmed_face(self._folders.readable(source), "largest")
        with self._lock:
            shown, seen = sightings_of_frame(film, frame)
            guess = None if seen.faces else cat_points(shown.as_rgb8())
        height, width = shown.pixels.shape[:2]
        return FacesFound(
            width=width,
            height=height,
            is_still=film.info.is_still,
            faces=[_described(index, face) for index, face in enumerate(in_order(seen.faces))],
            unread=[HiddenFace(box=_box(item.box), reason=item.reason) for item in seen.unread],
            guess=None if guess is None else _rounded(guess),
        )

    def picture(self, source: str, frame: int) -> bytes:
        """A frame as JPEG, at most SHOWN_PX on its longer side; raises as ``found``."""
        film = filmed_face(self._folders.readable(source), "largest")
        return small_jpeg(one_frame(film, frame).as_rgb8(), SHOWN_PX)


def face_router(folders: Folders) -> APIRouter:
    """The routes of the page's face tools."""
    router = APIRouter(tags=["page"])
    tools = FaceTools(folders)

    @router.post("/faces", operation_id="faces")
    def faces(request: FacesRequest) -> FacesFound:
        """The faces of a source, with ids."""
        return tools.found(request.source, request.frame)

    @router.get("/faces/picture", operation_id="face_picture", response_class=Response, responses=JPEG)
    def picture(
        source: Annotated[Name, Query(description="Absolute path of a still, video or frame pattern.")],
        frame: Annotated[int, Query(ge=0, le=10**7, description="Frame of a video, from 0.")] = 0,
    ) -> Response:
        """A frame of a source, for the page to draw on."""
        return Response(tools.picture(source, frame), media_type="image/jpeg")

    @router.post("/faces/mesh", operation_id="face_mesh")
    def mesh(request: MeshRequest) -> MeshLines:
        """The canonical mesh fitted through points that were set by hand."""
        if len(request.points) not in COUNTS:
            raise SettingError("A face needs 5 or 9 points.")
        face = face_from_points(np.array(request.points, np.float64), neutral_face())
        return mesh_lines(face)

    return router


def mesh_lines(face: Face) -> MeshLines:
    """A face's mesh as SVG paths."""
    points = face.landmarks_frame[:, :2]
    triangles = skin_triangles()
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(pairs, axis=1), axis=0)
    texts = [f"{x:.1f} {y:.1f}" for x, y in points.tolist()]
    groups = MEDIAPIPE478.groups()
    closed = ("face_oval", "eye_left", "eye_right", "lips_outer", "lips_inner")
    return MeshLines(
        mesh="".join(f"M{texts[start]}L{texts[end]}" for start, end in edges.tolist()),
        contours="".join("M" + "L".join(texts[index] for index in groups[name]) + "Z" for name in closed),
    )


def _described(index: int, face: Face) -> FoundFace:
    return FoundFace(
        id=f"p{index}",
        index=index,
        box=_box(face.box),
        score=round(float(face.score), 3),
        points={str(count): _rounded(points_of(face, count)) for count in COUNTS},
    )


def _box(box: FaceBox) -> list[float]:
    return [round(value, 1) for value in (box.left, box.top, box.right, box.bottom)]


def _rounded(points: Any) -> list[list[float]]:  # noqa: ANN401 - (N, 2)
    return [[round(float(x), 1), round(float(y), 1)] for x, y in points]
