"""JoyVASA's files: read without running code, strictly; the import; the motion that comes out."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from fakes.films import write_tone

torch = pytest.importorskip("torch")
from fakes.joyvasa import SIZES, TINY, published  # noqa: E402

from lp_core.assemble import assemble, assemble_extraction  # noqa: E402
from lp_core.cli.main import run  # noqa: E402
from lp_core.errors import (  # noqa: E402
    LicenseNotAccepted,
    ModelDamaged,
    ModelMissing,
    SettingError,
)
from lp_core.job import RenderJob  # noqa: E402
from lp_core.models.imports import imported_folder  # noqa: E402
from lp_core.motion.files.lpmotion import MotionReader  # noqa: E402
from lp_core.motion.files.pickles import pickled  # noqa: E402
from lp_core.motion.implicit.motion import degrees_from_rotation  # noqa: E402
from lp_core.provenance.models import models_in_use  # noqa: E402
from lp_core.settings import RenderSettings, SpeechSettings  # noqa: E402
from lp_core.settings.table import with_values  # noqa: E402
from lp_core.speech.joyvasa import about, driver  # noqa: E402
from lp_core.speech.joyvasa.checkpoint import Joyvasa, Ranges, import_joyvasa, load_joyvasa, read_checkpoint  # noqa: E402
from lp_core.speech.joyvasa.denoiser import JoyvasaNetwork  # noqa: E402


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty model folder."""
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path / "models"))
    driver._spoken.cache_clear()
    return tmp_path / "models"


def test_an_import_keeps_every_number(tmp_path, root, capsys):
    folder = published(tmp_path / "hub")
    assert run(["models", "import", "joyvasa", str(folder)]) == LicenseNotAccepted.exit_code
    assert run(["models", "import", "joyvasa", str(folder), "--accept-license"]) == 0
    assert capsys.readouterr().out.strip() == str(imported_folder(root, "joyvasa"))
    found = load_joyvasa(root)
    torch.manual_seed(5)
    wanted = JoyvasaNetwork(SIZES, TINY).state_dict()
    assert found.network.sizes == SIZES
    assert all(torch.equal(value, wanted[key]) for key, value in found.network.state_dict().items())
    assert about.obstacle() is None
    assert run(["models", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["speech_drivers"]
    assert (row["name"], row["state"], row["license"]) == ("joyvasa", "ready", "MIT")
    (entry,) = [each for each in models_in_use("mesh", None, "joyvasa") if "joyvasa" in each["set"]]
    assert len(entry["sha256"]) == 64
    with (imported_folder(root, "joyvasa") / about.WEIGHTS).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelDamaged, match="has changed since it was imported"):
        load_joyvasa(root)


@pytest.mark.parametrize(
    ("change", "args", "words"),
    [
        (lambda state: state.pop("start_motion_feat"), {}, "lacks start_motion_feat"),
        (lambda state: state.update(more=torch.zeros(1)), {}, "has more, which is not JoyVASA's"),
        (
            lambda state: state["null_audio_feat"].fill_(float("nan")),
            {},
            "null_audio_feat that are not finite",
        ),
        (lambda state: state.update(null_audio_feat=torch.zeros(2)), {}, "in another shape or type"),
        (None, {"feature_dim": 64}, "in another shape or type"),
        (None, {"audio_model": "wav2vec2"}, "for the sound encoder wav2vec2"),
        (None, {"n_diff_steps": -1}, "its steps is -1"),
        (
            lambda state: [state.pop(key) for key in list(state) if key.startswith("audio")],
            {},
            "sound encoder",
        ),
    ],
)
def test_a_checkpoint_that_differs_is_refused_by_name(tmp_path, root, change, args, words):
    folder = published(tmp_path / "hub", change, args)
    with pytest.raises(ModelDamaged, match=words):
        import_joyvasa(folder, root)
    assert not imported_folder(root, "joyvasa").exists()


class _Hostile:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize("content", [{"args": 1, "model": _Hostile()}, [1], {"args": 1}, b"cut"])
def test_a_file_that_is_no_checkpoint_runs_nothing(tmp_path, capsys, content):
    path = tmp_path / "a.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ModelDamaged):
        read_checkpoint(path)
    assert not capsys.readouterr().out


def test_a_template_that_runs_code_or_lacks_a_part_is_refused(tmp_path, root):
    folder = published(tmp_path / "hub")
    path = folder / "motion_template" / "motion_template.pkl"
    for content in (pickle.dumps(_Hostile()), pickled({"mean_exp": np.zeros(63, np.float32)}), b""):
        path.write_bytes(content)
        with pytest.raises(ModelDamaged, match="JoyVASA's template"):
            import_joyvasa(folder, root)
    path.unlink()
    with pytest.raises(ModelMissing, match="holds no motion_template.pkl"):
        import_joyvasa(folder, root)


def test_numbers_become_motion_by_the_template():
    mean, spread = np.zeros(70, np.float32), np.ones(70, np.float32)
    mean[63], spread[67] = 1.3, 20.0
    ranges = Ranges(mean, spread)
    rows = np.zeros((3, 70), np.float32)
    rows[:, 67] = (0.0, 0.5, 1.0)
    rows[:, 18:21] = np.arange(3)[:, None]  # key point 6, of the lips
    rows[:, 0:3] = np.arange(3)[:, None]
    found = Joyvasa(JoyvasaNetwork(SIZES, TINY), ranges)
    motion = driver.motion_of(rows, found, SpeechSettings())
    assert (motion.rig, str(motion.rate), len(motion)) == ("liveportrait21", "25", 3)
    pitch, yaw, _ = degrees_from_rotation(motion.rotation.transpose(0, 2, 1))
    np.testing.assert_allclose(pitch, (0, 10, 20), atol=1e-4)
    np.testing.assert_allclose(yaw, 0, atol=1e-4)
    np.testing.assert_allclose(motion.scale, 1.3, rtol=1e-6)
    np.testing.assert_allclose(motion.expression[:, 6, 0], (0, 1, 2))
    calm = driver.motion_of(rows, found, SpeechSettings(head=0.0, mouth_strength=0.5))
    pitch, _, _ = degrees_from_rotation(calm.rotation.transpose(0, 2, 1))
    np.testing.assert_allclose(pitch, 10, atol=1e-4)
    np.testing.assert_allclose(calm.expression[:, 6, 0], (0.5, 1, 1.5))
    np.testing.assert_allclose(calm.expression[:, 0, 0], (0, 1, 2))


def test_a_voice_is_extracted_the_same_way_twice(tmp_path, root):
    voice = write_tone(tmp_path / "tone.wav", 1.5)
    settings = with_values(
        RenderSettings(), {"speech_driver": "joyvasa", "engine": "liveportrait", "speech_seed": 3}
    )
    with pytest.raises(ModelMissing, match="lpsuite models import joyvasa FOLDER"):
        assemble_extraction(str(voice), str(tmp_path / "no.lpmotion"), settings)
    folder = published(tmp_path / "hub")
    assert run(["models", "import", "joyvasa", str(folder), "--accept-license"]) == 0
    files = []
    for name in ("one", "again"):
        driver._spoken.cache_clear()
        path = tmp_path / f"{name}.lpmotion"
        summary = assemble_extraction(str(voice), str(path), settings).run()
        assert (summary.frames, summary.rate) == (38, "25")
        files.append(path.read_bytes())
    assert files[0] == files[1]
    with MotionReader(tmp_path / "one.lpmotion") as reader:
        rows = reader.rows(0, len(reader))
        assert rows.rig == "liveportrait21"
        assert np.isfinite(rows.expression).all()
        assert np.ptp(rows.expression, axis=0).max() > 0
        assert reader.metadata["speech_driver"] == "joyvasa"
    with pytest.raises(SettingError, match=r"no curves for .*talk\.csv"):
        assemble_extraction(str(voice), str(tmp_path / "talk.csv"), settings)


def test_what_joyvasa_cannot_drive_is_one_sentence(tmp_path, root, astronaut):
    from fakes.films import write_portrait

    voice, portrait = write_tone(tmp_path / "tone.wav", 1), write_portrait(tmp_path / "p.png", astronaut)
    import_joyvasa(published(tmp_path / "hub"), root)
    settings = with_values(RenderSettings(), {"speech_driver": "joyvasa", "engine": "mesh", "sign": False})
    job = RenderJob(str(portrait), str(voice), str(tmp_path / "out.mp4"), settings)
    with pytest.raises(LicenseNotAccepted, match="lpsuite models accept joyvasa"):
        assemble(job)
    assert run(["models", "accept", "joyvasa", "--yes"]) == 0
    with pytest.raises(SettingError, match="choose --engine liveportrait"):
        assemble(job)
    dubbed = replace(job, settings=with_values(settings, {"lipsync": True}))
    with pytest.raises(SettingError, match="has no --lipsync"):
        assemble(dubbed)
