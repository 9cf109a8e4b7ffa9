"""A talking portrait as a WebRTC peer: the only module that imports aiortc.

The worker offers, the client answers. No server outside this machine takes part (no STUN, no TURN), and the worker
sends nothing to addresses that a client names: a client reaches the worker, whose addresses are in the offer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from av import AudioFrame, Packet

from lp_core.errors import SettingError
from lp_core.live.phrases import FPS, SOUND_RATE
from lp_core.live.talking import BLOCK, BLOCK_S, TalkEvent, TalkFrame, TalkingPortrait
from lp_core.worker.talking.vp8 import Vp8

CHANNEL = "JanusDataChannel"
"""Name of the data channel that bears events, as D-ID's clients open it."""
SOUND_LEAD_S = 0.03
"""How long before its time a block of sound leaves: browsers hold sound back that much longer than video, and take it
for in sync (benchmarks/talk_clapper.py)."""
_MOST_FRAMES = 8
_CODECS = ("video/VP8", "video/rtx")
"""Codecs on offer: VP8 alone, because frames are encoded before their sender asks for them."""
_LONGEST_MESSAGE = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Description:
    """A session description."""

    type: str
    """offer or answer."""
    sdp: str


@dataclass(frozen=True)
class _Encoded:
    """A frame, ready to be sent."""

    index: int
    packets: list[Packet[Any]]
    events: tuple[TalkEvent, ...]


class _Pictures(MediaStreamTrack):  # type: ignore[misc]
    """The frames, encoded as they are drawn, each sent at its time."""

    kind = "video"

    def __init__(self, portrait: TalkingPortrait, tell: Callable[[TalkEvent], None]) -> None:
        super().__init__()
        self._portrait, self._tell = portrait, tell
        self._vp8 = Vp8(*portrait.size)
        self._waiting: asyncio.Queue[_Encoded] = asyncio.Queue()

    def want_key(self) -> None:
        """The client cannot decode what follows: the next frame shall stand alone."""
        self._vp8.want_key()

    def encoded(self, frame: TalkFrame) -> _Encoded:
        """The frame, encoded; called in the thread that draws."""
        return _Encoded(frame.index, self._vp8.encode(frame.pixels, frame.index), frame.events)

    def put(self, frame: _Encoded) -> None:
        """Takes a frame; where too many wait all of them go, but never their events."""
        if self._waiting.qsize() >= _MOST_FRAMES:
            while not self._waiting.empty():
                for event in self._waiting.get_nowait().events:
                    self._tell(event)
            self.want_key()
        self._waiting.put_nowait(frame)

    async def recv(self) -> Packet[Any]:
        """The next frame."""
        while True:
            shown = await self._waiting.get()
            await _until((self._portrait.start_s or 0.0) + shown.index / FPS)
            for event in shown.events:
                self._tell(event)
            if shown.packets:
                return shown.packets[0]


class _Sound(MediaStreamTrack):  # type: ignore[misc]
    """The sound, block by block."""

    kind = "audio"

    def __init__(self, portrait: TalkingPortrait, begun: asyncio.Event) -> None:
        super().__init__()
        self._portrait, self._begun, self._next = portrait, begun, 0

    async def recv(self) -> AudioFrame:
        """The next block; blocks that are long past are left out."""
        await self._begun.wait()
        await _until((self._portrait.start_s or 0.0) + self._next * BLOCK_S - SOUND_LEAD_S)
        samples = self._portrait.sound(self._next)
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
        frame.pts = self._next * BLOCK
        self._next += 1
        return frame


async def _until(moment_s: float) -> None:
    left_s = moment_s - time.monotonic()
    if left_s > 0:
        await asyncio.sleep(left_s)


class Peer:
    """One connection; used from the event loop's thread alone."""

    def __init__(self, portrait: TalkingPortrait, tell: Callable[[TalkEvent], None]) -> None:
        """Prepares.

        Args:
            portrait: what is shown; its clock starts when the connection is there.
            tell: takes events when their frame is sent.
        """
        self._portrait = portrait
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._begun = asyncio.Event()
        self._pictures = _Pictures(portrait, tell)
        self._own = self._connection.createDataChannel(CHANNEL)
        self._theirs: RTCDataChannel | None = None
        self._is_ready = False
        video = self._connection.addTransceiver(self._pictures, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([codec for codec in known if codec.mimeType in _CODECS])
        video.sender._send_keyframe = self._pictures.want_key  # noqa: SLF001 - aiortc asks only its own encoder
        self._connection.addTransceiver(_Sound(portrait, self._begun), direction="sendonly")
        self._connection.on("connectionstatechange", self._changed)
        self._connection.on("datachannel", self._opened)
        self._own.on("message", self._heard)
        self._own.on("open", self._check_ready)

    @property
    def state(self) -> str:
        """new, connecting, connected, failed or closed."""
        return str(self._connection.connectionState)

    async def offer(self) -> Description:
        """What the client is to answer."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        local = self._connection.localDescription
        return Description(local.type, local.sdp)

    async def answer(self, sdp: str) -> None:
        """Takes the client's answer.

        Raises:
            SettingError: it is not one, or not one to this offer.
        """
        lines = sdp.replace("\r\n", "\n").split("\n")
        kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
        try:
            description = RTCSessionDescription("\r\n".join(kept), "answer")
            await self._connection.setRemoteDescription(description)
        except (ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
            raise SettingError(f"The answer is not understood ({error}); send the client's SDP.") from error
        except (InvalidAccessError, InvalidStateError, OperationError) as error:
            raise SettingError(f"The answer does not fit ({error}); answer each offer once.") from error

    def send(self, text: str) -> None:
        """Sends an event over the data channel, that of the client where it has opened one."""
        channel = self._theirs or self._own
        if channel.readyState == "open":
            channel.send(text)

    async def close(self) -> None:
        """Ends the connection."""
        await self._connection.close()

    def _changed(self) -> None:
        if self.state == "connected" and not self._begun.is_set():
            loop = asyncio.get_running_loop()

            def show(frame: TalkFrame) -> None:
                encoded = self._pictures.encoded(frame)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._pictures.put, encoded)

            self._portrait.begin(show)
            self._begun.set()
            self._check_ready()

    def _opened(self, channel: RTCDataChannel) -> None:
        self._theirs = channel
        channel.on("message", self._heard)
        if self._is_ready:
            channel.send("stream/ready")
        self._check_ready()

    def _check_ready(self) -> None:
        channel = self._theirs or self._own
        if self._begun.is_set() and channel.readyState == "open" and not self._is_ready:
            self._is_ready = True
            channel.send("stream/ready")

    def _heard(self, message: object) -> None:
        """A client interrupts by {"type": "stream/interrupt"}."""
        if not isinstance(message, str) or len(message) > _LONGEST_MESSAGE:
            return
        try:
            said = json.loads(message)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict) and said.get("type") == "stream/interrupt":
            self._portrait.interrupt()
