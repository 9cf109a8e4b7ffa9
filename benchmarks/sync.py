"""The lip-sync check on all pairs of eight speakers, each left out of the fit, and on planted offsets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from speech import D20, filmed_speaker, speakers

from lp_core.speech.check import check_film
from lp_core.speech.fit import FilmedMouth, fit_map
from lp_core.speech.sync import SyncCheck, compare

PLANTED_S = (-0.4, -0.12, 0.2, 0.5)


def main() -> None:
    """Prints the table of all pairs (score/confidence, * belongs), planted offsets, and d20 as it is."""
    everyone = [*speakers(), filmed_speaker()]
    true: list[SyncCheck] = []
    wrong: list[SyncCheck] = []
    errors: list[float] = []
    print("sound \\ video " + "".join(f"{each.name:>12}" for each in everyone))
    for speaker in everyone:
        row = []
        for other in everyone:
            known = [each for each in everyone if each is not speaker and each is not other]
            predicted = fit_map(known).deviations(speaker.features)
            found = compare(predicted, speaker.voice, other.mouth)
            (true if speaker is other else wrong).append(found)
            row.append(f"{found.score:.2f}/{found.confidence:.2f}{'*' if found.belongs else ' '}")
            if speaker is other:
                errors += [planted_error(predicted, speaker.voice, other.mouth, each) for each in PLANTED_S]
        print(f"{speaker.name:12} " + "".join(f"{cell:>12}" for cell in row))
    print(f"true pairs that belong: {sum(each.belongs for each in true)} of {len(true)}")
    print(f"wrong pairs that belong: {sum(each.belongs for each in wrong)} of {len(wrong)}")
    print(
        f"planted offsets: median error {np.median(errors) * 1000:.0f} ms, worst {max(errors) * 1000:.0f} ms"
    )
    print(f"{Path(D20).name} as it is: {check_film(D20)}")


def planted_error(predicted, voice, mouth: FilmedMouth, late_s: float) -> float:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Seconds by which an offset is missed that was added to a true pair."""
    moved = replace(mouth, times_s=mouth.times_s - late_s)
    return abs(compare(predicted, voice, moved).offset_s - late_s)


if __name__ == "__main__":
    main()
