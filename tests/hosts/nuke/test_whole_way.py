"""From knobs to images: real EXR plates, the real worker, passes read back as Nuke's Read would (raw)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import stored, write_exr

pytest.importorskip("fastapi", reason="the extra worker is not installed")
pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

ROOT = Path(__file__).resolve().parents[3]
FIRST, LAST = 1001, 1006
RANGE = range(FIRST, LAST + 1)
LAYERS = {"R", "G", "B", "A", "matte.A", "stmap.red", "stmap.green", "stmap.blue", "forward.u", "forward.v"}
pytestmark = pytest.mark.usefixtures("worker")


def shown(node):
    """The pattern that the node's inner Read shows."""
    return node.node("Result")["file"].value()


def layers(path):
    """Channel name -> (H, W) float32."""
    spec, pixels = stored(path)
    return {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def picture(path):
    """(H, W, 4) as half, to the bit."""
    found = layers(path)
    return np.stack([found[name] for name in "RGBA"], axis=2).astype(np.float16)


def bits(pixels):
    return np.ascontiguousarray(pixels.astype(np.float16)).view(np.uint16)


def change(node, plate):
    """Mean change of each frame."""
    return [np.abs(picture(shown(node) % n) - stored(plate % n)[1]).astype(float).mean() for n in RANGE]


def test_outside_the_matte_the_input_is_kept_to_the_bit(make, rendered, plate, nuke):
    node = make(smile=1.0)
    nuke.double.recorded.clear()
    rendered(node)
    assert nuke.double.recorded == []  # undo takes back what the user did, nothing of a render
    assert nuke.double.messages == []
    assert node["status"].value() == "up to date"
    for number in RANGE:
        found, source = layers(shown(node) % number), stored(plate % number)[1]
        assert set(found) == LAYERS
        outside = found["matte.A"] == 0
        assert 0.5 < outside.mean() < 0.98
        drawn = picture(shown(node) % number)
        np.testing.assert_array_equal(bits(drawn)[outside], bits(source)[outside])
        assert (drawn[~outside] != source[~outside]).mean() > 0.05
    task = nuke.ProgressTask.made[0]
    assert task._title == "LivePortrait: LivePortrait1"
    assert any(str(words).startswith("rendering, frame ") for words in task._told)
    assert nuke.double.jobs.empty()


def test_the_st_map_is_nukes(make, rendered):
    node = rendered(make(smile=1.0))
    spec, _ = stored(shown(node) % FIRST)
    kinds = dict(zip(spec.channelnames, map(str, spec.channelformats), strict=True))
    assert [kinds[name] for name in ("R", "A", "stmap.red", "stmap.green", "forward.v")] == ["half"] * 2 + [
        "float"
    ] * 3
    found = layers(shown(node) % FIRST)
    outside = found["matte.A"] == 0
    wanted = [((x + 0.5) / 256, (255 - y + 0.5) / 256) for y, x in np.argwhere(outside)]
    got = np.stack([found["stmap.red"][outside], found["stmap.green"][outside]], axis=1)
    np.testing.assert_allclose(got, np.array(wanted), atol=1e-6)


def test_files_bear_the_timelines_numbers(make, rendered):
    node = rendered(make())
    folder = Path(shown(node)).parent
    assert shown(node).endswith("/result.%04d.exr")
    assert sorted(path.name for path in folder.glob("*.exr")) == [f"result.{n}.exr" for n in RANGE]
    read = node.node("Result")
    assert [read[name].value() for name in ("first", "last", "origfirst", "origlast")] == [FIRST, LAST] * 2
    assert [node[name].value() for name in ("lp_ready", "lp_first", "lp_last")] == [1, FIRST, LAST]


def test_what_is_up_to_date_is_not_rendered_again(make, rendered, lp, nuke, monkeypatch):
    node = rendered(make())
    before = [path.stat().st_mtime_ns for path in sorted(Path(shown(node)).parent.glob("*.exr"))]
    node["strength"].setValue(0.5)
    rendered(node)
    other = shown(node)
    node["strength"].setValue(1.0)
    monkeypatch.setattr(lp.render, "submit", lambda *_: pytest.fail("a job was submitted"))
    assert lp.render.render(node) is None
    assert shown(node) != other
    assert before == [path.stat().st_mtime_ns for path in sorted(Path(shown(node)).parent.glob("*.exr"))]
    assert node["status"].value() == "up to date"


def test_keyed_sliders_act_over_the_range(make, rendered, plate):
    node = make(driver_demo="still", smoothing=0.0)
    node._knobs["smile"]._keys = {1002.0: 0.0, 1006.0: 1.2}
    found = change(rendered(node), plate)
    assert found[0] == found[1] < 1e-4
    assert found[1] < found[2] < found[3] < found[4] < found[5]


def test_a_performance_at_the_input_driving(make, rendered, nuke, reads, plate):
    node = rendered(make(driver_demo="still", lip_open=100.0))
    performance = reads(nuke, shown(node))
    driven = make(driver="input", reference="frame", reference_frame=FIRST)
    driven.setInput(1, performance)
    rendered(driven)
    assert nuke.double.messages == []
    assert sorted(path.name for path in Path(shown(driven)).parent.glob("*.exr")) == [
        f"result.{n}.exr" for n in RANGE
    ]


@pytest.mark.parametrize("first", [1001, 3])
def test_a_still_gets_the_timelines_numbers(make, rendered, nuke, plate, first):
    node = rendered(make(source_is="still", still_frame=1002, first=first, last=first + 3))
    assert nuke.double.messages == []
    names = sorted(path.name for path in Path(shown(node)).parent.glob("*.exr"))
    assert names == [f"result.{n:04d}.exr" for n in range(first, first + 4)]
    outside = layers(shown(node) % first)["matte.A"] == 0
    source = stored(plate % 1002)[1]
    np.testing.assert_array_equal(bits(picture(shown(node) % (first + 3)))[outside], bits(source)[outside])


def test_a_still_under_the_input_driving(make, rendered, nuke, reads, plate):
    node = make(source_is="still", still_frame=1001, driver="input", first=1003, last=1005)
    node.setInput(1, reads(nuke, plate))
    rendered(node)
    assert nuke.double.messages == []
    names = sorted(path.name for path in Path(shown(node)).parent.glob("*.exr"))
    assert names == ["result.1003.exr", "result.1004.exr", "result.1005.exr"]


def test_what_the_matte_covers_stays(make, rendered, nuke, reads, plate, home):
    alpha = np.zeros((256, 256, 4), np.float16)
    alpha[:, 128:, 3] = 1
    for number in RANGE:
        write_exr(home / f"holdout.{number}.exr", alpha, display=(0, 0, 256, 256))
    node = make(smile=1.0)
    node.setInput(2, reads(nuke, str(home / "holdout.%04d.exr")))
    rendered(node)
    drawn, source = picture(shown(node) % FIRST), stored(plate % FIRST)[1]
    np.testing.assert_array_equal(bits(drawn)[:, 130:], bits(source)[:, 130:])
    assert (drawn[:, :126] != source[:, :126]).any()


def test_upstream_changes_make_a_new_result(make, rendered, lp, nuke, reads, plate):
    grade = nuke.double.make("Multiply")
    grade._connect(0, reads(nuke, plate))
    grade._knobs["value"]._keys = {1001.0: 1.0, 1006.0: 0.5}
    node = rendered(make(grade, last=1003))
    spec = stored(shown(node) % 1003)[1]
    assert nuke.double.messages == []
    outside = layers(shown(node) % 1003)["matte.A"] == 0
    wanted = stored(plate % 1003)[1][..., :3].astype(np.float32) * 0.8
    np.testing.assert_allclose(spec[..., :3][outside], wanted[outside], rtol=2e-3, atol=1e-3)
    grade._knobs["value"]._keys = {}
    grade._knobs["value"]._set(1.0)
    assert lp.node_state.state_of(node).startswith("stale")


def test_a_film_drives_the_plate(make, rendered, nuke, media, home, plate):
    import shutil

    shutil.copy(media / "driving" / "d0.mp4", home / "d 0.mp4")
    nuke.root()["fps"].setValue(12.5)  # the video's own rate is 25: every second image
    node = rendered(
        make(driver="file", driver_file=str(home / "d 0.mp4"), reference="frame", reference_frame=FIRST)
    )
    assert nuke.double.messages == []
    assert len(list(Path(shown(node)).parent.glob("*.exr"))) == 6
    found = change(node, plate)
    assert found[0] < min(found[2:])
    changed = rendered(make(driver="file", driver_file=str(home / "d 0.mp4"), driving_offset=20))
    assert shown(changed) != shown(node)


def test_in_an_aces_project(make, rendered, nuke, plate, monkeypatch):
    monkeypatch.setenv("OCIO", "ocio://cg-config-latest")
    root = nuke.root()
    root["colorManagement"].setValue("OCIO")
    root["workingSpaceLUT"].setValue("scene_linear (ACEScg)")
    node = rendered(make(smile=1.0))
    assert nuke.double.messages == []
    found, source = layers(shown(node) % FIRST), stored(plate % FIRST)[1]
    outside = found["matte.A"] == 0
    np.testing.assert_array_equal(bits(picture(shown(node) % FIRST))[outside], bits(source)[outside])


def test_a_second_still_render_after_a_cut_leaves_nothing_old(make, rendered, lp, nuke):
    node = make(source_is="still", still_frame=1001, last=1003)
    folder = lp.node_state.work_of(node).folder
    folder.mkdir(parents=True)
    (folder / "result.0000.exr").write_bytes(b"old")
    rendered(node)
    assert nuke.double.messages == []
    assert sorted(path.name for path in folder.glob("*.exr")) == [
        f"result.{n}.exr" for n in (1001, 1002, 1003)
    ]


def test_cancelled_by_the_dialog_it_shows_the_source_and_can_go_on(make, rendered, nuke, home):
    node = make(last=1006)
    nuke.ProgressTask.cancel_at = 0
    rendered(node)
    assert nuke.double.messages == []
    assert node["status"].value() == "not rendered"
    assert node["lp_ready"].value() == 0
    assert node["lp_job"].value() == ""
    nuke.ProgressTask.cancel_at = None
    assert rendered(node)["status"].value() == "up to date"


def test_what_the_worker_refuses_is_a_dialog(make, rendered, nuke, reads, home):
    for number in (1001, 1002):
        write_exr(home / f"gray.{number}.exr", np.full((64, 64, 4), 0.5, np.float16), display=(0, 0, 64, 64))
    node = rendered(make(reads(nuke, str(home / "gray.%04d.exr"), last=1002), last=1002))
    assert len(nuke.double.messages) == 1
    assert "face" in nuke.double.messages[0]
    assert node["status"].value() == nuke.double.messages[0]
    assert node["lp_ready"].value() == 0


def test_a_folder_the_worker_may_not_touch_is_a_dialog(make, rendered, nuke, tmp_path):
    rendered(make(cache=str(tmp_path / "elsewhere")))
    assert "outside the folders the worker may touch" in nuke.double.messages[0]
    assert "--allow" in nuke.double.messages[0]


def test_a_second_press_while_it_renders_is_refused(make, lp, nuke):
    node = make()
    thread = lp.render.render(node)
    nuke.double.this_node = node
    lp.buttons.render()
    assert nuke.double.messages == ["LivePortrait1 is being rendered; cancel that first."]
    lp.buttons.cancel()
    nuke.double.run_main_thread(lambda: not thread.is_alive() and nuke.double.jobs.empty())


def test_a_node_deleted_meanwhile_is_no_error(make, lp, nuke):
    node = make()
    thread = lp.render.render(node)
    nuke.double.nodes.remove(node)
    nuke.double.run_main_thread(lambda: not thread.is_alive() and nuke.double.jobs.empty())
    thread.join()
    assert nuke.double.messages == []


def test_two_nodes_at_once_and_a_pasted_one(make, lp, nuke):
    nodes = [make(strength=0.5), make(strength=0.9)]
    assert [node.name() for node in nodes] == ["LivePortrait1", "LivePortrait2"]
    threads = [lp.render.render(node) for node in nodes]
    nuke.double.run_main_thread(
        lambda: not any(thread.is_alive() for thread in threads) and nuke.double.jobs.empty()
    )
    assert nuke.double.messages == []
    assert [node["status"].value() for node in nodes] == ["up to date"] * 2
    assert shown(nodes[0]) != shown(nodes[1])
    pasted = nuke.double.paste(nodes[0])
    assert pasted.name() not in ("LivePortrait1", "LivePortrait2")
    nuke.ProgressTask.made.clear()
    assert lp.node_state.state_of(pasted) == "up to date"
    assert lp.render.render(pasted) is None
    assert shown(pasted) == shown(nodes[0])
    assert nuke.ProgressTask.made == []
    pasted["strength"].setValue(0.7)
    assert lp.node_state.state_of(pasted).startswith("stale")
    assert lp.node_state.state_of(nodes[0]) == "up to date"


def _program(home):
    """The program ``lpsuite`` of this code."""
    program = home / "bin" / "lpsuite"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m lp_core "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("manager", ["line", "openjd"])
def test_rendered_by_a_farm_and_loaded(make, lp, nuke, home, manager, monkeypatch):
    import shlex
    import shutil

    node = make(source_is="still", still_frame=1001, last=1003)
    nuke.double.this_node = node
    program = Path(_program(home))
    monkeypatch.setenv("LPSUITE", str(program))
    lp.buttons.farm()
    line = nuke.double.messages[0].splitlines()[0]
    folder = lp.node_state.work_of(node).folder
    command = [program, *shlex.split(line)[1:]]
    if manager == "openjd":
        openjd = shutil.which("openjd") or str(Path(sys.executable).with_name("openjd"))
        if not Path(openjd).exists():
            pytest.skip("no openjd on PATH")
        values = [f"BatchPlan={folder / 'plan.json'}", f"Results={folder}"]
        command = [
            openjd,
            "run",
            str(folder / "openjd" / "template.json"),
            "--step",
            "Conform",
            "--run-dependencies",
        ]
        command += [part for value in values for part in ("-p", value)]
    environment = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assets = json.loads((folder / "openjd" / "asset_references.json").read_text())["assetReferences"]
    plates = [Path(name).name for name in assets["inputs"]["filenames"] if name.endswith(".exr")]
    assert plates == ["source.1001.exr"]
    assert '<layer name="chunks"' in (folder / "opencue" / "job.xml").read_text()
    lp.buttons.load()
    assert node["status"].value() == "up to date"
    assert (shown(node) % 1003) in {path.as_posix() for path in Path(shown(node)).parent.glob("*.exr")}


TERMINAL = """
import runpy, sys, nuke
nuke.double.reset("17", False, [])
sys.argv = ["terminal.py", *sys.argv[1:]]
runpy.run_path({path!r}, run_name="__main__")
"""


@pytest.mark.parametrize(("last", "runs"), [("1003", True), ("900", True), ("1003", False)])
def test_from_the_command_line(plate, home, worker, last, runs):
    from hosts.nuke.lp_nuke import gizmo, tcl

    values = [("driver", "demo"), ("engine", "mesh"), ("calibration", "off"), ("cache", tcl.word(str(home)))]
    script = home / "shot.nk"
    read = [
        ("inputs", "0"),
        ("file", tcl.word(plate)),
        ("first", "1001"),
        ("last", "1006"),
        ("raw", "true"),
        ("name", "P"),
    ]
    script.write_text(tcl.script([tcl.node("Read", read), *gizmo.group("LivePortrait1", values)]))
    path = str(ROOT / "hosts" / "nuke" / "lp_nuke" / "terminal.py")
    done = subprocess.run(
        [sys.executable, "-c", TERMINAL.format(path=path), script, "node=LivePortrait1", f"frames=1001-{last}"],
        env={**worker.environment, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "fakes"), str(ROOT)]),
             **({} if runs else {"LPSUITE_RUNTIME_DIR": str(home / "run"), "LPSUITE": _program(home)})},
        cwd=home, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    if last == "900":
        assert done.returncode == 2
        assert done.stderr.endswith("write the lower number first, such as 1001-1100.\n")
        return
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LivePortrait1: up to date"
    assert "LivePortrait1: rendering, frame " in done.stdout
    assert len(list(home.rglob("result.*.exr"))) == 3
    assert not (home / "run").exists()  # no worker was started, none is left
