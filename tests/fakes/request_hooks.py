"""Makes every other generated request one that can be done, so that schemathesis gets to the requests after it.

Loaded by schemathesis (SCHEMATHESIS_HOOKS); LPSUITE_TEST_DATA is the worker's allowed folder, with portrait.png in it.
"""

import itertools
import os
from pathlib import Path

import schemathesis

_NUMBERS = itertools.count()


@schemathesis.hook
def map_body(context, body):
    """Every other body of a job or a stream becomes a good one."""
    folder, operation = Path(os.environ["LPSUITE_TEST_DATA"]), context.operation
    number = next(_NUMBERS)
    if operation is None or operation.method.lower() != "post" or number % 2:
        return body
    portrait = str(folder / "portrait.png")
    if operation.path == "/jobs":
        given = {"source": portrait, "driving": "demo:still", "output": str(folder / f"hooked{number}.mp4")}
        settings = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}, "input": {"frames": "0-1"}}
        return {"kind": "animate", "parameters": {**given, "settings": settings}}
    if operation.path == "/streams":
        return {"portrait": portrait, "driver": "demo:nod", "settings": {"engine": {"engine": "mesh"}}}
    if operation.path == "/faces":
        return {"source": portrait, "frame": 0}
    return body
