"""Voices of Kokoro, with a network of the same inputs and outputs in its place."""

import json

import numpy as np
import pytest

from lp_core.errors import ModelDamaged, ModelMissing, SettingError
from lp_core.speech.voices import kokoro
from lp_core.speech.voices.base import Delivery
from lp_core.speech.voices.registry import REMOTE_KINDS, open_voice

WORDS = {"h": 1, "o": 2, "l": 3, "a": 4, ".": 5, "m": 6, " ": 7, "ˈ": 8}


def write_model(path):
    """Two frames (50 ms) for each id, and as many samples of 0.5."""
    onnx = pytest.importorskip("onnx")
    helper, floats, ints = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    name = "/encoder/Clip_output_0"
    nodes = [
        helper.make_node("Cast", ["tokens"], ["wide"], to=floats),
        helper.make_node("Mul", ["wide", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "two"], [name]),
        helper.make_node("ReduceSum", [name], ["total"], keepdims=0),
        helper.make_node("Mul", ["total", "samples"], ["count"]),
        helper.make_node("Cast", ["count"], ["whole"], to=ints),
        helper.make_node("Reshape", ["whole", "one"], ["shape"]),
        helper.make_node("Expand", ["half", "shape"], ["audio"]),
    ]
    constants = [
        helper.make_tensor("zero", floats, [1], [0.0]), helper.make_tensor("two", floats, [1], [2.0]),
        helper.make_tensor("samples", floats, [], [600.0]), helper.make_tensor("half", floats, [1], [0.5]),
        helper.make_tensor("one", ints, [1], [1]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("tokens", ints, [1, "n"]),
        helper.make_tensor_value_info("style", floats, [1, 256]),
        helper.make_tensor_value_info("speed", floats, [1]),
    ]
    graph = helper.make_graph(
        nodes, "toy", inputs, [helper.make_tensor_value_info("audio", floats, ["m"])], constants
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_model(tmp_path / "model.onnx")
    (tmp_path / "vocab.json").write_text(json.dumps({"vocab": WORDS}), encoding="utf-8")
    np.zeros((510, 256), np.float32).tofile(tmp_path / "ef_dora.bin")
    monkeypatch.setattr(kokoro, "espeak_version", lambda: "1")
    monkeypatch.setattr(kokoro, "ipa_of", lambda text, language: {"Hola": "ˈola", " mama": "mˈama"}[text])
    return tmp_path


def test_durations_of_the_network_become_phones(folder):
    voice = open_voice(f"kokoro:{folder / 'ef_dora.bin'}")
    assert (voice.info.id, voice.info.language, voice.info.gender) == ("kokoro:ef_dora", "es", "female")
    spoken = voice.speak("Hola. mama.", Delivery())
    assert spoken.rate == 24000
    letters = kokoro.spelled("Hola. mama.", "es", WORDS)
    assert letters == "ˈola. mˈama."
    assert spoken.seconds == pytest.approx((len(letters) + 2) * 0.05)
    assert [phone.name for phone in spoken.phones] == ["OW", "L", "AA", "M", "AA", "M", "AA"]
    assert spoken.phones[1].start_s == pytest.approx(3 * 0.05 - 0.06)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("ef_dora.bin", b"short", ModelDamaged), ("zf_xiaobei.bin", None, SettingError),
        ("odd.bin", None, SettingError), ("model.onnx", b"no network", ModelDamaged),
        ("vocab.json", b"{", ModelDamaged),
    ],
)  # fmt: skip
def test_files_that_are_refused(folder, name, content, error):
    if content is not None:
        (folder / name).write_bytes(content)
    voice = name if name.endswith(".bin") else "ef_dora.bin"
    with pytest.raises(error):
        open_voice(f"kokoro:{folder / voice}")


def test_a_voice_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(kokoro, "espeak_version", lambda: "1")
    monkeypatch.setattr(kokoro, "carried", lambda *_: None)
    with pytest.raises(ModelMissing, match="kokoro-js"):
        open_voice("kokoro:ef_dora")


def test_clients_of_the_worker_may_not_name_files():
    assert "kokoro" not in REMOTE_KINDS
