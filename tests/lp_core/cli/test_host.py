"""``lpsuite host``."""

import os
import shutil
import sys

import pytest

from lp_core.cli.host import program
from lp_core.cli.main import run


def test_install_status_and_uninstall(tmp_path, capsys):
    folder = ["--folder", str(tmp_path / "obs-studio")]
    assert run(["host", "status", "obs", *folder]) == 1
    assert "install obs" in capsys.readouterr().out
    assert run(["host", "install", "obs", *folder]) == 0
    assert run(["host", "uninstall", "obs", *folder]) == 0
    assert "removed" in capsys.readouterr().out


def test_an_unknown_host_is_told(capsys):
    assert run(["host", "status", "photoshop"]) == 2
    assert "obs" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(["host", "install", "obs", "--folder", str(blocked)]) == 16
    assert "--folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["install", "status", "uninstall"])
def test_help(command, capsys):
    assert run(["host", command, "--help"]) == 0
    assert "HOST" in capsys.readouterr().out


def test_a_host_finds_the_program_from_any_folder(tmp_path, monkeypatch):
    """A program that was called by a relative path is named by its whole one."""
    (tmp_path / "bin").mkdir()
    made = tmp_path / "bin" / "lpsuite"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [os.path.join("bin", "lpsuite")])  # noqa: PTH118 - as a shell gives it
    monkeypatch.setattr(shutil, "which", lambda name: name)
    assert program() == (str(made),)
