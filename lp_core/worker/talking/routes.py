"""Routes of the page's talking portrait."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from lp_core.speech.voices.base import Delivery
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.job_kinds import checked_settings
from lp_core.worker.schema import ErrorBody, Name, SettingsModel, Wire
from lp_core.worker.talking.sessions import TalkOrder, TalkSessions

OWNER = ""
"""Of sessions that the page or a program with the worker's token makes."""
SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the session.")]
NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "There is none."}}


class TalkRequest(Wire):
    """A portrait that is to talk."""

    portrait: Name = Field(description="Absolute path of a still image.")
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]


class TalkOffer(Wire):
    """A session that waits for its client's answer."""

    id: str = Field(description="Its name.")
    type: str = Field(description="offer.")
    sdp: str = Field(description="Session description of the worker.")
    notes: list[str] = Field(description="What the user should know, such as settings without effect.")


class TalkAnswer(Wire):
    """The client's answer."""

    sdp: str = Field(min_length=1, max_length=100_000, description="Session description of the client.")


class TalkWords(Wire):
    """Something to say."""

    text: str = Field(min_length=1, max_length=20_000, description="Plain text or SSML.")
    voice: str = Field(
        "", max_length=200, description="Name of a voice; empty: the default for the language."
    )
    language: str = Field("", max_length=35, description="BCP 47 tag.")
    speed: float = Field(1.0, ge=0.5, le=2.0)


class TalkSaid(Wire):
    """An utterance that was accepted."""

    id: str = Field(description="Its name, which events bear.")
    voice: str = Field(description="Synthetic voice that is heard.")
    license: str = Field(description="Of the voice.")


def talking_router(sessions: TalkSessions, folders: Folders) -> APIRouter:
    """Routes under ``/talking``."""
    router = APIRouter(prefix="/talking", tags=["talking"])

    @router.post("", operation_id="create_talking", status_code=201)
    async def create(request: TalkRequest) -> TalkOffer:
        """Makes a portrait ready to talk over WebRTC."""
        order = TalkOrder(folders.readable(request.portrait), checked_settings(request.settings, folders))
        session = await sessions.create(OWNER, order)
        offer = await session.offer()
        return TalkOffer(id=session.name, type=offer.type, sdp=offer.sdp, notes=list(session.portrait.notes))

    @router.post("/{session}/answer", operation_id="answer_talking", status_code=204, responses=NOT_THERE)
    async def answer(session: SessionId, request: TalkAnswer) -> None:
        """Takes the client's answer; frames and sound begin."""
        await sessions.get(OWNER, session).answer(request.sdp)

    @router.post("/{session}/text", operation_id="say_talking", responses=NOT_THERE)
    async def say(session: SessionId, request: TalkWords) -> TalkSaid:
        """Says a text after what waits."""
        delivery = Delivery(request.language, request.speed)
        said = await sessions.get(OWNER, session).say(request.text, request.voice, delivery)
        return TalkSaid(id=said.name, voice=said.voice.id, license=said.voice.license)

    @router.post(
        "/{session}/interrupt", operation_id="interrupt_talking", status_code=204, responses=NOT_THERE
    )
    async def interrupt(session: SessionId) -> None:
        """Ends what is said, and drops what waits."""
        sessions.get(OWNER, session).portrait.interrupt()

    @router.delete("/{session}", operation_id="end_talking", status_code=204, responses=NOT_THERE)
    async def end(session: SessionId) -> None:
        """Ends a session."""
        await sessions.end(sessions.get(OWNER, session))

    return router
