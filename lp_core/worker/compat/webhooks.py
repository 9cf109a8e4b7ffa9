"""Tells clients that their videos are done: a call to the address they gave, signed, with retries."""

from __future__ import annotations

import hmac
import json
import logging
import threading
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lp_core.contexts import ClosesOnExit
from lp_core.errors import LpError, NotThere
from lp_core.link.messages import ENDED
from lp_core.worker.compat.did import VENDOR as DID
from lp_core.worker.compat.did import as_talk
from lp_core.worker.compat.heygen import as_video
from lp_core.worker.compat.records import Talk
from lp_core.worker.compat.talks import Compat

_LOOK_S = 0.5
_RETRIES_S = (0.0, 2.0, 10.0, 60.0)
"""Waits before each try; after the last the call is abandoned."""
_log = logging.getLogger(__name__)


class Webhooks(ClosesOnExit):
    """A thread that makes the calls; what was not sent is sent after a restart."""

    def __init__(self, compat: Compat, base: str) -> None:
        """Nothing is called before ``start``.

        Args:
            compat: knows the talks.
            base: scheme and host of this worker, for links to results.
        """
        self._compat, self._base = compat, base
        self._stop = threading.Event()
        self._tries: dict[str, tuple[int, float]] = {}
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begins to call."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                self.look()
            except LpError as error:
                _log.warning("Webhooks cannot be called: %s", error)
            except Exception:  # noqa: BLE001 - logged; without the thread no client would hear anything
                _log.exception("Webhooks cannot be called because of a defect of LP Suite")

    def look(self) -> None:
        """Calls what is due.

        Raises:
            LpError: the table cannot be read.
        """
        for talk in self._compat.records.untold():
            try:
                row = self._compat.row(talk)
            except NotThere:
                self._compat.records.tell(talk.id)
                continue
            number, due_s = self._tries.get(talk.id, (0, 0.0))
            if row.state not in ENDED or time.monotonic() < due_s:
                continue
            if self._call(talk) or number + 1 >= len(_RETRIES_S):
                self._compat.records.tell(talk.id)
                self._tries.pop(talk.id, None)
            else:
                self._tries[talk.id] = (number + 1, time.monotonic() + _RETRIES_S[number + 1])

    def _call(self, talk: Talk) -> bool:
        client = next((item for item in self._compat.clients if item.name == talk.client), None)
        if client is None:
            return True
        body = json.dumps(self._message(talk)).encode()
        headers = {"Content-Type": "application/json", "Signature": sign(client.webhook_secret, body)}
        try:
            status = self._compat.remote.call(talk.webhook, body, headers)
        except LpError as error:
            _log.warning("The webhook of %s was not taken: %s", talk.id, error)
            return False
        return 200 <= status < 300

    def _message(self, talk: Talk) -> Mapping[str, Any]:
        if talk.vendor == DID:
            return as_talk(self._compat, talk, self._base)
        video = as_video(self._compat, talk, self._base)
        data = {"video_id": talk.id, "callback_id": video["callback_id"]}
        if video["status"] == "completed":
            more = {"url": video["video_url"], "video_url": video["video_url"], "duration": video["duration"]}
            return {"event_type": "avatar_video.success", "event_data": {**data, **more}}
        return {"event_type": "avatar_video.fail", "event_data": {**data, "msg": video["failure_message"]}}


def sign(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of a body, hexadecimal."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()
