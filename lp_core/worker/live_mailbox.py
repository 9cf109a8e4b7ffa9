"""Live streams asked for by files, for hosts that speak no HTTP: a Lua script in OBS has no sockets.

A host writes ``NAME.json`` into the live folder (whole, by renaming)::

    {"version": 1, "pid": 4711, "recentre": 0, "stream": {"portrait": "/a.png", "driver": "camera:0", ...}}

``stream`` is what POST /streams takes. The worker answers in the ring ``NAME.ring`` next to it, where also state and
message are. Another file of that name changes the stream, a higher ``recentre`` takes the face as it is for the
neutral one, and taking the file away, or the end of the process ``pid``, ends it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import LpError, NotThere, SettingError, WorkerError
from lp_core.link.ownership import read_own
from lp_core.link.ring import RingWriter
from lp_core.link.runtime import make_live_folder
from lp_core.live.config import StreamConfig
from lp_core.live.streams import LiveStreams, is_running
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.live_schema import parse_request, to_config
from lp_core.worker.lock import locked_state

VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamFile:
    """What a file says."""

    pid: int
    """Process that asks for it."""
    recentre: int
    """How often the neutral face was to be taken again."""
    config: StreamConfig
    """The stream."""


@contextmanager
def open_streams(folders: Folders) -> Iterator[LiveStreams]:
    """The live streams of a worker; it also serves the mailbox, unless another worker does.

    Raises:
        WorkerError: the live folder cannot be used.
    """
    folder = make_live_folder()
    with ExitStack() as stack:
        mailbox = None
        try:
            stack.enter_context(locked_state(folder))
            mailbox = Mailbox(folder, folders)
            stack.callback(mailbox.close)
        except WorkerError as error:
            if error.code != "running":
                raise
            _log.warning("Another worker serves the live streams of hosts that lay files in %s.", folder)
        yield stack.enter_context(
            LiveStreams(folder, None if mailbox is None else mailbox.look, folders.readable)
        )


class Mailbox:
    """Keeps the streams as the files say."""

    def __init__(self, folder: Path, folders: Folders) -> None:
        self._folder, self._folders = folder, folders
        self._known: dict[str, tuple[int, int, int]] = {}
        self._requests: dict[str, StreamFile] = {}
        self._refused: dict[str, RingWriter] = {}
        self._ending: list[threading.Thread] = []

    def look(self, streams: LiveStreams) -> None:
        """Reads what changed; called again and again by one thread."""
        there = {path.stem: path for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem)}
        for name, path in there.items():
            request = self._requests.get(name)
            if request is not None and not is_running(request.pid):
                path.unlink(missing_ok=True)
                continue
            self._read(streams, name, path)
        for name in set(self._known) - {name for name, path in there.items() if path.exists()}:
            self._end(streams, name)
        for ring in self._refused.values():
            ring.beat()
        self._ending = [thread for thread in self._ending if thread.is_alive()]

    def close(self) -> None:
        """Lets go of everything."""
        for thread in self._ending:
            thread.join()
        for ring in self._refused.values():
            ring.close()

    def _read(self, streams: LiveStreams, name: str, path: Path) -> None:
        try:
            found = path.stat()
            mark = found.st_mtime_ns, found.st_size, found.st_ino
            if self._known.get(name) == mark or any(thread.name == f"end-{name}" for thread in self._ending):
                return
            if found.st_size > _LARGEST:
                raise SettingError(f"{path} is too large for a live stream's settings; write it again.")
            text = read_own(path, _LARGEST).decode("utf-8")
        except OSError:
            return  # it goes just now
        except (SettingError, WorkerError, ValueError) as error:
            text = ""
            self._refuse(streams, name, str(error))
        self._known[name] = mark
        try:
            request = read_stream_file(text, self._folders)
            self._grant(streams, name, request)
        except LpError as error:
            self._refuse(streams, name, str(error))

    def _grant(self, streams: LiveStreams, name: str, request: StreamFile) -> None:
        before = self._requests.get(name)
        refused = self._refused.pop(name, None)
        try:
            stream = streams.get(name)
            stream.complain(None)
            if before is None or before.config != request.config:
                stream.update(request.config)
        except NotThere:
            stream = streams.create(request.config, name)
        finally:
            if refused is not None:
                refused.close()
        if before is not None and request.recentre > before.recentre:
            stream.recentre()
        self._requests[name] = request

    def _refuse(self, streams: LiveStreams, name: str, sentence: str) -> None:
        """Tells the host why: in the stream's ring, or in a separate ring where there is no stream."""
        with contextlib.suppress(NotThere):
            streams.get(name).complain(sentence)
            return
        ring = self._refused.get(name) or RingWriter(self._folder / f"{name}.ring", 2, 2)
        ring.tell("failed", sentence)
        self._refused[name] = ring

    def _end(self, streams: LiveStreams, name: str) -> None:
        self._known.pop(name, None)
        self._requests.pop(name, None)
        refused = self._refused.pop(name, None)
        if refused is not None:
            refused.close()

        def end() -> None:
            with contextlib.suppress(NotThere):
                streams.delete(name)

        # In a thread: it waits for the stream's threads, and the other streams' hearts must go on beating.
        thread = threading.Thread(target=end, name=f"end-{name}")
        thread.start()
        self._ending.append(thread)


def read_stream_file(text: str, folders: Folders) -> StreamFile:
    """What a file's text asks for.

    Raises:
        LpError: it is none, of another version, or asks for what may not be.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingError(f"The host's request is not JSON ({error}); update its script.") from error
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise SettingError(
            f"The host's script speaks another version than {VERSION}; install it again with: lpsuite host install obs."
        )
    pid, recentre = values.get("pid"), values.get("recentre", 0)
    if type(pid) is not int or type(recentre) is not int:
        raise SettingError("The host's request names no process; update its script.")
    return StreamFile(pid, recentre, to_config(parse_request(values.get("stream")), folders))
