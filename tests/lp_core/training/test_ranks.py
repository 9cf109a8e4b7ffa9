"""Two processes over gloo see together what one process with twice the batch sees."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

SCRIPT = textwrap.dedent(
    """
    import sys, torch
    from dataclasses import replace
    from pathlib import Path
    from lp_core.training.config import Schedule, TrainConfig, config_from
    from lp_core.training.initial import initial_states
    from lp_core.training.loop import Trainer
    from lp_core.training.ranks import joined
    from lp_core.training.store import open_set
    import json

    torch.set_num_threads(1)
    data, batch, out, waits = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4] == "wait"
    config = config_from(json.loads(Path(sys.argv[5]).read_text()))
    config = replace(config, schedule=Schedule(motion_steps=0, steps=9, batch=batch, gan_from=1))
    device = torch.device("cpu")
    with joined(device) as ranks:
        trainer = Trainer(config, open_set(data), initial_states(config.sizes, 0), device, ranks)
        rows = [trainer.step_once()]
        gradients = {n: p.grad for n, p in trainer.published.named_parameters() if p.grad is not None}
        gradients = {name: value.clone() for name, value in gradients.items()}
        rows.append(trainer.step_once())  # with discriminators
        if ranks.leads:
            torch.save([gradients, trainer.published.state_dict(), [row["total"] for row in rows]], out)
        print("ready", flush=True)
        while waits:
            trainer.step_once()
    """
)


def start(arguments, folder, rank=0, world=1, port=0):
    own = {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        **(own if world > 1 else {}),
    }
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)], env=environment, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def written(config, tmp_path):
    import json

    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.as_dict()))
    return path


def test_two_processes_equal_one_with_twice_the_batch_and_end_together(small_set, written, tmp_path):
    import torch

    root, port = Path.cwd(), free_port()
    lone = start((small_set.folder, 4, tmp_path / "one", "go", written), root)
    pair = [
        start((small_set.folder, 2, tmp_path / "two", "wait", written), root, rank, 2, port)
        for rank in range(2)
    ]
    try:
        assert lone.wait(240) == 0, lone.stderr.read()
        for process in pair:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        one, two = (torch.load(tmp_path / name, weights_only=True) for name in ("one", "two"))
        assert one[0].keys() == two[0].keys()
        assert max(float((value - two[0][name]).abs().max()) for name, value in one[0].items()) < 2e-6
        assert one[2][0] == pytest.approx(two[2][0], rel=1e-6)
        assert one[2][1] == pytest.approx(two[2][1], rel=1e-2)  # Adam makes much of the last digits
        pair[1].send_signal(signal.SIGKILL)
        begin = time.monotonic()
        assert pair[0].wait(60) != 0
        assert time.monotonic() - begin < 30
        assert "TrainingStopped: Process 0 of 2 lost another one" in pair[0].stderr.read()
    finally:
        for process in (lone, *pair):
            process.kill()
            process.communicate()
