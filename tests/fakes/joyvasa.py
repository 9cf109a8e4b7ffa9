"""A tiny JoyVASA checkpoint with random weights, in the published form."""

import argparse
import pathlib

import numpy as np
import torch

from lp_core.motion.files.pickles import pickled
from lp_core.speech.joyvasa.denoiser import JoyvasaNetwork, JoyvasaSizes
from lp_core.speech.joyvasa.hubert import HubertSizes

TINY = HubertSizes(channels=16, width=32, layers=2, heads=1, inner=48, position_taps=16, position_groups=4)
SIZES = JoyvasaSizes(frames=10, before=4, width=32, steps=3)
POSITIONS = "audio_encoder.encoder.pos_conv_embed.conv."


def published(folder, change=None, args=None):
    """A folder with files in the published form: old spelling of the normalized weight, a table of steps."""
    torch.manual_seed(5)
    state = JoyvasaNetwork(SIZES, TINY).state_dict()
    state[f"{POSITIONS}weight_g"] = state.pop(f"{POSITIONS}parametrizations.weight.original0")
    state[f"{POSITIONS}weight_v"] = state.pop(f"{POSITIONS}parametrizations.weight.original1")
    state["denoising_net.TE.pe"] = torch.zeros(1, SIZES.steps + 1, SIZES.width)
    if change is not None:
        change(state)
    stated = {
        "n_motions": 10, "n_prev_motions": 4, "feature_dim": 32, "n_diff_steps": 3, "fps": 25, "motion_feat_dim": 70,
        "audio_model": "hubert_zh", "pad_mode": "zero", "exp_name": pathlib.PosixPath("a/b"), **(args or {}),
    }  # fmt: skip
    (folder / "motion_generator").mkdir(parents=True)
    (folder / "motion_template").mkdir()
    content = {"args": argparse.Namespace(**stated), "model": state}
    torch.save(content, folder / "motion_generator" / "motion_generator_hubert_chinese.pt")
    rng = np.random.default_rng(2)
    template = {f"{kind}_exp": rng.normal(0, 0.01, 63).astype(np.float32) for kind in ("mean", "std")}
    for name, count in (("scale", 1), ("t", 3), ("pitch", 1), ("yaw", 1), ("roll", 1)):
        template[f"min_{name}"] = np.full(count, 1.2 if name == "scale" else -1.0, np.float32)
        template[f"max_{name}"] = np.full(count, 1.4 if name == "scale" else 2.0, np.float32)
    (folder / "motion_template" / "motion_template.pkl").write_bytes(pickled(template))
    return folder
