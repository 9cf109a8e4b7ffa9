"""The client of the worker, for host programs. Standard library only, Python 3.7 syntax.

::

    client = Client.connect()                       # starts a worker if none runs
    job = client.submit("animate", {"source": "/a.png", "driving": "demo:nod", "output": "/out.mp4"})
    for event in client.follow(job.id):
        print(event)
    print(client.job(job.id).summary)

Every failure is a ``WorkerError``: its text is the worker's own sentence, its ``code`` the wire code. A client
holds no connection between calls and may be used by several threads.
"""

import http.client
import json
import socket
import ssl
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union
from urllib.parse import quote, urlencode

from ..errors import WorkerError
from ..job import RenderJob
from .messages import PROTOCOL, JobEvent, JobStatus
from .runtime import Address, read_runtime
from .start import check_alive, start_worker

START_S = 60.0
"""How long a worker may take to start: the first import on a cold disk is slow."""
TIMEOUT_S = 30.0
"""How long an answer may take; a stream of events says something more often than that."""
REATTACH_S = 60.0
"""How long ``follow`` waits for a worker that died to come back."""
_LOOK_S = 0.05
_CHUNK = 1 << 20
_BROKEN = (OSError, http.client.HTTPException)

Parameters = Dict[str, Any]


class Client:
    """One worker, spoken to."""

    def __init__(self, address: Address, timeout_s: float = TIMEOUT_S, is_found: bool = False) -> None:
        """A client of the worker at an address; nothing is sent yet.

        Args:
            address: where it is.
            timeout_s: how long an answer may take.
            is_found: the address came from the runtime file, which may tell another one later.
        """
        self.address = address
        self._timeout_s = timeout_s
        self._is_found = is_found

    @classmethod
    def connect(cls, start: bool = True, wait_s: float = START_S) -> "Client":
        """The running worker; starts one when none runs and waits until it answers.

        Raises:
            WorkerError: none runs and none may or can be started, or it speaks a newer language.
        """
        client = cls.running()
        if client is not None:
            return client
        if not start:
            raise WorkerError("No worker runs; start it with: lpsuite serve.")
        started = start_worker()
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            client = cls.running()
            if client is not None:
                return client
            check_alive(started)
            time.sleep(_LOOK_S)
        raise WorkerError(f"The worker does not answer after {wait_s:.0f} s; look into its log.")

    @classmethod
    def running(cls) -> Optional["Client"]:
        """The worker named by the runtime file; None when it is not there or does not answer.

        Raises:
            WorkerError: it speaks a newer language.
        """
        address = read_runtime()
        if address is None:
            return None
        client = cls(address, is_found=True)
        try:
            health = client.health()
        except WorkerError:
            return None
        if health.get("protocol", 0) > PROTOCOL:
            raise WorkerError(
                "The worker {} is newer than this client; update the files of LP Suite in this host.".format(
                    health.get("version", "")
                )
            )
        return client

    def health(self) -> Dict[str, Any]:
        """Name, version, protocol and state of the worker; needs no token."""
        answer: Dict[str, Any] = self.request("GET", "/health")
        return answer

    def submit(
        self,
        kind: str,
        parameters: Union[Parameters, RenderJob],
        priority: int = 0,
        key: Optional[str] = None,
    ) -> JobStatus:
        """Hands over a job.

        Args:
            kind: one of messages.KINDS.
            parameters: source, driving, output and settings (groups as in lp_core.settings); or a RenderJob.
            priority: higher goes first.
            key: name of this request: a second one with the same key gives the same job. Default: a new one,
                so that a repeated transmission makes no second job.

        Raises:
            WorkerError: the worker refused it, or cannot be reached.
        """
        if isinstance(parameters, RenderJob):
            whole = json.loads(parameters.to_json())
            parameters = {name: whole[name] for name in ("source", "driving", "output", "settings")}
        body = {
            "kind": kind,
            "priority": priority,
            "key": key or uuid.uuid4().hex,
            "parameters": parameters,
        }
        return JobStatus.from_json(self.request("POST", "/jobs", body, is_repeatable=True))

    def jobs(self, state: Optional[str] = None, limit: int = 100) -> List[JobStatus]:
        """The newest jobs, newest first; of one state when one is named."""
        query = {"limit": str(limit)}
        if state is not None:
            query["state"] = state
        answer = self.request("GET", "/jobs?" + urlencode(query))
        return [JobStatus.from_json(values) for values in answer["jobs"]]

    def job(self, job: str) -> JobStatus:
        """One job."""
        return JobStatus.from_json(self.request("GET", "/jobs/" + quote(job, safe="")))

    def cancel(self, job: str) -> JobStatus:
        """Stops a job; one that has ended stays as it is."""
        return JobStatus.from_json(self.request("POST", "/jobs/" + quote(job, safe="") + "/cancel"))

    def forget(self, job: str) -> None:
        """Takes an ended job off the list; what it made stays."""
        self.request("DELETE", "/jobs/" + quote(job, safe=""))

    def log(self, job: str) -> List[str]:
        """The lines that a job has logged."""
        answer = self.request("GET", "/jobs/" + quote(job, safe="") + "/log")
        return [str(line["text"]) for line in answer["lines"]]

    def follow(self, job: str, reattach_s: float = REATTACH_S) -> Iterator[JobEvent]:
        """Everything that happens to a job, until it has ended; first its state now.

        When the worker dies it is waited for: jobs go on where they were when it comes back.

        Raises:
            WorkerError: there is no such job, or the worker stays away.
        """
        until = time.monotonic() + reattach_s
        while True:
            try:
                for event in self._events("/jobs/" + quote(job, safe="") + "/events"):
                    until = time.monotonic() + reattach_s
                    yield event
                    if event.status is not None and event.status.has_ended:
                        return
            except _BROKEN as error:
                if time.monotonic() > until:
                    raise self._unreachable(error) from error
            time.sleep(_LOOK_S)
            self._find_again()

    def wait(self, job: str, listen: Optional[Callable[[JobEvent], None]] = None) -> JobStatus:
        """Waits until a job has ended; raises what made it fail.

        Args:
            job: its name.
            listen: is called with every event.

        Raises:
            WorkerError: the job failed or was cancelled, or the worker stays away.
        """
        status = None
        for event in self.follow(job):
            status = event.status or status
            if listen is not None:
                listen(event)
        if status is None or not status.has_ended:
            status = self.job(job)
        if status.state == "failed" and status.error is not None:
            raise WorkerError(status.error.message, status.error.code)
        if status.state == "cancelled":
            raise WorkerError("The job was cancelled.", "cancelled")
        return status

    def upload(self, path: Union[str, Path]) -> str:
        """Sends a file to a worker on another machine; returns the path it has there."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                answer = self.request("POST", "/uploads?" + urlencode({"name": path.name}), file)
        except OSError as error:
            raise WorkerError(f"{path} cannot be read: {error.strerror}.") from error
        return str(answer["path"])

    def login_link(self) -> str:
        """An address that opens the page in a browser; good once, for some minutes."""
        return self.address.url + str(self.request("POST", "/logins")["path"])

    def prepare(self) -> str:
        """Says that a job will be filled in on the page; its name, for the page's address."""
        return str(self.request("POST", "/prepared")["id"])

    def is_prepared(self, name: str) -> bool:
        """Whether the page still wants a prepared job; False where it was cancelled there.

        Raises:
            WorkerError: the worker cannot be reached.
        """
        try:
            self.request("GET", "/prepared/" + quote(name, safe=""))
        except WorkerError as error:
            if error.code != "not_there":
                raise
            return False
        return True

    def streams(self) -> List[Dict[str, Any]]:
        """The live streams."""
        answer = self.request("GET", "/streams")
        return list(answer["streams"] if isinstance(answer, dict) else answer)

    def create_stream(self, parameters: Parameters) -> Dict[str, Any]:
        """Begins a live stream; the answer holds its id and the ring its frames are in."""
        answer: Dict[str, Any] = self.request("POST", "/streams", parameters)
        return answer

    def stream(self, stream: str) -> Dict[str, Any]:
        """State of a live stream."""
        answer: Dict[str, Any] = self.request("GET", "/streams/" + quote(stream, safe=""))
        return answer

    def update_stream(self, stream: str, changes: Parameters) -> Dict[str, Any]:
        """Changes a live stream from one frame to the next."""
        answer: Dict[str, Any] = self.request("PATCH", "/streams/" + quote(stream, safe=""), changes)
        return answer

    def delete_stream(self, stream: str) -> None:
        """Ends a live stream."""
        self.request("DELETE", "/streams/" + quote(stream, safe=""))

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON value or an open file
        is_repeatable: bool = False,
    ) -> Any:  # noqa: ANN401 - any JSON value
        """One request; the answer's JSON.

        Args:
            method: of HTTP.
            path: with its query.
            body: a JSON value, or a file open for reading in binary.
            is_repeatable: may be sent again when the connection broke.

        Raises:
            WorkerError: the worker refused, or cannot be reached.
        """
        try:
            return self._ask(method, path, body)
        except _BROKEN as error:
            if method != "GET" and not is_repeatable:
                raise self._unreachable(error) from error
        self._find_again()
        try:
            return self._ask(method, path, body)
        except _BROKEN as error:
            raise self._unreachable(error) from error

    def _ask(self, method: str, path: str, body: Any) -> Any:  # noqa: ANN401 - any JSON value
        connection, answer = self._send(method, path, body)
        try:
            return _content(answer.status, answer.read())
        finally:
            connection.close()

    def _send(
        self,
        method: str,
        path: str,
        body: Any,  # noqa: ANN401
    ) -> Tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        address = self.address
        connection = _connection(address, self._timeout_s)
        headers = {"Authorization": "Bearer " + address.token}
        if body is not None and not hasattr(body, "read"):
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode("ascii")
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
        try:
            connection.request(method, path, body, headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _events(self, path: str) -> Iterator[JobEvent]:
        """The events of a subscription until the worker ends it."""
        connection, answer = self._send("GET", path, None)
        try:
            if answer.status != http.client.OK:
                _content(answer.status, answer.read())
            kind, data = "", []  # type: str, List[str]
            while True:
                line = answer.readline().decode("utf-8").rstrip("\r\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and data:
                    yield JobEvent.from_json(kind, json.loads("\n".join(data)))
                    kind, data = "", []
                elif not line and answer.isclosed():
                    return
        finally:
            connection.close()

    def _find_again(self) -> None:
        """A worker that was started again has another port and another token."""
        address = read_runtime() if self._is_found else None
        if address is not None:
            self.address = address

    def _unreachable(self, error: Exception) -> WorkerError:
        return WorkerError(
            f"The worker at {self.address.url} cannot be reached ({error or type(error).__name__}); start it "
            "with: lpsuite serve.",
            "unreachable",
        )


def _connection(address: Address, timeout_s: float) -> http.client.HTTPConnection:
    if address.scheme == "https":
        context = ssl.create_default_context(cafile=address.certificate)
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_s, context=context)
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    connection.connect()
    # Without it a request of two packets waits 40 ms for an acknowledgement.
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _content(status: int, data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        values = json.loads(data.decode("utf-8")) if data else None
    except (ValueError, RecursionError) as error:
        raise WorkerError(f"The worker's answer ({status}) cannot be understood.", "protocol") from error
    if status < http.client.BAD_REQUEST:
        return values
    found = values if isinstance(values, dict) else {}
    message = str(found.get("message") or f"The worker refused with code {status}.")
    raise WorkerError(message, str(found.get("code") or "worker"))
