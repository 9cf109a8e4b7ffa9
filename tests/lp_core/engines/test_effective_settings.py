"""Settings as engine and performance need them, with a sentence for every change."""

from lp_core.engines.effective_settings import suited
from lp_core.settings import LivePortraitSettings, MotionSettings, RenderSettings

OFFICIAL = RenderSettings(liveportrait=LivePortraitSettings(official_compat=True))


def test_nothing_is_changed_without_need():
    for engine in ("mesh", "liveportrait"):
        assert suited(RenderSettings(), engine, "d.mp4", False) == (RenderSettings(), [])
    assert suited(OFFICIAL, "mesh", "d.mp4", False) == (OFFICIAL, [])


def test_the_published_pipeline_compares_with_its_first_frame_and_smooths_nothing():
    changed, notes = suited(OFFICIAL, "liveportrait", "d.mp4", False)
    assert changed.motion == MotionSettings(reference="0", smoothing=0.0)
    assert len(notes) == 2
    own = RenderSettings(engine=OFFICIAL.engine, motion=MotionSettings(reference="7", smoothing=0.0))
    assert suited(own, "liveportrait", "d.mp4", False) == (own, [])


def test_a_single_picture_has_nothing_to_compare_itself_with():
    changed, notes = suited(RenderSettings(), "liveportrait", "d.png", True)
    assert changed.motion.reference == "neutral"
    assert "neutral face" in notes[0]
    changed, notes = suited(RenderSettings(), "mesh", "d.png", True)
    assert changed.motion.motion == "absolute"
    assert len(notes) == 1
    changed, _ = suited(OFFICIAL, "liveportrait", "d.png", True)
    assert changed.motion.reference == "neutral"
