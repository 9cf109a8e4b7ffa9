"""The map from sound to mouth: a linear map fitted on filmed speakers, and its file."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged
from lp_core.files import check_readable, read_failure
from lp_core.speech.mouth_features import FEATURES

F32 = NDArray[np.float32]

OUTPUTS = (
    "open", "width", "round", "jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthPucker", "mouthPress",
    "mouthRollLower", "mouthRollUpper", "mouthStretch", "mouthSmile",
)  # fmt: skip
"""What is predicted: geometry in outer eye distances, then blendshapes, the mean of both sides where there are two."""
ROUNDED = ("round", "mouthPucker")
"""Outputs that depend on phones alone: mel bands make them worse."""
SCHEMA = 1


@dataclass(frozen=True)
class MouthMap:
    """A fitted map."""

    weights: F32
    """(FEATURES, outputs)."""
    bias: F32
    """(outputs,) added, in standard deviations."""
    mean: F32
    """(outputs,) the median speaker's mean, in the output's own unit."""
    spread: F32
    """(outputs,) the median speaker's standard deviation, in the output's own unit."""
    speakers: int
    """Number of speakers it was fitted on."""

    def __post_init__(self) -> None:
        count = len(OUTPUTS)
        shapes = (self.weights.shape, self.bias.shape, self.mean.shape, self.spread.shape)
        if shapes != ((FEATURES, count), (count,), (count,), (count,)):
            raise ModelDamaged(
                f"The mouth map has arrays of shapes {shapes}, which do not fit this version; fit it again with "
                "lpsuite train speech."
            )

    def deviations(self, features: F32) -> F32:
        """(ticks, outputs) the mouth in standard deviations from the speaker's mean, as the map predicts it.

        Added up in float64: in float32 the last bit depends on how many threads share the work.
        """
        exact = features.astype(np.float64) @ self.weights.astype(np.float64) + self.bias
        result: F32 = exact.astype(np.float32)
        return result

    def to_bytes(self) -> bytes:
        """The map as an .npz file."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            schema=np.int64(SCHEMA),
            outputs=np.array(OUTPUTS),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            mean=self.mean,
            spread=self.spread,
            speakers=np.int64(self.speakers),
        )
        return buffer.getvalue()


_MOST_BYTES = 64 << 20
"""Bytes of a map's arrays, unpacked."""
_DAMAGED = (
    *(
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        RuntimeError,
        OverflowError,
    ),  # RuntimeError: a password
    *(
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        tokenize.TokenError,
        SyntaxError,
        MemoryError,
    ),  # of the header
)


def parse_map(content: bytes, name: str) -> MouthMap:
    """Reads what ``MouthMap.to_bytes`` wrote.

    Args:
        content: the file.
        name: of the file, for messages.

    Raises:
        ModelDamaged: it is not a mouth map of this version.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_BYTES:
                raise ValueError("it is larger than any")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays: Mapping[str, NDArray[np.generic]] = {key: stored[key] for key in stored.files}
        if int(arrays["schema"]) != SCHEMA or tuple(arrays["outputs"].tolist()) != OUTPUTS:
            raise ValueError("it is of another version")
        weights, bias, mean, spread = (
            arrays[key].astype(np.float32) for key in ("weights", "bias", "mean", "spread")
        )
        speakers = int(arrays["speakers"])
    except _DAMAGED as error:
        raise ModelDamaged(
            f"{name} is not a mouth map of this version ({error}); fit it again with lpsuite train speech."
        ) from error
    return MouthMap(weights, bias, mean, spread, speakers)


def read_map(path: Path | None) -> MouthMap:
    """The map of a file; None: the one that comes with this version.

    Raises:
        ModelDamaged: it is not a mouth map of this version.
        MediaError: the file cannot be read.
    """
    if path is None:
        return default_map()
    check_readable(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise read_failure(path, error) from error
    return parse_map(content, str(path))


@lru_cache(maxsize=1)
def default_map() -> MouthMap:
    """The map that comes with this version."""
    return parse_map(files("lp_core.speech").joinpath("mouth_map.npz").read_bytes(), "The default mouth map")


@lru_cache(maxsize=1)
def spectral_map() -> MouthMap:
    """The map from mel bands alone, for when there is no time to recognize phones."""
    return parse_map(files("lp_core.speech").joinpath("spectral_map.npz").read_bytes(), "The spectral map")
