"""Random but possible motions, and motion files taken apart and put together."""

import json
import zlib
from pathlib import Path

import numpy as np

from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.files.lpmotion_header import checksum
from lp_core.motion.sequence import MOTION_ARRAYS, MotionSequence, frame_shapes
from lp_core.timing import FrameRate


def performance(count=5, rig="liveportrait21", seed=1):
    """A random, possible motion."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=(count, *shape)) for name, shape in frame_shapes(rig).items()}
    arrays["rotation"] = np.stack([from_angles_deg(*(30 * rng.normal(size=3))) for _ in range(count)])
    arrays["confidence"] = rng.random(count)
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    return MotionSequence(
        FrameRate.parse("29.97"), rig, origin="Gespräch 東.mp4", metadata={"take": "3", "日": "ü"}, **arrays
    )


def assert_equal(got, wanted):
    for name in MOTION_ARRAYS:
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name))
        assert getattr(got, name).dtype == np.float32
    for name in ("rate", "rig", "origin", "metadata"):
        assert getattr(got, name) == getattr(wanted, name)


def taken_apart(path):
    """(header as a dictionary, array bytes) of a file."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def put_together(path, content, data, signed=True):
    """Writes a file from its parts, by default with the checksum that belongs to them."""
    if signed:
        texts = {name: text for name, text in content["__metadata__"].items() if name != "checksum"}
        arrays = {name: entry["data_offsets"] for name, entry in content.items() if name != "__metadata__"}
        sums = {name: zlib.crc32(data[start:stop]) for name, (start, stop) in arrays.items()}
        content["__metadata__"]["checksum"] = checksum(texts, sums)
    head = content if isinstance(content, bytes) else json.dumps(content).encode()
    Path(path).write_bytes(len(head).to_bytes(8, "little") + head + data)
