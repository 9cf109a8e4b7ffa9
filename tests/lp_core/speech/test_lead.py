"""The lead of the sound: images on a slower or faster machine are shown when the delayed sound is heard."""

from collections import deque

import numpy as np
import pytest

from lp_core.speech.lead import DESIGN_S, LEAST_S, MOST_S, USUAL_S, Lead, ShownImage


def ages(lead, lag_s, count=80, behind=4):
    """Ages of images that are drawn and shown ``lag_s`` after they are asked for; each is reported a while later."""
    rng = np.random.default_rng(0)
    found, waiting = [], deque()
    for number in range(1, count + 1):
        age_s = lead.seconds + lag_s + rng.uniform(-0.017, 0.017)
        found.append(age_s)
        waiting.append(ShownImage(number, age_s))
        if len(waiting) > behind:
            lead.see(waiting.popleft())
    return np.array(found)


@pytest.mark.parametrize("lag_s", [0.03, 0.06, 0.1, 0.13])
def test_images_come_with_the_sound(lag_s):
    late_s = ages(Lead(), lag_s) - DESIGN_S
    assert abs(np.median(late_s[40:])) < 0.01
    assert np.abs(late_s[40:]).max() < 0.045


def test_limits_are_kept_and_what_is_missing_is_told():
    lead = Lead()
    ages(lead, 0.3)
    assert lead.seconds == LEAST_S
    assert lead.missing_s == pytest.approx(LEAST_S + 0.3 - DESIGN_S, abs=0.03)
    ages(lead, 0.0)
    assert lead.seconds == MOST_S
    assert lead.missing_s == 0


def test_an_image_counts_once_and_silence_changes_nothing():
    lead = Lead()
    for shown in (None, ShownImage(1, 0.25), ShownImage(1, 0.25), None):
        lead.see(shown)
    once = lead.seconds
    assert once < USUAL_S
    lead.see(ShownImage(2, 5.0))  # held up for seconds: no more than any late image
    assert once - lead.seconds < 0.01
