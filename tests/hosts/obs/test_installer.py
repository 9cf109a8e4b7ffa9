"""Installing the OBS source: into empty and full settings, twice, damaged, and out again; the options it writes."""

import json
import shutil
import subprocess

import pytest

from hosts.install import HOSTS, InstallOptions, open_installer
from hosts.obs.installer import COLLECTION, OPTIONS, SCRIPTS, helper_collection
from hosts.obs.options import options_text
from lp_core.settings import MotionSettings
from lp_core.settings.live import LiveSettings
from lp_core.settings.sliders import SLIDERS


@pytest.fixture
def obs():
    return open_installer("obs")


@pytest.fixture
def options(tmp_path):
    return InstallOptions(str(tmp_path / "obs-studio"), ("sh", "-c"), ("/mnt/bühne",))


def collection(options, name, values):
    path = folder_of(options) / "basic" / "scenes" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return path


def folder_of(options):
    from pathlib import Path

    return Path(options.folder)


def scripts_of(path):
    return [row["path"] for row in json.loads(path.read_text())["modules"]["scripts-tool"]]


@pytest.mark.parametrize("host", HOSTS)
def test_every_row_of_the_table_is_an_installer(host):
    made = open_installer(host)
    assert all(callable(getattr(made, name)) for name in ("install", "status", "uninstall"))


def test_an_unknown_host_is_a_key_error():
    with pytest.raises(KeyError):
        open_installer("none")


def test_into_nothing_and_out_again(obs, options):
    said = obs.install(options)
    assert any(COLLECTION in sentence for sentence in said)
    assert all(finding.is_good for finding in obs.status(options) if "PATH" not in finding.sentence)
    assert any("removed" in sentence for sentence in obs.uninstall(options))
    assert not (folder_of(options) / "lpsuite").exists()
    assert obs.uninstall(options) == ["Nothing of LP Suite was installed in OBS."]


def test_collections_keep_what_they_had_and_get_the_script_once(obs, options):
    mine = {
        "name": "Mine",
        "sources": [{"name": "Ünï"}],
        "modules": {"scripts-tool": [{"path": "/other.lua"}]},
    }
    path = collection(options, "Mine", mine)
    plain = collection(options, "Plain", {"name": "Plain", "sources": []})
    obs.install(options)
    obs.install(options)
    script = str(folder_of(options) / "lpsuite" / SCRIPTS[0])
    assert scripts_of(path) == ["/other.lua", script]
    assert scripts_of(plain) == [script]
    assert json.loads(path.read_text())["sources"] == mine["sources"]
    assert json.loads(path.with_name("Mine.json.before-lpsuite").read_text()) == mine
    obs.uninstall(options)
    assert scripts_of(path) == ["/other.lua"]


def test_a_damaged_collection_is_left_alone_and_told(obs, options):
    path = collection(options, "Broken", "{nonsense")
    obs.install(options)
    assert path.read_text() == "{nonsense"
    assert any(not f.is_good and "Broken" in f.sentence for f in obs.status(options))


def test_status_tells_what_is_missing_and_what_is_old(obs, options):
    assert any(not f.is_good and "install obs" in f.sentence for f in obs.status(options))
    obs.install(options)
    script = folder_of(options) / "lpsuite" / SCRIPTS[0]
    script.write_text("-- old")
    assert any(not f.is_good and "another version" in f.sentence for f in obs.status(options))
    obs.install(InstallOptions(options.folder, ("/no/such/program",)))
    assert any(not f.is_good and "/no/such/program" in f.sentence for f in obs.status(options))


def test_the_helper_collection_shows_the_source():
    values = helper_collection("/x.lua", {"engine": "mesh"})
    assert [source["id"] for source in values["sources"]] == ["lpsuite_liveportrait", "scene"]
    assert values["sources"][1]["settings"]["items"][0]["name"] == values["sources"][0]["name"]


def test_options_are_lua_and_say_what_the_settings_say(tmp_path):
    luajit = shutil.which("luajit")
    if luajit is None:
        pytest.skip("luajit is not installed")
    path = tmp_path / OPTIONS
    path.write_text(options_text(["/opt/l p/lpsuite", 'quo"te'], ["--allow", "/mnt/bühne"]), encoding="utf-8")
    code = (
        f"local o = dofile('{path}') print(#o.command, o.command[2], o.serve[#o.serve], #o.sliders) "
        "for _, s in ipairs(o.settings) do print(s.group, s.key, s.kind, s.default, s.minimum, s.maximum) end"
    )
    done = subprocess.run([luajit, "-e", code], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    sliders = sum(slider.has_neutral for slider in SLIDERS.values())
    assert head.split("\t") == ["2", 'quo"te', "/mnt/bühne", str(sliders)]
    table = {row.split("\t")[1]: row.split("\t") for row in rows}
    assert table["strength"][2:] == ["float", f"{MotionSettings().strength:g}", "0", "2"]
    assert table["background"][2:4] == ["choice", LiveSettings().background]
    assert table["background_color"][3] == str(0xFF40B100)
