import pytest

from lp_core.cli.main import run
from lp_core.errors import OutputExists
from lp_core.speech.mouth_map import read_map
from lp_core.speech.train import train_map


def test_a_map_is_fitted_on_a_clip_of_ones_own(recognizer, media, tmp_path, capsys):
    output = tmp_path / "own.npz"
    assert run(["train", "speech", str(media / "driving" / "d20.mp4"), "-o", str(output)]) == 0
    assert "d20.mp4: used, sound +2" in capsys.readouterr().out
    assert read_map(output).speakers == 1


def test_an_existing_map_is_not_replaced_before_anything_is_read(tmp_path):
    (tmp_path / "own.npz").write_bytes(b"mine")
    with pytest.raises(OutputExists):
        train_map([tmp_path / "absent.mp4"], tmp_path / "own.npz")


def test_a_clip_that_is_not_there_is_named(tmp_path, capsys):
    assert run(["train", "speech", str(tmp_path / "absent.mp4"), "-o", str(tmp_path / "own.npz")]) != 0
    assert "absent.mp4 does not exist" in capsys.readouterr().err
    assert not (tmp_path / "own.npz").exists()
