"""The installed scripts as Resolve's menu runs them, with its globals; and how they report what went wrong."""

import runpy

import pytest
from fakes.plates import write_plate
from fakes.resolve import Host
from fakes.resolve_picture import html_of
from fakes.resolve_pool import described
from fakes.resolve_ui import Bmd, Fusion
from fakes.settings import setting_fields

from hosts.davinci.lp_resolve.dialogs import animate_dialog, settings_of
from hosts.davinci.lp_resolve.windows import ScriptWindows
from hosts.install import InstallOptions, open_installer
from lp_core.settings import RenderSettings
from lp_core.settings.sliders import SLIDERS


@pytest.fixture
def scripts(tmp_path, monkeypatch, worker):
    """Where the installed scripts lie; they find the tests' worker."""
    monkeypatch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(worker.run))
    open_installer("davinci").install(InstallOptions(str(tmp_path / "Fusion"), ("false",)))
    return tmp_path / "Fusion" / "Scripts"


def run(script, host, user):
    bmd = Bmd(user)
    runpy.run_path(str(script), {"resolve": host.resolve, "fusion": Fusion(host), "bmd": bmd})
    return bmd


def test_animate_clip_from_the_menu(scripts, worker, pictures, record, capsys):
    host = Host()
    record(host)
    clip = host.project.pool.add(
        described(write_plate(worker.data / "menu.mov", pictures[:8], "25", "01:00:00:00"))
    )
    timeline = host.project.timeline("Schnitt", "25", "01:00:00:00")
    timeline.put(1, clip, 90000, 0, 8)

    def user(dispatcher, window):
        items = window.GetItems()
        if "Accept" not in items:
            dispatcher.On.call("Timeout")
            return
        items["engine"].CurrentIndex = items["engine"].choices.index("mesh")
        items["calibration"].CurrentIndex = items["calibration"].choices.index("off")
        items["strength"].Text = "7"
        window.On.call("Accept", "Clicked")
        assert "Strength: 7 must lie between 0 and 2" in items["Problem"].Text
        items["strength"].Text = "0,75"
        window.On.call("Accept", "Clicked")

    run(scripts / "Edit" / "LivePortrait - Animate Clip.py", host, user)
    assert [(item.start, item.length) for item in timeline.tracks[2]] == [(90000, 8)]
    assert "is on video track 2 at the frame 90000" in capsys.readouterr().out


def test_a_failure_is_told_in_a_window_and_in_the_console(scripts, capsys):
    host, told = Host(), []
    host.project.timeline("Schnitt", "25", "01:00:00:00")

    def user(dispatcher, window):
        told.append(window.GetItems()["Words"].Text)
        window.On.call("Close", "Clicked")

    run(scripts / "Edit" / "LivePortrait - Update.py", host, user)
    assert told == ["No result of LivePortrait is under the playhead; put the playhead on one."]
    assert told[0] in capsys.readouterr().out


def test_without_a_project_or_a_timeline_it_says_so(scripts, capsys):
    host = Host("DaVinci Resolve")
    script = scripts / "Edit" / "LivePortrait - Animate Clip.py"
    run(script, host, None)
    assert "Resolve gave no timeline; open one." in capsys.readouterr().out
    host.project = None
    run(script, host, None)
    assert "Resolve gave no project; open one." in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told(scripts, worker, pictures, capsys):
    host = Host("DaVinci Resolve")
    timeline = host.project.timeline("Schnitt", "25", "01:00:00:00")
    blocked = worker.data / "blocked"
    clip = described(write_plate(blocked / "a.mov", pictures[:4], "25", "01:00:00:00"))
    (blocked / "LivePortrait").write_text("a file where the folder should be")
    timeline.put(1, host.project.pool.add(clip), 90000, 0, 4)
    run(scripts / "Edit" / "LivePortrait - Animate Clip.py", host, None)
    assert "because a part of its path is a file; choose another folder." in capsys.readouterr().out


def test_every_setting_is_asked_once_and_the_pictures_show_it():
    """The dialog's controls are the settings' own; the image of each tab has the words of each control."""
    dialog = animate_dialog(["Track 1: plate.mov"], ["demo:nod"], ["the clip itself"], "/x", {})
    names = [control.name for control in dialog.controls]
    assert len(names) == len(set(names))
    defaults = RenderSettings()
    settings = {
        name for group in vars(defaults) for name, *_ in setting_fields(getattr(defaults, group))
    } - {"frames", "handles", "driving_offset", "edit", "edit_file", "face", "overwrite", "fps", "strict"}  # fmt: skip
    assert settings | set(SLIDERS) <= set(names)
    bmd = Bmd(lambda dispatcher, window: dispatcher.ExitLoop())
    assert ScriptWindows(Fusion(Host()), bmd).ask(dialog) is None
    for index, tab in enumerate(dialog.tabs):
        text = html_of(bmd.windows[0], index)
        assert all(f">{control.label}</div>" in text for control in tab.controls)


def test_an_untouched_dialog_asks_for_nothing_but_what_is_proposed():
    proposed = {"output": {"codec": "prores4444"}, "color": {"input_space": "ACEScg"}}
    dialog = animate_dialog(["Track 1: plate.mov"], ["demo:nod"], ["the clip itself"], "/x", proposed)
    bmd = Bmd(lambda dispatcher, window: window.On.call("Accept", "Clicked"))
    assert settings_of(ScriptWindows(Fusion(Host()), bmd).ask(dialog)) == proposed


def test_browse_fills_the_file_in():
    dialog = animate_dialog(["Track 1: plate.mov"], ["demo:nod"], ["the clip itself"], "/x", {})

    def user(dispatcher, window):
        window.On.call("Browse_driver_file", "Clicked")
        window.On.call("Browse_folder", "Clicked")
        window.On.call("Accept", "Clicked")

    values = ScriptWindows(Fusion(Host(), ["/clips/take ü.mov", "/results"]), Bmd(user)).ask(dialog)
    assert (values["driver_file"], values["folder"]) == ("/clips/take ü.mov", "/results")
