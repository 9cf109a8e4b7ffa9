import threading
import time
from pathlib import Path

import pytest
from fakes.films import write_portrait

from lp_core.errors import ConsentMissing, SettingError, TooBusy
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.did import as_talk
from lp_core.worker.compat.records import Asset
from lp_core.worker.compat.routes import CompatOptions, open_compat, read_settings
from lp_core.worker.compat.talks import Order, Wanted
from lp_core.worker.job_context import JobContext
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.service import Service


@pytest.fixture
def compat(tmp_path, astronaut, monkeypatch):
    monkeypatch.setattr(JobRunner, "wake", lambda *_: None)  # jobs wait
    path = write_portrait(tmp_path / "a.png", astronaut)
    with (
        Service(tmp_path / "state", Folders.of([tmp_path])) as service,
        open_compat(CompatOptions(("did",)), service, "t" * 20) as made,
    ):
        made.records.add_asset(
            Asset("one", "anna", "image", str(path), "a.png", "image/png", None, time.time())
        )
        yield made


def test_the_operators_settings_hold(compat, tmp_path):
    (tmp_path / "settings.json").write_text(
        '{"provenance": {"require_consent": true}, "speech": {"head": 0.0}}'
    )
    compat.settings = read_settings(tmp_path / "settings.json")
    order = Order(
        (Wanted("lpsuite://image/one", "Hi."),), settings={"speech": {"head": 2.0, "blink_rate": 5.0}}
    )
    talk = compat.order(ApiClient("anna", "a" * 20), "did", "talk", order, {}, (), "")
    settings = compat.row(talk).parameters["settings"]
    assert settings["speech"] == {"head": 0.0, "blink_rate": 5.0}
    assert settings["provenance"]["require_consent"] is True
    kind = compat.service.kinds["talk"]
    context = JobContext(talk.id, tmp_path, lambda *_: None, lambda *_: None, threading.Event())
    with pytest.raises(ConsentMissing):
        kind.run(compat.row(talk).parameters, context)
    (tmp_path / "settings.json").write_text('{"provenance": {"odd": 1}}')
    with pytest.raises(SettingError):
        read_settings(tmp_path / "settings.json")


def test_a_talk_is_marked_and_its_voice_recorded(compat, tmp_path, monkeypatch):
    pytest.importorskip("c2pa")
    pytest.importorskip("hibari")
    from lp_core.provenance.config import KeyConfig
    from lp_core.provenance.init_keys import set_up_local
    from lp_core.provenance.sign import read

    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "config"))
    set_up_local("Test", 30, KeyConfig(), overwrite=False)
    compat.settings = {"provenance": {"watermark": "0xBEEF"}, "output": {"quality": 8}}
    talk = compat.order(
        ApiClient("anna", "a" * 20), "did", "talk", Order((Wanted("lpsuite://image/one", "Hi."),)), {}, (), ""
    )
    context = JobContext(talk.id, tmp_path / "job", lambda *_: None, lambda *_: None, threading.Event())
    context.folder.mkdir()
    summary = compat.service.kinds["talk"].run(compat.row(talk).parameters, context)
    assert summary["signature"] == "signed"
    assert summary["voice"] == {"id": "hibari:heart", "license": "Apache-2.0"}
    record = read(Path(talk.output), ()).record
    assert record["synthetic_voice"]["id"] == "hibari:heart"
    assert record["settings"]["provenance"]["watermark"] == "0xBEEF"


def test_a_thousand_talks_wait(compat):
    anna, order = ApiClient("anna", "a" * 20, waiting=1000), Order((Wanted("lpsuite://image/one", "Hi."),))
    talks = [compat.order(anna, "did", "talk", order, {"n": number}, (), "") for number in range(1000)]
    assert compat.service.store.counts()["queued"] == 1000
    with pytest.raises(TooBusy):
        compat.order(anna, "did", "talk", order, {}, (), "")
    assert compat.order(ApiClient("anna", "b" * 20), "did", "talk", order, {}, (), "")
    seen, before = [], None
    while True:
        page, before = compat.records.talks("anna", "did", ("talk",), 100, before)
        seen += [talk.id for talk in page]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 1001
    assert as_talk(compat, talks[0], "http://x")["status"] == "created"
    assert compat.records.talks("boris", "did", ("talk",), 100) == ([], None)
    compat.drop(talks[0])
    assert compat.service.store.counts()["queued"] == 1000


def test_a_worker_without_these_routes_says_so(compat):
    talk = compat.order(
        ApiClient("anna", "a" * 20), "did", "talk", Order((Wanted("lpsuite://image/one", "Hi."),)), {}, (), ""
    )
    del compat.service.kinds["talk"]
    row = compat.service.store.claim(compat.row(talk).lane)
    compat.service.lanes._run(row)
    assert compat.row(talk).error["code"] == "not_allowed"
