"""The thread that calls webhooks outlives what goes wrong in one of its rounds."""

import logging
import time
from types import SimpleNamespace

import pytest

from lp_core.errors import WorkerError
from lp_core.worker.compat import webhooks as module
from lp_core.worker.compat.webhooks import Webhooks


@pytest.mark.parametrize("error", [WorkerError("The table is locked."), RuntimeError("a defect")])
def test_a_round_that_fails_is_followed_by_another(error, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    monkeypatch.setattr(logging.getLogger(module.__name__), "propagate", False)
    rounds = []

    def untold():
        rounds.append(True)
        if len(rounds) == 1:
            raise error
        return []

    with Webhooks(SimpleNamespace(records=SimpleNamespace(untold=untold)), "http://here") as made:
        made.start()
        end = time.monotonic() + 10
        while len(rounds) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
