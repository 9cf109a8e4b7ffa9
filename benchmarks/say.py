"""How fast a script becomes a talking portrait, and how much memory that takes.

    python benchmarks/say.py portrait.jpg --minutes 5 --height 720

Prints seconds of video, seconds of work, their ratio, and the resident memory while it runs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from lp_core.finishing.finish import Finish, Framing
from lp_core.render.report import Progress
from lp_core.saying.say import SayJob, say
from lp_core.saying.scenes import ScriptScene
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.voices.cache import SpeechCache

SENTENCES = (
    "Good morning, and welcome to the tour. Maybe you would like to begin with the garden. "
    "It was planted in 1887 by a family of gardeners, who brought palms, maples and five old apple trees. "
    "Please mind the step. The house behind it is warm in winter, because its walls are very thick. "
)
"""About twenty seconds of speech."""
SECONDS = 20
_PAGE_KB = resource.getpagesize() // 1024


def resident_mb() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KB / 1024


def main() -> None:
    """Says the script once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("portrait")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--height", type=int, default=720)
    given = parser.parse_args()
    text = "\n\n".join([SENTENCES] * max(round(60 * given.minutes / SECONDS), 1))
    values = {"engine": "mesh", "sign": False, "calibration": "off"}
    seen: list[tuple[float, str, int, float]] = []
    start = time.perf_counter()

    def told(event: Progress) -> None:
        now = time.perf_counter() - start
        if not seen or now - seen[-1][0] > 10 or event.phase != seen[-1][1]:
            seen.append((now, event.phase, event.frame, resident_mb()))

    with tempfile.TemporaryDirectory() as folder:
        job = SayJob(
            (ScriptScene(text, given.portrait),),
            str(Path(folder) / "out.mp4"),
            with_values(RenderSettings(), values),
            Finish(Framing(height=given.height)),
        )
        cpu = time.process_time()
        done = say(job, told, cache=SpeechCache(None)).render
        cpu = time.process_time() - cpu
    video_s = done.frames / 25
    for now, phase, frame, memory in seen:
        print(f"{now:7.1f} s  {phase:8} {frame:6}  {memory:7.0f} MB resident")
    print(
        f"{video_s:.1f} s of video at {given.height} rows in {done.seconds:.1f} s: {done.seconds / video_s:.2f} s per "
        f"second; processor time {cpu:.1f} s, {cpu / video_s:.2f} per second"
    )


if __name__ == "__main__":
    main()
