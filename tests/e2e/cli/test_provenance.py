"""`lpsuite provenance`, and what a render says of its signature."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from lp_core.cli.main import run
from lp_core.errors import ConsentMissing, KeyUnusable, NoWatermark

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def render(lpsuite, portrait, motion, tmp_path):
    """A function that renders the turning portrait and returns exit code, summary and the result's name."""

    def call(*arguments, name="film.mp4"):
        output = str(tmp_path / name)
        arguments = ("animate", portrait, motion, "-o", output, "--calibration", "off", *arguments)
        code, lines = lpsuite(*arguments)
        return code, lines[-1], output

    return call


def show(capsys, *arguments):
    capsys.readouterr()
    code = run(["provenance", "show", *map(str, arguments)])
    return code, capsys.readouterr()


def test_from_key_to_trusted_film_to_tampered(config, render, capsys, tmp_path):
    assert run(["provenance", "init", "--name", "Studio Ä"]) == 0
    code, summary, output = render()
    assert (code, summary["signature"]) == (0, "signed")
    code, said = show(capsys, output)
    assert code == 0
    assert "trusted, by Studio Ä" in said.out
    code, said = show(capsys, output, "--json")
    finding = json.loads(said.out)
    assert finding["record"]["frames"] == 12
    assert Fraction(finding["record"]["rate"]) == Fraction(30000, 1001)
    data = bytearray((tmp_path / "film.mp4").read_bytes())
    data[data.index(b"mdat") + 60] ^= 1
    (tmp_path / "film.mp4").write_bytes(data)
    code, said = show(capsys, output)
    assert code == 63
    assert "TAMPERED" in said.out


def test_a_sequence_with_passes_shares_one_sidecar_and_packs(config, render, capsys, tmp_path):
    pytest.importorskip("OpenImageIO", reason="passes need the extra vfx")
    assert run(["provenance", "init"]) == 0
    code, summary, output = render("--passes", "matte,landmarks", name="shot.%04d.png")
    assert (code, summary["signature"]) == (0, "signed")
    listed = json.loads((tmp_path / "shot.png.provenance.json").read_text())["statement"]["files"]
    assert len(listed) == 12 + 12 + 1
    assert run(["provenance", "pack", output, "-o", str(tmp_path / "shot.zip")]) == 0
    assert show(capsys, tmp_path / "shot.zip")[0] == 0


def test_a_spoilt_key_is_one_sentence_an_exit_code_and_a_delivered_film(config, render, capsys, tmp_path):
    run(["provenance", "init"])
    (config / "key.pem").write_text("nonsense")
    code, summary, output = render()
    assert code == KeyUnusable.exit_code
    assert summary["signature"] == "failed"
    told = [note for note in summary["notes"] if "unsigned" in note]
    assert len(told) == 1
    assert "key.pem" in told[0]
    assert (tmp_path / "film.mp4").stat().st_size > 1000
    code, said = show(capsys, output)
    assert code == 62


def test_without_a_key_the_film_is_delivered_with_a_note(config, render):
    code, summary, _ = render()
    assert (code, summary["signature"]) == (0, "no_key")
    assert any("lpsuite provenance init" in note for note in summary["notes"])


def test_signing_can_be_switched_off(config, render):
    run(["provenance", "init"])
    code, summary, _ = render("--no-sign")
    assert (code, summary["signature"]) == (0, "off")
    assert any("--no-sign" in note for note in summary["notes"])


def test_demanded_consent_stops_a_render_before_it_starts(config, render, tmp_path):
    code, said, output = render("--require-consent")
    assert (code, said["code"]) == (ConsentMissing.exit_code, "consent_missing")
    assert not (tmp_path / "film.mp4").exists()
    consent = tmp_path / "consent.json"
    values = {"schema": "lpsuite.consent", "version": 1, "person": "P", "granted_by": "P"}
    consent.write_text(json.dumps({**values, "valid_until": "2000-01-01"}))
    assert render("--consent", str(consent))[0] == ConsentMissing.exit_code
    consent.write_text(json.dumps({**values, "valid_until": "2999-01-01"}))
    assert render("--require-consent", "--consent", str(consent))[0] == 0


def test_a_second_key_needs_a_word(config, capsys):
    assert run(["provenance", "init"]) == 0
    assert run(["provenance", "init"]) == 15
    assert run(["provenance", "init", "--overwrite"]) == 0
    assert len(list((config / "anchors").iterdir())) == 2


def test_the_studios_own_chain_and_signer(config, tmp_path, monkeypatch, render, capsys):
    assert run(["provenance", "init"]) == 0
    own = tmp_path / "own"
    config.rename(own)
    anchor = next((own / "anchors").iterdir())
    given = ["--certificates", str(own / "certificates.pem"), "--anchor", str(anchor)]
    assert run(["provenance", "init", *given, "--key", str(own / "key.pem")]) == 0
    _, summary, output = render()
    assert summary["signature"] == "signed"
    assert show(capsys, output)[0] == 0
    assert run(["provenance", "init", *given, "--signer", "false", "--overwrite"]) == KeyUnusable.exit_code


@pytest.mark.parametrize("name", ["none.mp4", "none.%04d.exr"])
def test_what_is_not_there_is_said(config, capsys, tmp_path, name):
    code, said = show(capsys, tmp_path / name)
    assert code in (11, 62)
    assert name.split(".")[0] in said.err


def test_a_marked_film_is_told_from_an_unmarked_one(config, render, capsys):
    code, _, output = render("--watermark", "0xC0FFEE", "--no-sign", "--quality", "10")
    assert code == 0
    capsys.readouterr()
    assert run(["provenance", "detect", output, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["number"] == 0xC0FFEE
    _, _, plain = render("--no-sign", name="plain.mp4")
    capsys.readouterr()
    assert run(["provenance", "detect", plain]) == NoWatermark.exit_code
    assert "shows no mark" in capsys.readouterr().err


def test_a_render_and_its_signature_need_no_network(config, portrait, motion, tmp_path):
    """In a fresh network namespace, which has not even a loopback device that is up."""
    isolated = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("network namespaces are not permitted here")
    assert run(["provenance", "init"]) == 0
    output = tmp_path / "alone.mp4"
    command = [sys.executable, "-m", "lp_core", "animate", str(portrait), str(motion), "-o", str(output)]
    done = subprocess.run(
        [*isolated, *command, "--watermark", "7", "--progress", "json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["signature"] == "signed"
    shown = subprocess.run(
        [*isolated, sys.executable, "-m", "lp_core", "provenance", "show", str(output)],
        cwd=ROOT,
        capture_output=True,
    )
    assert shown.returncode == 0
