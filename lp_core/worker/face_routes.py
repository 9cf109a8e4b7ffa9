"""Routes of the page's face tools: the faces of a source, its image, and the mesh that points set by hand give."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from lp_core.engines.mesh.topology import skin_triangles
from lp_core.errors import SettingError
from lp_core.faces.base import Face
from lp_core.faces.hand_points import COUNTS, face_from_points
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.motion.builtin import neutral_face
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.looks import MediaLooks
from lp_core.worker.schema import Name, Wire

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


def face_router(folders: Folders, looks: MediaLooks) -> APIRouter:
    """The routes of the page's face tools."""
    router = APIRouter(tags=["page"])

    @router.post("/faces", operation_id="faces")
    def faces(request: FacesRequest) -> FacesFound:
        """The faces of a source, with ids."""
        values = {"source": folders.readable(request.source), "frame": request.frame}
        return FacesFound.model_validate(looks.look("faces", values))

    @router.get("/faces/picture", operation_id="face_picture", response_class=Response, responses=JPEG)
    def picture(
        source: Annotated[Name, Query(description="Absolute path of a still, video or frame pattern.")],
        frame: Annotated[int, Query(ge=0, le=10**7, description="Frame of a video, from 0.")] = 0,
    ) -> Response:
        """A frame of a source, for the page to draw on."""
        values = {"source": folders.readable(source), "frame": frame}
        return Response(looks.jpeg("face_picture", values), media_type="image/jpeg")

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
