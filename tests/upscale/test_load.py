"""Models by name and by file; what cannot be loaded is said in one sentence."""

import pytest
import torch

from lp_core.errors import ModelDamaged, ModelMissing, SettingError
from lp_core.settings import UPSCALERS
from upscale.load import KNOWN, load


def test_the_default_needs_no_download(real):
    network = real("x4plus")
    assert (network.scale, network.margin, network.name) == (4, 64, "x4plus")


def test_a_checkpoint_file_is_read_as_the_published_ones_are(real, tmp_path):
    state = real("animevideov3").module.state_dict()
    torch.save({"params": state}, tmp_path / "mine.pth")
    assert load(str(tmp_path / "mine.pth")).scale == 4


@pytest.mark.parametrize("name", ["x2plus", "general-x4v3"])
def test_what_is_not_installed_names_the_command_that_gets_it(name, monkeypatch, tmp_path):
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path))
    with pytest.raises(ModelMissing, match="lpsuite models fetch"):
        load(name)


def test_the_settings_know_the_names_that_are_no_files():
    assert tuple(KNOWN) == UPSCALERS


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelMissing, match=", ".join(KNOWN)):
        load("x9plus")


def test_a_damaged_or_hostile_file_is_refused(tmp_path):
    path = tmp_path / "bad.pth"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ModelDamaged, match=r"bad\.pth"):
        load(str(path))
    torch.save({"a": torch.zeros(3)}, path)
    with pytest.raises(ModelDamaged, match="no upscaler"):
        load(str(path))


def test_denoise_is_for_one_model_only():
    with pytest.raises(SettingError, match="general-x4v3"):
        load("x4plus", denoise=0.5)
