"""Shows frames from its input on a virtual camera. A separate program, because pyvirtualcam is under the GPL.

It knows nothing of LP Suite and may be replaced by any program that does the same (``LPSUITE_CAMERA`` names one):

- one line of JSON comes in: ``{"width": 640, "height": 480, "fps": 30.0, "device": null}``;
- one line of JSON goes out: ``{"device": "/dev/video2"}``, or ``{"error": "a sentence"}`` and the program ends;
  ``{"missing": "pyvirtualcam"}`` where its library is not installed;
- then frames come in, width x height x 3 bytes each, RGB, until the input ends.

Standard library, NumPy and pyvirtualcam only.
"""

import json
import os
import sys


def main() -> int:
    """Shows frames until the input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get between the lines
    given = json.loads(sys.stdin.buffer.readline(1 << 16))

    def answer(values: "dict[str, str]") -> None:
        out.write(json.dumps(values) + "\n")
        out.flush()

    try:
        import numpy as np
        import pyvirtualcam
    except ImportError as error:
        answer({"missing": error.name or str(error)})
        return 3
    width, height = int(given["width"]), int(given["height"])
    try:
        camera = pyvirtualcam.Camera(
            width, height, float(given["fps"]), device=given["device"], print_fps=False
        )
    except (RuntimeError, ValueError, OSError) as error:
        answer({"error": str(error)})
        return 1
    with camera:
        answer({"device": str(camera.device)})
        size = width * height * 3
        while len(data := sys.stdin.buffer.read(size)) == size:
            camera.send(np.frombuffer(data, np.uint8).reshape(height, width, 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
