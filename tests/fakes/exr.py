"""EXR files written and read by OpenImageIO alone, and clips copied by the project."""

import numpy as np
import pytest

from lp_core.media.open import open_sink, open_source

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

DISPLAY = (0, 0, 24, 16)


def wild(rng, box, kind, channels=4):
    """(H, W, C) of random bit patterns: negatives, infinities, many NaN, denormals."""
    bits, floats = {"half": (np.uint16, np.float16), "float": (np.uint32, np.float32)}[kind]
    shape = box[3] - box[1], box[2] - box[0], channels
    return rng.integers(0, np.iinfo(bits).max, shape, bits, endpoint=True).view(floats)


def write_exr(path, pixels, data=None, display=DISPLAY, names=None, **attributes):
    """One part, by OpenImageIO alone."""
    kind = {"float16": "half", "float32": "float"}[pixels.dtype.name]
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.x, spec.y = (data or (0, 0))[:2]
    spec.full_x, spec.full_y = display[:2]
    spec.full_width, spec.full_height = display[2] - display[0], display[3] - display[1]
    spec.channelnames = tuple(names or "RGBA"[: pixels.shape[2]])
    for name, value in attributes.items():
        spec.attribute(name, *value) if isinstance(value, tuple) else spec.attribute(name, value)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(pixels)
    assert file.close()
    return path


def stored(path, part=0):
    """(header, pixels as stored) by OpenImageIO alone."""
    file = oiio.ImageInput.open(str(path))
    file.seek_subimage(part, 0)
    spec = file.spec()
    pixels = file.read_image(part, 0, 0, spec.nchannels, spec.format)
    file.close()
    return spec, pixels


def copied(source, target, spec, **changes):
    """Reads a clip and writes it as it came, by the project's reader and writer."""
    with open_source(source) as clip:
        info = clip.info
        told = spec(
            info.width,
            info.height,
            rate=info.rate,
            bit_depth=info.bit_depth,
            has_alpha=info.has_alpha,
            color=info.color,
            alpha=info.alpha,
            sample_type=info.sample_type,
            windows=info.windows,
            pixel_aspect=info.pixel_aspect,
            timecode=info.timecode,
            attributes=info.metadata,
            start_number=info.first_frame or 0,
            **changes,
        )
        with open_sink(target, told) as sink:
            for frame in clip:
                sink.write(frame)
            sink.commit()
    return sink
