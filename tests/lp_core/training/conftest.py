"""A made set and the configuration of a run of a few steps."""

from dataclasses import replace

import pytest
import torch
from fakes.training_sets import TINY, made_set

from lp_core.training.config import Optimizer, Schedule, TrainConfig


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    return made_set(tmp_path_factory.mktemp("set") / "data", people=3)


@pytest.fixture
def config():
    schedule = Schedule(motion_steps=3, steps=6, batch=2, save_every=2, evaluate_every=0)
    return TrainConfig(sizes=TINY, schedule=schedule, optimizer=replace(Optimizer(), warm_up=2))
