"""How far the sound that is heard leads the moment that is drawn, so that image and delayed sound meet when shown."""

from __future__ import annotations

from dataclasses import dataclass

DESIGN_S = 0.2
"""Sound to image, by design: what the sound must be delayed by to fit."""
USUAL_S = 0.15
"""Lead before anything is known of drawing and showing."""
LEAST_S, MOST_S = 0.06, 0.18
"""With less lead the mouth is guessed; with more nothing is gained."""
_STEP = 0.08
"""Part of an image's error that changes the lead: about a second until it is right."""
_LARGEST_S = 0.06
"""A single image that is later than that says no more: it was held up."""
_TOLD_S = 0.02
"""A delay beyond the design is told in steps of this."""


@dataclass(frozen=True)
class ShownImage:
    """An image that was shown."""

    number: int
    """Of the image; another one for each."""
    age_s: float
    """Time from the sound it belongs to until it was shown."""


class Lead:
    """Drawing and showing take longer on a busy machine: the lead gets shorter by as much, within limits.

    The sound is delayed by DESIGN_S in the host. An image is shown at the right moment when its age is the same.
    """

    def __init__(self) -> None:
        self.seconds = USUAL_S
        """The lead now."""
        self._late_s = 0.0
        self._seen = -1

    @property
    def missing_s(self) -> float:
        """How much later than designed images are shown although the lead is the least; 0: they are in time."""
        return 0.0 if self.seconds > LEAST_S else _TOLD_S * round(max(self._late_s, 0.0) / _TOLD_S)

    def see(self, shown: ShownImage | None) -> None:
        """Takes what is known of the newest image; one that was seen already changes nothing."""
        if shown is None or shown.number == self._seen:
            return
        self._seen = shown.number
        late_s = shown.age_s - DESIGN_S
        self._late_s += _STEP * (late_s - self._late_s)
        late_s = min(max(late_s, -_LARGEST_S), _LARGEST_S)
        self.seconds = min(max(self.seconds - _STEP * late_s, LEAST_S), MOST_S)
