"""A real worker in a separate process, with separate folders."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lp_core.link.client import Client
from lp_core.link.runtime import Address

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60


@dataclass
class Worker:
    """One that may be killed and started again over the same state."""

    folder: Path

    def __post_init__(self):
        self.data, self.state, self.run = (self.folder / name for name in ("data", "state", "run"))
        self.live = self.folder / "live"
        for path in (self.data, self.run):
            path.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.words = ""

    @property
    def environment(self):
        return {
            **os.environ,
            "LPSUITE_RUNTIME_DIR": str(self.run),
            "LPSUITE_LIVE_DIR": str(self.live),
            "PYTHONWARNINGS": "ignore",
        }

    def start(self, *options):
        """Starts it and waits until it answers; returns its client."""
        file = self.run / "worker.json"
        file.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "lp_core",
            "serve",
            "--allow",
            self.data,
            "--state",
            self.state,
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until = time.monotonic() + READY_S
        while not file.exists():
            if self.process.poll() is not None:
                raise AssertionError(f"the worker ended: {self._reap()[1]}")
            assert time.monotonic() < until, "the worker does not answer"
            time.sleep(0.02)
        return Client(Address(**json.loads(file.read_text())))

    def kill(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self._reap()

    def stop(self):
        """Ends it as a user would; returns its exit code and what it said."""
        self.process.terminate()
        return self._reap()

    def _reap(self):
        self.words, _ = self.process.communicate(timeout=30)
        code, self.process = self.process.returncode, None
        return code, self.words
