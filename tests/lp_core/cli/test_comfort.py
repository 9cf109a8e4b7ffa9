"""Help for people at a terminal: suggestions, examples, completion."""

import subprocess
import sys

import pytest

from lp_core.cli.main import run


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("animat a b", "No such command 'animat'. Did you mean 'animate'? See lpsuite --help."),
        ("animate a b --stren 2", "'--strength'"),
        ("animate", "lpsuite animate portrait.jpg demo:expressive -o out.mp4"),
        ("animate a", "See lpsuite animate --help."),
        ("batch run cut.otio -o x --json", "--json prints a plan; add --plan."),
    ],
)
def test_a_wrong_command_line_names_the_next_step(words, sentence, capsys):
    assert run(words.split()) == 2
    assert sentence in capsys.readouterr().err


def test_an_unknown_command_without_a_near_one_is_refused(capsys):
    assert run(["xylophone"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


def test_bash_completes_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "lp_core"],
        env={
            "_LPSUITE_COMPLETE": "bash_complete",
            "COMP_WORDS": "lpsuite anim",
            "COMP_CWORD": "1",
            "PATH": "",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["plain,animate"], done.stderr
