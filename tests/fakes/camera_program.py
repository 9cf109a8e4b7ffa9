"""Stands in for a virtual camera: writes each frame that comes into a file; see lp_core/media/camera_program.py."""

import json
import os
import sys
from pathlib import Path


def say(values):
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main(folder):
    given = json.loads(sys.stdin.buffer.readline())
    (folder / "given.json").write_text(json.dumps({**given, "token": os.environ.get("LPSUITE_TOKEN")}))
    if given["device"] == "none":
        say({"error": "virtual camera output could not be started"})
        return
    if given["device"] == "missing":
        say({"missing": "pyvirtualcam"})
        return
    if given["device"] == "silent":
        return
    say({"device": "fake0"})
    size, count = given["width"] * given["height"] * 3, 0
    while len(data := sys.stdin.buffer.read(size)) == size:
        (folder / f"{count:04}.rgb").write_bytes(data)
        count += 1
        if given["device"] == "dies":
            os.abort()
    (folder / "closed").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
