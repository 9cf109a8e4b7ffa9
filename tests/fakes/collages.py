"""Images made of portraits: many faces at known places, sizes and rolls, and images without any face."""

from pathlib import Path

import cv2
import numpy as np

PEOPLE = ("s0", "s3", "s5", "s9")


def read_rgb(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def head(picture, box):
    """A square of 2.4 boxes around a face, and the face's height within it as a share."""
    (x, y), side = box.center, max(box.right - box.left, box.bottom - box.top) * 2.4
    left, top = max(round(x - side / 2), 0), max(round(y - side / 2), 0)
    cut = picture[top : top + round(side), left : left + round(side)]
    return cut, (box.bottom - box.top) / side, (x - left, y - top)


def placed(canvas, cut, middle, share, center, height_px, roll_deg):
    """Draws a head with its face of a height at a center, rolled clockwise, in place."""
    scale = height_px / (share * max(cut.shape[:2]))
    small = cv2.resize(cut, None, fx=max(scale, 1e-3), fy=max(scale, 1e-3), interpolation=cv2.INTER_AREA)
    middle = np.array(middle) * (small.shape[1] / cut.shape[1], small.shape[0] / cut.shape[0])
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), -roll_deg, 1.0)
    turn[:, 2] += np.array(center) - middle
    size = canvas.shape[1], canvas.shape[0]
    drawn = cv2.warpAffine(small, turn, size)
    inside = cv2.warpAffine(np.full(small.shape[:2], 255, np.uint8), turn, size) > 250
    canvas[inside] = drawn[inside]


def collage(heads, sizes_px, rolls_deg, columns, cell_px):
    """Heads in cells of a grid.

    Returns:
        The image and the (x, y) centers of its faces.
    """
    rows = -(-len(sizes_px) // columns)
    canvas = textured(rows * cell_px, columns * cell_px)
    centers = []
    for index, (size, roll) in enumerate(zip(sizes_px, rolls_deg, strict=True)):
        center = (index % columns + 0.5) * cell_px, (index // columns + 0.5) * cell_px
        cut, share, middle = heads[index % len(heads)]
        placed(canvas, cut, middle, share, center, size, roll)
        centers.append(center)
    return canvas, centers


def textured(height, width):
    rows, columns = np.indices((height, width))
    return np.repeat((90 + (rows // 7 + columns // 11) % 60)[..., None], 3, axis=2).astype(np.uint8)


def faceless(rng):
    """20 images without a face: ten textures and shapes made here, ten photographs of scikit-image."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    names = ("brick", "cell", "coffee", "coins", "grass", "gravel", "moon", "motorcycle_left", "page", "text")
    for name in names:
        yield name, read_rgb(folder / f"{name}.png")
    for index in range(4):
        noise = rng.random((30 * 2**index, 40 * 2**index, 3)).astype(np.float32)
        yield f"noise {index}", (cv2.resize(noise, (640, 480)) * 255).astype(np.uint8)
    for index in range(4):
        canvas = textured(480, 640)
        for _ in range(20 + 20 * index):
            x, y, r = (int(value) for value in rng.integers((0, 0, 5), (640, 480, 60)))
            cv2.circle(canvas, (x, y), r, tuple(int(value) for value in rng.integers(0, 255, 3)), -1)
        yield f"disks {index}", canvas
    yield "texture", textured(480, 640)
    yield "ramp", np.repeat(np.tile(np.arange(640) % 256, (480, 1))[..., None], 3, axis=2).astype(np.uint8)
