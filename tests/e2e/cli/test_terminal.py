"""Every command of ``lpsuite`` in a real terminal: stdout and stderr on a pseudo-terminal, as a user runs it."""

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module

import click
import numpy as np
import pytest

from lp_core.cli.main import COMMANDS
from lp_core.errors import LicenseNotAccepted, MissingDependency, ModelMissing
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
LIMIT_S = 120
NOT_INSTALLED = (MissingDependency.exit_code, ModelMissing.exit_code)
MESH = ("--engine", "mesh", "--calibration", "off", "--no-sign")


@dataclass(frozen=True)
class Case:
    """One run of a command; words in braces are filled in by ``Stage``."""

    words: str
    """What follows ``lpsuite``."""
    code: int = 0
    """Exit code."""
    shows: str = ""
    """Text that the terminal must show."""
    needs: str = ""
    """Model of the upscaler that must be installed."""


CASES = {
    "animate": [
        Case("animate {portrait} {motion} -o {new}.mp4 {mesh}", shows="Rendering"),
        Case("animate {portrait} {driving} -o {new}.mp4 {mesh}", shows="Reading the performance"),
        Case("animate {portrait} {motion} -o {new}.mp4 {mesh} --progress openjd", shows="openjd_status"),
        Case("animate {portrait} {portrait}.none -o {new}.mp4", 11, "{portrait}.none"),
    ],
    "completion": [Case("completion bash", shows="_LPSUITE_COMPLETE"), Case("completion tcsh", 2, "bash")],
    "demo": [Case("demo -o {new}", shows="Contact sheet")],
    "lipsync": [
        Case("lipsync {portrait} {portrait}.wav -o {new}.mp4 {mesh}", 11, "{portrait}.wav"),
    ],
    "extract": [
        Case("extract {driving} -o {new}.lpmotion --engine mesh", shows="Reading the performance"),
        Case("extract {driving} -o {new}.lpmotion --engine mesh --progress openjd", shows="openjd_status"),
    ],
    "upscale": [
        Case(
            "upscale {small} -o {new}.png --model animevideov3 --tile 32 --backend torch",
            shows="Upscaling",
            needs="animevideov3",
        ),
        Case(
            "upscale {small} -o {new}.png --model animevideov3 --backend torch --progress openjd",
            shows="openjd_status: Upscaling",
            needs="animevideov3",
        ),
        Case("upscale {small} -o {new}.png --model x9", 41),
    ],
    "dub": [Case("dub {driving} {portrait}.srt -o {new}.mp4", 11, "{portrait}.srt")],
    "say": [
        Case("say {portrait} Hi. -o {new}.mp4 --voice nobody {mesh}", 2, "There is no voice"),
        Case("say {portrait} -o {new}.mp4 {mesh}", 2, "nothing to say"),
    ],
    "batch run": [Case("batch {cut} -o {batch} --no-sign", shows="Rendering")],
    "batch mark": [Case("batch mark {cut} -o {new}.otio --clip still --driver demo:nod", shows="still")],
    "batch solve": [
        Case("batch {cut} -o {farm} --plan"),
        Case("batch solve {plan} --shot 0", shows="solved"),
    ],
    "batch chunk": [Case("batch chunk {plan} --chunk 0", shows="rendered")],
    "batch conform": [Case("batch conform {plan} --shot 0", shows="frames")],
    "batch deliver": [Case("batch deliver {plan}")],
    "batch job": [Case("batch job {job} --chunk 10", shows="frames")],
    "sync check": [Case("sync check {driving}", 11, "no sound")],
    "train speech": [Case("train speech {driving} -o {new}.npz", 11, "no sound")],
    "train prepare": [
        Case(
            "train prepare {new}.none -o {new}.set --license own --people sources", 2, "No shot can be taken"
        ),
        Case("train prepare {driving} -o {new}.set --license CC-BY-NC-4.0", 43, "--allow-restricted"),
    ],
    "train run": [Case("train run {new}.toml --data {new}.set -o {new}.run", 2, "training configuration")],
    "train adapt": [Case("train adapt {new}.set --weights {new}.w -o {new}.run", 2, "not a prepared set")],
    "train stitch": [Case("train stitch {new}.w --data {new}.set -o {new}.run", 2, "not a prepared set")],
    "train evaluate": [Case("train evaluate {new}.set -o {new}.out", 2, "not a prepared set")],
    "train export": [Case("train export {new}.run -o {new}.w", 41, "appearance_feature_extractor")],
    "inspect": [Case("inspect {portrait}", shows="0")],
    "serve": [Case("serve --until-idle 1 --state {new}.state", shows="The worker answers")],
    "live": [
        Case("live --help", shows="--virtual-camera"),
        Case("live {portrait} demo:still", 2, "--window"),
        Case("live {portrait}.none demo:still --virtual-camera --engine mesh", 2, "{portrait}.none"),
    ],
    "host install": [Case("host install obs --folder {new}.obs", shows="OBS")],
    "host status": [Case("host status obs --folder {new}.obs", 1, "BAD")],
    "host uninstall": [Case("host uninstall obs --folder {new}.obs")],
    "doctor": [Case("doctor", shows="The main job works.")],
    "models list": [Case("models list", shows="face-landmarker")],
    "models fetch": [Case("models fetch nothing", 40, "nothing")],
    "models verify": [Case("models verify face-landmarker", shows="face-landmarker")],
    "models path": [Case("models path", shows="{models}")],
    "models accept": [Case("models accept liveportrait", shows="no notes")],
    "models import": [Case("models import performrecast .", LicenseNotAccepted.exit_code, "license notes")],
    "provenance init": [Case("provenance init", shows="Key")],
    "provenance show": [Case("provenance show {portrait}", 62)],
    "provenance pack": [Case("provenance pack {portrait} -o {new}.zip", 62)],
    "provenance detect": [Case("provenance detect {portrait}", 66)],
}
"""Command -> its runs, in order; those of one group share files."""


def leaves():
    """Full names of all commands, read from COMMANDS."""

    def walk(name, command):
        if isinstance(command, click.Group):
            for inner, child in command.commands.items():
                yield from walk(f"{name} {inner}", child)
        else:
            yield name

    for name, place in COMMANDS.items():
        module, attribute = place.split(":")
        yield from walk(name, getattr(import_module(module), attribute))


LEAVES = list(leaves())


def test_every_command_has_a_case():
    assert sorted(CASES) == sorted(LEAVES)


CHILD = """
import json, sys
from lp_core.cli.main import run
asked, answers = open(int(sys.argv[1])), open(int(sys.argv[2]), "w")
assert sys.stdout.isatty() and sys.stderr.isatty()
for line in asked:
    code = run(json.loads(line))
    sys.stdout.flush()
    sys.stderr.flush()
    print(code, file=answers, flush=True)
"""


class Terminal:
    """A Python on a pseudo-terminal that runs one command after the other, so that libraries load only once."""

    def __init__(self, environment):
        self.main, side = pty.openpty()
        asked, self.asks = os.pipe()
        self.answers, answer = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(asked), str(answer)],
            stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True,
            pass_fds=(asked, answer),
        )  # fmt: skip
        for descriptor in (side, asked, answer):
            os.close(descriptor)

    def run(self, arguments):
        """Exit code of ``lpsuite`` with these arguments, and everything it showed."""
        os.write(self.asks, json.dumps(arguments).encode() + b"\n")
        until, shown, code = time.monotonic() + LIMIT_S, bytearray(), None
        while True:  # what was shown before the answer is there by then
            waits = 0 if code is not None else max(until - time.monotonic(), 0)
            ready, _, _ = select.select([self.main, self.answers], [], [], waits)
            if self.main in ready:
                try:
                    shown += os.read(self.main, 65536)
                except OSError:  # Linux: the other side has ended
                    text = shown.decode(errors="replace")
                    pytest.fail(f"{arguments} ended the whole process:\n{text}")
            elif self.answers in ready:
                code = os.read(self.answers, 100).decode().strip()
            else:
                assert code is not None, f"{arguments} runs on: {shown[-500:]!r}"
                return int(code), shown.decode("utf-8", "replace")

    def close(self):
        os.close(self.asks)
        try:
            self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.main)
            os.close(self.answers)


@pytest.fixture(scope="module")
def stage(tmp_path_factory, portrait, motion, driving, astronaut):
    """What the cases' words in braces stand for, and the terminal in which they run."""
    folder = tmp_path_factory.mktemp("terminal")
    write_image(folder / "small.png", np.ascontiguousarray(astronaut[100:116, 200:216]))
    job = RenderJob(str(portrait), str(motion), str(folder / "job" / "out.mp4"))
    (folder / "job.json").write_text(job.to_json())
    words = {
        "portrait": portrait,
        "motion": motion,
        "driving": driving,
        "small": folder / "small.png",
        "batch": folder / "batch",
        "farm": folder / "farm",
        "plan": folder / "farm" / "plan.json",
        "cut": folder / "cut.otio",
        "job": folder / "job.json",
        "models": folder,
    }
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLUMNS": "240",
        "LPSUITE_CONFIG": str(folder / "config"),
        "LPSUITE_RUNTIME_DIR": str(folder / "run"),
        "LPSUITE_LIVE_DIR": str(folder / "live"),
        "LPSUITE_MODELS": str(folder / "models"),
    }
    terminal = Terminal(environment)
    yield folder, words, terminal
    terminal.close()


@pytest.fixture(scope="module")
def cut(stage, portrait):
    """A timeline with one marked still of five frames."""
    pytest.importorskip("opentimelineio", reason="batches need the extra otio")
    from fakes.cuts import clip_of, file_at, timeline_of, write

    _, words, _ = stage
    still = clip_of("still", file_at(portrait, 25, 1), 25, 0, 5, "demo:nod")
    return write(timeline_of("cut", [[still]]), words["cut"])


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_in_a_terminal(name, stage, request):
    folder, words, terminal = stage
    if name.startswith("batch"):
        request.getfixturevalue("cut")
    absent = {}
    for number, case in enumerate(CASES[name]):
        filled = {**words, "new": folder / f"{name.replace(' ', '-')}-{number}", "mesh": "\0".join(MESH)}
        arguments = [part for word in case.words.split() for part in word.format(**filled).split("\0")]
        code, shown = terminal.run(arguments)
        assert "defect" not in shown, shown
        assert "Traceback" not in shown, shown
        if case.needs and code in NOT_INSTALLED:
            absent[case.needs] = shown
            continue
        assert code == case.code, f"{arguments}: {code}\n{shown}"
        assert case.shows.format(**filled) in shown.replace("\r\n", "\n"), shown
    if absent:
        pytest.skip(f"not installed: {absent}")
