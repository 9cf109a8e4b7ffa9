import wave

import numpy as np
import pytest

from lp_core.speech.features import RATE


@pytest.fixture(scope="session")
def recognizer():
    pytest.importorskip("hama")
    from lp_core.speech.recognizer import load_recognizer

    return load_recognizer()


@pytest.fixture(scope="session")
def speech_folder(request):
    folder = request.config.rootpath.parent / "shared" / "speech"
    if not folder.is_dir():
        pytest.skip("the shared speech is not here")
    return folder


@pytest.fixture
def write_wav(tmp_path):
    def write(samples, name="sound.wav", rate=RATE):
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write
