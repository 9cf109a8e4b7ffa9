"""Signed, read again as trusted, changed, read again as tampered; and what happens without a key."""

import json
import shutil
import stat
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from lp_core.errors import ConsentMissing, KeyUnusable, NotSigned, OutputExists, ProvenanceError, Tampered
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.provenance import keys as key_module
from lp_core.provenance.claim import RENDER_LABEL
from lp_core.provenance.config import KeyConfig, read_config, write_config
from lp_core.provenance.examine import examine
from lp_core.provenance.signing import SIDECAR_SUFFIX, is_embedded, open_consent, sidecar_path
from lp_core.provenance.zip_sequence import pack
from lp_core.settings import ProvenanceSettings, RenderSettings


@pytest.fixture
def frames(tmp_path, rng):
    """Three numbered images; their pattern."""
    for number in (1001, 1002, 1003):
        write_image(tmp_path / f"shot.{number}.png", rng.integers(0, 255, (16, 16, 3), np.uint8))
    return tmp_path / "shot.%04d.png"


class TestEmbedded:
    def test_a_film_is_trusted_by_its_own_anchor(self, keys, film, sealer):
        assert sealer(film)(str(film), 8, "25").state == "signed"
        finding = examine(str(film))
        assert (finding.state, finding.form, finding.exit_code) == ("trusted", "embedded", 0)
        assert finding.anchor.startswith("Studio Ä")
        assert finding.record["made_of"]["driving"]["name"] == "demo:blink"
        assert len(finding.record["made_of"]["source"]["sha256"]) == 64
        assert finding.record["models"][0]["sha256"]

    @pytest.mark.parametrize("box", [b"mdat", b"moov", b"org.lpsuite.render"])
    def test_one_flipped_bit_is_found(self, keys, film, sealer, flip, box):
        sealer(film)(str(film), 8, "25")
        flip(film, film.read_bytes().index(box) + 60)
        finding = examine(str(film))
        assert finding.state == "tampered"
        assert finding.exit_code == Tampered.exit_code
        assert finding.problems

    def test_without_the_anchor_it_is_whole_but_unknown(self, keys, film, sealer):
        sealer(film)(str(film), 8, "25")
        for anchor in (keys / "anchors").iterdir():
            anchor.unlink()
        finding = examine(str(film))
        assert (finding.state, finding.exit_code, finding.anchor) == ("valid", 64, "")

    def test_another_anchor_does_not_trust_it(self, keys, film, sealer, tmp_path):
        sealer(film)(str(film), 8, "25")
        (tmp_path / "other").mkdir()
        other = key_module.make_chain(tmp_path / "other", "Other", 30)
        assert examine(str(film), other).state == "valid"

    @pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
    def test_pictures_carry_it_too(self, keys, sealer, tmp_path, rng, suffix, flip):
        path = tmp_path / f"still.{suffix}"
        assert cv2.imwrite(str(path), rng.integers(0, 255, (256, 256, 3), np.uint8))
        assert sealer(path)(str(path), 1, "25").state == "signed"
        assert examine(str(path)).state == "trusted"
        flip(path)
        assert examine(str(path)).state == "tampered"

    def test_a_second_run_does_not_sign_again(self, keys, film, sealer):
        sealer(film)(str(film), 8, "25")
        before = film.read_bytes()
        assert sealer(film)(str(film), 8, "25").state == "signed"
        assert film.read_bytes() == before

    def test_passes_share_the_manifest(self, keys, film, sealer, frames):
        sealer(film, passes=(str(frames),))(str(film), 8, "25")
        assert sorted(examine(str(film)).record["passes"]) == [f"shot.{n}.png" for n in (1001, 1002, 1003)]

    def test_nothing_is_left_beside_it(self, keys, film, sealer, tmp_path):
        before = sorted(tmp_path.iterdir())
        sealer(film)(str(film), 8, "25")
        assert sorted(tmp_path.iterdir()) == before


class TestActions:
    def actions(self, sealer, film, **given):
        sealer(film, **given)(str(film), 8, "25")
        return examine(str(film)).actions

    def test_a_still_is_created_and_the_portrait_placed(self, keys, film, sealer):
        created, placed = self.actions(sealer, film)
        assert (created["action"], placed["action"]) == ("c2pa.created", "c2pa.placed")
        assert created["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")

    def test_a_plate_is_opened_and_edited(self, keys, film, sealer):
        opened, edited = self.actions(sealer, film, is_plate=True)
        assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
        assert edited["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")

    def test_a_generated_portrait_makes_a_generated_film(self, keys, film, sealer):
        (created,) = self.actions(sealer, film, generated_source=True)
        assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


class TestSidecar:
    def test_every_frame_is_listed_and_trusted(self, keys, frames, sealer, tmp_path):
        assert sealer(frames)(str(frames), 3, "24").state == "signed"
        listed = json.loads((tmp_path / "shot.png.provenance.json").read_text())["statement"]["files"]
        assert list(listed) == ["shot.1001.png", "shot.1002.png", "shot.1003.png"]
        finding = examine(str(frames))
        assert (finding.state, finding.form) == ("trusted", "sidecar")

    def test_a_changed_or_missing_frame_is_named(self, keys, frames, sealer, tmp_path, flip):
        sealer(frames)(str(frames), 3, "24")
        flip(tmp_path / "shot.1002.png")
        (tmp_path / "shot.1003.png").unlink()
        finding = examine(str(frames))
        assert finding.state == "tampered"
        assert finding.problems == ("shot.1002.png: changed", "shot.1003.png: missing")

    def test_a_changed_statement_is_found(self, keys, frames, sealer):
        sealer(frames)(str(frames), 3, "24")
        path = sidecar_path(frames)
        path.write_text(path.read_text().replace('"mesh"', '"none"'))
        assert examine(str(path)).state == "tampered"

    def test_a_stranger_cannot_sign_it_anew(self, keys, frames, sealer, tmp_path, monkeypatch):
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        key_module.make_chain(stranger, "Studio Ä", 30)
        write_config(stranger, KeyConfig())
        monkeypatch.setenv("LPSUITE_CONFIG", str(stranger))
        sealer(frames)(str(frames), 3, "24")
        monkeypatch.setenv("LPSUITE_CONFIG", str(keys))
        assert examine(str(frames)).state == "valid"

    @pytest.mark.parametrize("text", ["", "{}", "[1]", '{"statement": 1, "signature": {}}', "[" * 100_000])
    def test_what_is_no_sidecar_is_said(self, keys, tmp_path, text):
        path = tmp_path / "x.provenance.json"
        path.write_text(text)
        with pytest.raises(ProvenanceError, match="not a sidecar"):
            examine(str(path))

    def test_a_file_outside_the_folder_is_not_read(self, keys, frames, sealer):
        sealer(frames)(str(frames), 3, "24")
        path = sidecar_path(frames)
        path.write_text(path.read_text().replace('"shot.1001.png"', '"../../etc/hosts"'))
        assert any("outside" in problem for problem in examine(str(path)).problems)

    def test_an_unsigned_result_keeps_no_old_sidecar(self, keys, frames, sealer):
        sealer(frames)(str(frames), 3, "24")
        assert sealer(frames, sign=False)(str(frames), 3, "24").state == "off"
        with pytest.raises(NotSigned):
            examine(str(frames))


class TestZip:
    def test_it_is_trusted_and_a_flipped_bit_found(self, keys, frames, sealer, tmp_path, flip):
        sealer(frames)(str(frames), 3, "24")
        assert pack(str(frames), tmp_path / "shot.zip") == 4
        assert examine(str(tmp_path / "shot.zip")).state == "trusted"
        with pytest.raises(OutputExists):
            pack(str(frames), tmp_path / "shot.zip")
        flip(tmp_path / "shot.zip", 300)
        assert examine(str(tmp_path / "shot.zip")).state == "tampered"

    def test_changed_frames_are_not_packed(self, keys, frames, sealer, tmp_path, flip):
        sealer(frames)(str(frames), 3, "24")
        flip(tmp_path / "shot.1002.png")
        with pytest.raises(Tampered, match="1002"):
            pack(str(frames), tmp_path / "shot.zip")
        assert not (tmp_path / "shot.zip").exists()


def spoiled_key(keys):
    (keys / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")


def missing_key(keys):
    (keys / "key.pem").unlink()


def foreign_key(keys):
    (keys / "own.pem").write_bytes((keys / "certificates.pem").read_bytes())
    key_module.make_chain(keys, "Other", 30)
    write_config(keys, KeyConfig(certificates="own.pem"))


def missing_certificate(keys):
    (keys / "certificates.pem").unlink()


def damaged_configuration(keys):
    (keys / "provenance.json").write_text("{")


def failing_signer(keys):
    write_config(keys, KeyConfig(key=None, signer=("false",)))


def lying_signer(keys):
    write_config(keys, KeyConfig(key=None, signer=("echo", "signature")))


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoiled_key, missing_key, foreign_key, missing_certificate, damaged_configuration),
        *(failing_signer, lying_signer),
    ],
)
def test_a_key_that_cannot_be_used_costs_one_sentence_and_no_film(keys, film, sealer, spoil):
    before = film.read_bytes()
    spoil(keys)
    verdict = sealer(film)(str(film), 8, "25")
    assert verdict.state == "failed"
    assert len(verdict.notes) == 1
    assert verdict.notes[0].startswith("The result is unsigned: ")
    assert film.read_bytes() == before


def test_an_expired_certificate_says_when(keys):
    with pytest.raises(KeyUnusable, match="expired on"):
        key_module.open_identity(keys, read_config(keys), datetime(2100, 1, 1, tzinfo=UTC))


def test_without_a_key_the_report_says_how_to_get_one(film, sealer):
    verdict = sealer(film)(str(film), 8, "25")
    assert verdict.state == "no_key"
    assert "lpsuite provenance init" in verdict.notes[0]


def test_the_private_key_is_the_users_alone(keys):
    path = keys / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_an_external_signer_signs_der_or_raw(keys, film, sealer):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    command = ("openssl", "dgst", "-sha256", "-sign", str(keys / "key.pem"))
    write_config(keys, KeyConfig(key=None, signer=command))
    assert sealer(film)(str(film), 8, "25").state == "signed"
    assert examine(str(film)).state == "trusted"


def test_no_folder_of_the_machine_is_signed(keys, film, sealer, tmp_path):
    sealer(film, consent=None)(str(film), 8, "25")
    assert str(tmp_path).encode() not in film.read_bytes()


def test_consent_is_recorded(keys, film, sealer):
    consent = {"person": "P", "granted_by": "P", "valid_until": "2100-01-01"}
    sealer(film, consent=consent)(str(film), 8, "25")
    assert examine(str(film)).consent == consent


class TestDemandedConsent:
    def job(self, **settings):
        return RenderJob("a", "b", "c", RenderSettings(provenance=ProvenanceSettings(**settings)))

    def test_nothing_is_demanded_by_default(self):
        assert open_consent(self.job().settings.provenance) is None

    def test_a_setting_demands_it(self):
        with pytest.raises(ConsentMissing, match="--consent"):
            open_consent(self.job(require_consent=True).settings.provenance)

    def test_the_configuration_demands_it(self, keys):
        write_config(keys, KeyConfig(require_consent=True))
        with pytest.raises(ConsentMissing):
            open_consent(self.job().settings.provenance)


def test_the_record_has_a_label_of_its_own():
    assert RENDER_LABEL.count(".") == 2


@pytest.mark.parametrize(
    ("name", "sidecar", "embedded"),
    [
        ("take #2.mp4", "take #2.mp4", True),
        ("take %2d.mkv", "take %2d.mkv", False),
        ("50%d/a.%04d.mov", "a.%04d.mov", True),
        ("a.%04d.exr", "a.exr", False),
        ("a.####.png", "a.png", False),
        ("here #1.png", "here #1.png", True),
    ],
)
def test_only_a_sequence_loses_its_number_in_the_sidecars_name(tmp_path, name, sidecar, embedded):
    (tmp_path / "here #1.png").touch()
    path = tmp_path / name
    assert sidecar_path(path) == path.with_name(sidecar + SIDECAR_SUFFIX)
    assert is_embedded(path) is embedded
