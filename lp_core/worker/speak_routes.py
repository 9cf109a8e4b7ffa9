"""Routes of the page's voices: which there are, and how a text sounds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from lp_core.leftovers import temporary_prefix
from lp_core.saying.say import speak_scene
from lp_core.saying.scenes import ScriptScene
from lp_core.worker.compat.voices import voices
from lp_core.worker.say_job import check_voice_name
from lp_core.worker.schema import ErrorBody, Text, Wire

LONGEST_PREVIEW = 2000
"""Characters of a text that is spoken at once."""
WAV: dict[int | str, dict[str, Any]] = {
    200: {"description": "WAV.", "content": {"audio/wav": {}}},
    422: {"model": ErrorBody, "description": "The text or the voice cannot be used."},
}


class VoiceBody(Wire):
    """A voice."""

    id: str = Field(description="Its name.")
    title: str = Field(description="For people.")
    language: str = Field(description="BCP 47 tag.")
    license: str = Field(description="Of the voice.")


class VoiceList(Wire):
    """All voices that a request may name."""

    voices: list[VoiceBody]


class SpeechRequest(Wire):
    """A text that is to be heard."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_PREVIEW)] = Field(
        description="Plain text or SSML."
    )
    voice: Text = Field("", description="Name of a voice; empty: the default for the language.")
    language: Annotated[str, Field(max_length=35)] = Field("", description="BCP 47 tag.")
    speed: Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False)] = 1.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


def speak_router() -> APIRouter:
    """``/voices`` and ``/speech``."""
    router = APIRouter(tags=["speech"])

    @router.get("/voices", operation_id="voices")
    def listed() -> VoiceList:
        """Synthetic voices."""
        return VoiceList(
            voices=[
                VoiceBody(id=info.id, title=info.title, language=info.language, license=info.license)
                for info in voices()
            ]
        )

    @router.post("/speech", operation_id="speech", response_class=Response, responses=WAV)
    def speech(request: SpeechRequest) -> Response:
        """How a text sounds: the sound that a job of the same values has."""
        check_voice_name(request.voice, request.language)
        scene = ScriptScene(request.text, "-", request.voice, request.language, request.speed)
        with tempfile.TemporaryDirectory(prefix=temporary_prefix()) as folder:
            spoken = speak_scene(scene, request.seed, Path(folder) / "speech.wav")
            return Response(spoken.path.read_bytes(), media_type="audio/wav")

    return router
