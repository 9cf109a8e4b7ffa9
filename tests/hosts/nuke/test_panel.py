"""The panel with a real Qt, without a screen, in a separate process: PySide6 (Nuke 16, 17) and PySide2 (13 to 15)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.install import InstallOptions, open_installer

ROOT = Path(__file__).resolve().parents[3]
PYTHONS = [
    sys.executable,
    *[word for word in os.environ.get("LPSUITE_TEST_QT", "").split(os.pathsep) if word],
]
"""This Python, and others that have a binding."""
SCRIPT = """
import json, sys
folder, plate, home, picture = sys.argv[1:5]
sys.path.insert(0, folder)
import nuke
nuke.double.reset("17", True, [folder])
read = nuke.double.make("Read")
for name, value in (("file", plate), ("first", 1001), ("last", 1003), ("raw", True)):
    read._knobs[name]._set(value)
node = nuke.createNode("LivePortrait")
node.setInput(0, read)
for name, value in (("driver", "demo"), ("first", 1001), ("last", 1003), ("engine", "mesh"), ("calibration", "off"),
                    ("cache", home)):
    node[name].setValue(value)
from lp_nuke import panel
core, widgets = panel.qt()
app = widgets.QApplication([])
widget = panel.make()
widget.resize(640, 320)
widget.show()
labels = [button.text() for button in widget.findChildren(widgets.QPushButton)]
tables = widget.findChildren(widgets.QTableWidget)
tables[0].selectRow(0)
button = next(button for button in widget.findChildren(widgets.QPushButton) if button.text() == "Render")
button.click()
nuke.double.run_main_thread(lambda: node["status"].value() == "up to date" or nuke.double.messages, 30)
timer = core.QTimer()
timer.singleShot(2600, app.quit)
(getattr(app, "exec", None) or app.exec_)()
widget.grab().save(picture)
rows = [[table.item(y, x).text() for x in range(table.columnCount())]
        for table in tables for y in range(table.rowCount())]
print(json.dumps({"binding": core.__name__, "labels": labels, "rows": rows, "messages": nuke.double.messages,
                  "worker": widget.findChildren(widgets.QLabel)[0].text()}))
"""


def has_qt(python):
    asked = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('PySide6') or u.find_spec('PySide2')))"
    )
    return subprocess.run([python, "-c", asked]).returncode == 0


@pytest.mark.parametrize("python", PYTHONS)
def test_it_shows_nodes_and_jobs_and_renders(python, worker, plate, tmp_path, home):
    if not has_qt(python):
        pytest.skip(f"{python} has neither PySide6 nor PySide2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
        open_installer("nuke").install(InstallOptions(str(tmp_path), ("lpsuite",)))
    picture = Path(os.environ.get("LPSUITE_TEST_PICTURES", tmp_path)) / "nuke-panel.png"
    done = subprocess.run(
        [python, "-c", SCRIPT, tmp_path / "lpsuite", plate, home, picture],
        env={**worker.environment, "PYTHONPATH": str(ROOT / "tests" / "fakes"), "QT_QPA_PLATFORM": "offscreen",
             "LPFAKE_PYTHON": sys.executable, "QT_QPA_PLATFORM_PLUGIN_PATH": ""},
        cwd="/", capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["binding"] in ("PySide6.QtCore", "PySide2.QtCore")
    assert told["messages"] == []
    assert told["labels"] == ["Render", "Cancel", "Start worker"]
    assert told["rows"][0] == ["LivePortrait1", "up to date"]
    assert any(row[1] == "done" and row[0].endswith("result.%04d.exr") for row in told["rows"][1:])
    assert told["worker"].startswith("Worker at http://127.0.0.1:")
    assert picture.stat().st_size > 1000
