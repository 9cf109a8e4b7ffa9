"""Sessions of talking portraits: made, found and ended by name and owner; each ends when nobody uses it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lp_core.errors import LpError, NotThere, TooBusy, missing_extra
from lp_core.finishing.finish import Framing
from lp_core.live.config import StreamConfig
from lp_core.live.phrases import phrase_of
from lp_core.live.scenes import make_scene
from lp_core.live.talking import TalkEvent, TalkingPortrait, TalkText
from lp_core.settings import RenderSettings, SpeechSettings
from lp_core.settings.live import LiveSettings
from lp_core.speech.voices.base import Delivery, VoiceInfo
from lp_core.speech.voices.cache import default_cache
from lp_core.speech.voices.registry import open_voice
from lp_core.speech.voices.script import read_script
from lp_core.worker.say_job import check_voice_name

if TYPE_CHECKING:
    from lp_core.worker.talking.peer import Description, Peer

MOST_SESSIONS = 4
"""At a time: each draws 25 frames a second."""
CONNECT_S = 60.0
"""A session that no client has reached by then ends."""
IDLE_S = 300.0
"""A session without a new text for so long ends."""
_LOOK_S = 1.0
_SYNTHETIC = "trainedAlgorithmicMedia"


@dataclass(frozen=True)
class TalkOrder:
    """A talking portrait that is asked for."""

    portrait: str
    """File, resolved and allowed."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Of face and engine; live streams use what is not about files."""
    framing: Framing = field(default_factory=lambda: Framing("1:1", 0.55, 512))
    """Cut around the face."""


@dataclass(frozen=True)
class Said:
    """An utterance that was accepted."""

    name: str
    voice: VoiceInfo


class TalkSession:
    """One portrait and its client."""

    def __init__(self, owner: str, portrait: TalkingPortrait) -> None:
        self.owner, self.name = owner, f"strm_{secrets.token_urlsafe(12)}"
        self.key = f"sess_{secrets.token_urlsafe(18)}"
        """Its client sends it with every request that follows."""
        self.portrait = portrait
        peer = import_module("lp_core.worker.talking.peer")
        self.peer: Peer = peer.Peer(portrait, self._tell)
        self.used_s = time.monotonic()

    async def offer(self) -> Description:
        """What the client is to answer."""
        return await self.peer.offer()

    async def answer(self, sdp: str) -> None:
        """Takes the client's answer.

        Raises:
            SettingError: it is not understood.
        """
        self.used_s = time.monotonic()
        await self.peer.answer(sdp)

    async def say(self, text: str, voice: str, delivery: Delivery) -> Said:
        """Says a text after what waits.

        Raises:
            NotAllowed: the voice is of a kind that clients may not name.
            TooBusy: too much waits.
            LpError: the text or the voice cannot be used.
        """
        self.used_s = time.monotonic()
        check_voice_name(voice, delivery.language)
        pieces = read_script(text)
        speaker = await asyncio.to_thread(open_voice, voice, delivery.language)
        name = f"tlk_{secrets.token_urlsafe(12)}"
        self.portrait.say(TalkText(name, pieces, speaker, delivery))
        return Said(name, speaker.info)

    def _tell(self, event: TalkEvent) -> None:
        """Sends an event as ``stream/KIND:{...}``; the voice is named as synthetic."""
        self.used_s = time.monotonic()
        facts = {
            "id": event.utterance, "voice": event.voice.id, "license": event.voice.license,
            "digitalSourceType": _SYNTHETIC, **({"message": event.words} if event.words else {}),
        }  # fmt: skip
        self.peer.send(f"stream/{event.kind}:{json.dumps(facts)}")

    async def close(self) -> None:
        """Ends the connection and the portrait's threads."""
        await self.peer.close()
        await asyncio.to_thread(self.portrait.close)


class TalkSessions:
    """All sessions of a worker; used from the event loop's thread alone."""

    def __init__(self, admit: Callable[[str], object] = str, examine: Callable[[str], object] = str) -> None:
        """Begins with none.

        Args:
            admit: is given a portrait's name before it is opened; raises NotAllowed for what may not be read.
            examine: is given it next; raises LpError where it cannot be read.
        """
        self._admit, self._examine = admit, examine
        self._sessions: dict[str, TalkSession] = {}
        self._making = 0
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._sessions) + self._making

    async def create(self, owner: str, order: TalkOrder) -> TalkSession:
        """A session that waits for its client.

        Raises:
            MissingDependency: the extra 'webrtc' is not installed.
            TooBusy: there are as many as the worker serves.
            LpError: the portrait or a setting cannot be used.
        """
        if find_spec("aiortc") is None:
            raise missing_extra("A talking portrait in a browser", "webrtc")
        if len(self) >= MOST_SESSIONS:
            raise TooBusy(f"{MOST_SESSIONS} portraits talk already; end one, or try again later.")
        self._making += 1
        try:
            session = TalkSession(owner, await asyncio.to_thread(self._prepared, order))
        finally:
            self._making -= 1
        self._sessions[session.name] = session
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        return session

    def _prepared(self, order: TalkOrder) -> TalkingPortrait:
        live = LiveSettings(longest_side=2048 if order.framing.aspect else order.framing.height or 1024)
        config = StreamConfig(order.portrait, "speech:text", order.settings, live)
        config.open_mark()  # refuses before the portrait is read
        self._admit(order.portrait)
        self._examine(order.portrait)
        _warm_up()
        scene = make_scene(config.wanted, order.settings, None, self._admit, order.framing)
        return TalkingPortrait(config, scene, default_cache())

    def get(self, owner: str, name: str) -> TalkSession:
        """A session of an owner.

        Raises:
            NotThere: the owner has none of that name.
        """
        found = self._sessions.get(name)
        if found is None or found.owner != owner:
            raise NotThere(f"There is no stream '{name}'.")
        return found

    async def end(self, session: TalkSession) -> None:
        """Ends a session."""
        if self._sessions.pop(session.name, None) is not None:
            await session.close()

    async def close(self) -> None:
        """Ends all of them; may be called twice."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        for session in list(self._sessions.values()):
            await self.end(session)

    async def _look(self) -> None:
        """Ends sessions that nobody uses, until there is none."""
        while self._sessions:
            await asyncio.sleep(_LOOK_S)
            now = time.monotonic()
            for session in list(self._sessions.values()):
                limit_s = IDLE_S if session.peer.state == "connected" else CONNECT_S
                if session.peer.state in ("failed", "closed") or now - session.used_s > limit_s:
                    with suppress(LpError):
                        await self.end(session)


@lru_cache(maxsize=1)
def _warm_up() -> None:
    """Loads the default voice and the mouth map once, so that the first text does not wait for them."""
    with suppress(LpError):
        phrase_of(open_voice("").speak("Hi.", Delivery()), 0.0, SpeechSettings())
