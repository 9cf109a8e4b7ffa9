"""Runs documented commands as a reader does: in one folder, with a worker that goes on while its page is read."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
from fakes.document_marks import ADDED, CODES, FIRST, PLACEHOLDERS, found
from fakes.documents import ROOT

from lp_core.cli.main import lpsuite, run

OUTPUTS = ("-o", "--output", "--overlay", "--write-points", "--subtitles", "--otio")
BELOW_THE_FOLDER = re.compile(r"(?<![\w:/.])/(?=(?:mnt|takes|s)/)")
PORT = "8000"
"""Of the documents; in a test the worker chooses one that is free."""
READY_S = 60


class Player:
    """A reader's folder, and the worker that runs there."""

    def __init__(self, folder):
        self.folder = folder
        self.worker, self.address, self.answer = None, "", {}

    def play(self, command):
        """Runs a command; what is wrong, None where nothing is."""
        added = found(ADDED, command.text, ())
        words = [PLACEHOLDERS.get(word, word) for word in (*command.words[1:], *added)]
        words = [BELOW_THE_FOLDER.sub(f"{self.folder}/", word) for word in words]
        if command.words[0] == "curl":
            return self._ask(words)
        if command.words[0] != "lpsuite":
            return f"{command.words[0]} is neither run nor marked"
        if not is_complete(command, words):
            return None
        if words[0] == "serve":
            return self.serve(words)
        first = found(FIRST, command.text, None)
        problem = None if first is None else self._run(first.split())
        return problem or self._run(words, found(CODES, command.text, 0))

    def stop(self):
        """Ends the worker as Ctrl-C does; its exit code."""
        if self.worker is None:
            return 0
        self.worker.send_signal(signal.SIGINT)
        self.worker.communicate(timeout=READY_S)
        code, self.worker = self.worker.returncode, None
        return code

    def _run(self, words, promised=0):
        if words[:2] == [
            "provenance",
            "init",
        ]:  # a key is made once; here the page begins without one each time
            shutil.rmtree(os.environ["LPSUITE_CONFIG"], ignore_errors=True)
        for _, files in self._written(words):
            for file in files:
                if file.is_file():
                    file.unlink()
        code = run(words)
        missing = [pattern for pattern, files in self._written(words) if not files]
        return f"exit code {code}, not written: {missing}" if code != promised or missing else None

    def _written(self, words):
        """Files that a command is to write: (pattern, its matches)."""
        for option, name in zip(words, words[1:], strict=False):
            if option in OUTPUTS:
                pattern = re.sub(r"%0\dd|#+", "*", name).rstrip("/")
                below = pattern.removeprefix(f"{self.folder}/")
                yield pattern, list(self.folder.glob(below))

    def serve(self, words):
        """Starts a worker in place of the one before, and waits until it answers."""
        code = self.stop()
        words = ["0" if word == PORT else word for word in words]
        file = Path(os.environ["LPSUITE_RUNTIME_DIR"]) / "worker.json"
        file.unlink(missing_ok=True)
        started = [sys.executable, "-m", "lp_core", *words]
        output = subprocess.DEVNULL
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.worker = subprocess.Popen(
            started, cwd=self.folder, env={**os.environ, "PYTHONPATH": path}, stdout=output, stderr=output
        )
        until = time.monotonic() + READY_S
        while not file.exists():
            if self.worker.poll() is not None or time.monotonic() > until:
                return f"the worker does not answer; exit code {self.worker.poll()}"
            time.sleep(0.02)
        about = json.loads(file.read_text(encoding="utf-8"))
        self.address = f"http://{about['host']}:{about['port']}"
        return f"the worker before ended with exit code {code}" if code else None

    def _ask(self, words):
        """Asks the worker with curl itself; what the answer before named is put where the document has dots."""
        (client,) = json.loads((self.folder / "keys.json").read_text(encoding="utf-8"))
        known = {
            "KEY:": f"{client['key']}:",
            f"http://127.0.0.1:{PORT}": self.address,
            "lpsuite://image/...": str(self.answer.get("url", "")),
        }
        for shown, real in known.items():
            words = [word.replace(shown, real) for word in words]
        asked = subprocess.run(["curl", "-sS", "--fail-with-body", *words], capture_output=True, text=True)
        if asked.returncode:
            return f"exit code {asked.returncode}: {asked.stdout}{asked.stderr}"
        self.answer = json.loads(asked.stdout)
        return None


def is_complete(command, words):
    """False for a command that a sentence names without its arguments; its options are checked all the same."""
    try:
        parsed(lpsuite, "lpsuite", words)
    except click.exceptions.Exit as end:  # --version, --help
        return end.exit_code == 0
    except click.UsageError as error:
        is_short = isinstance(error, (click.MissingParameter, click.exceptions.NoArgsIsHelpError))
        if command.is_inline and (is_short or type(error) is click.UsageError):
            return False
        raise
    return True


def parsed(command, name, words, parent=None):
    """Parses a command line down to its last command; nothing is run."""
    with command.make_context(name, list(words), parent=parent) as context:
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            name, found, rest = command.resolve_command(context, rest)
            parsed(found, name, rest, context)
