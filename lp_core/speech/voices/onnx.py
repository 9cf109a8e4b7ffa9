"""Networks of voices in ONNX: run by onnxruntime, with an inner tensor as a further output."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from lp_core.errors import ModelDamaged, missing_extra
from lp_core.files import check_readable, read_failure

EXTRA = "voice"
_GRAPH, _OUTPUT, _NAME = 7, 12, 1
"""Field numbers of ModelProto.graph, GraphProto.output, ValueInfoProto.name."""


def open_session(path: Path, inner: str | None = None) -> Any:  # noqa: ANN401 - onnxruntime's own class
    """An inference session on one core.

    Args:
        path: the network.
        inner: name of an inner tensor that becomes its last output.

    Raises:
        MissingDependency: onnxruntime is not installed.
        ModelDamaged: the file is not a network, or has no such tensor.
        UnreadableMedia: the file cannot be read.
    """
    check_readable(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise read_failure(path, error) from error
    return session_of(content, str(path), inner)


def session_of(content: bytes, name: str, inner: str | None = None) -> Any:  # noqa: ANN401 - onnxruntime's own class
    """The same for a network in memory.

    Args:
        content: the network.
        name: for messages.
        inner: name of an inner tensor that becomes its last output.

    Raises:
        MissingDependency: onnxruntime is not installed.
        ModelDamaged: it is not a network, or has no such tensor.
    """
    try:
        runtime = import_module("onnxruntime")
    except ImportError as error:
        raise missing_extra("This voice", EXTRA) from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(
            content if inner is None else with_output(content, inner),
            options,
            providers=["CPUExecutionProvider"],
        )
    except Exception as error:  # onnxruntime has an error class for each status
        raise ModelDamaged(
            f"{name} is not a voice that can be used ({type(error).__name__}); get the file again."
        ) from error


def with_output(model: bytes, tensor: str) -> bytes:
    """A network with one more output.

    Fields of concatenated protobuf messages merge, so the output is appended to the file: no library is needed.
    """
    name = _field(_NAME, tensor.encode())
    return model + _field(_GRAPH, _field(_OUTPUT, name))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
