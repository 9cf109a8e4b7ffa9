"""The table of analyzers, and what importing it costs."""

import subprocess
import sys

import pytest

from lp_core.errors import MissingDependency, SettingError
from lp_core.faces.open import ANALYZERS, open_analyzer


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(SettingError, match="mediapipe, face-alignment"):
        open_analyzer("insightface", is_video=False)


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_face(count):
    with pytest.raises(SettingError, match="at least 1"):
        open_analyzer(is_video=False, max_faces=count)


def test_absent_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    monkeypatch.delitem(sys.modules, "lp_core.faces.landmarks68", raising=False)
    with pytest.raises(MissingDependency, match=r"lp-suite\[landmarks68\]"):
        open_analyzer("face-alignment", is_video=False)


def test_light_modules_load_no_heavy_library():
    names = ["open", "base", "selector", "track", "schemes", "ratios", "small_faces", "silence_native"]
    code = (
        "import sys\n"
        + "".join(f"import lp_core.faces.{name}\n" for name in names)
        + "import lp_core.models.store\n"
        + "print([m for m in ('torch', 'cv2', 'mediapipe', 'huggingface_hub', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert set(ANALYZERS) == {"mediapipe", "face-alignment"}
