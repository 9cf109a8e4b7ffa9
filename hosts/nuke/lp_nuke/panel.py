"""A dockable panel: the worker, its jobs, and the LivePortrait nodes of the script. Qt is imported on use only."""

import threading
from importlib import import_module
from pathlib import Path
from typing import Any, List, Optional, Tuple

import nuke

from lp_core.errors import LpError
from lp_core.link.client import Client
from lp_core.link.follow import words

from . import node_state
from . import render as rendering

NAME = "LP Suite"
ID = "lpsuite.panel"
REFRESH_MS = 1000
SHOWN_JOBS = 20
FIRST_COLUMN_PX = 280

PanelRow = Tuple[str, str, str]
Answer = Tuple[str, List[PanelRow]]
"""Words about the worker, and its jobs."""


def qt() -> Tuple[Any, Any]:
    """(QtCore, QtWidgets) of the binding that this Nuke has: PySide6 from 16 on, PySide2 before.

    Raises:
        ImportError: it has neither.
    """
    try:
        return import_module("PySide6.QtCore"), import_module("PySide6.QtWidgets")
    except ImportError:
        return import_module("PySide2.QtCore"), import_module("PySide2.QtWidgets")


def register() -> None:
    """Adds the panel to Nuke's list of panels."""
    import nukescripts

    nukescripts.panels.registerWidgetAsPanel(__name__ + ".make", NAME, ID)


def ask_worker() -> Answer:
    """What the worker is doing; may take as long as the worker does."""
    try:
        client = Client.running()
        rows = [] if client is None else job_rows(client)
    except LpError as error:
        return str(error), []
    return (
        "No worker runs; a render starts one." if client is None else f"Worker at {client.address.url}",
        rows,
    )


def job_rows(client: Client) -> List[PanelRow]:
    """(end of the output's path, state, how far or what went wrong) of the newest jobs."""
    rows = []
    for job in client.jobs(limit=SHOWN_JOBS):
        told = "" if job.progress is None or job.has_ended else words(job.progress)
        name = "/".join(Path(job.output).parts[-3:])
        rows.append((name, job.state, told if job.error is None else job.error.message))
    return rows


def node_rows() -> List[Tuple[str, str]]:
    """(name, status) of the LivePortrait nodes of the script."""
    return sorted((node.fullName(), str(node["status"].value())) for node in node_state.all_nodes())


def make() -> Any:  # noqa: ANN401 - a QWidget of either binding
    """The panel's widget; Nuke calls this when the panel is opened."""
    core, widgets = qt()
    widget = widgets.QWidget()
    layout = widgets.QVBoxLayout(widget)
    worker = widgets.QLabel("looking for the worker")
    worker.setWordWrap(True)
    node_table = _table(widgets, ("node", "status"))
    job_table = _table(widgets, ("job", "state", "progress"))
    row = widgets.QHBoxLayout()
    view = View(worker, node_table, job_table, widgets)
    for label, action in (("Render", view.render), ("Cancel", view.cancel), ("Start worker", view.start)):
        button = widgets.QPushButton(label)
        button.clicked.connect(action)
        row.addWidget(button)
    for item in (worker, node_table):
        layout.addWidget(item)
    layout.addLayout(row)
    layout.addWidget(job_table)
    widget.lp_view = view  # Qt's bindings hold bound methods weakly: without it the buttons would do nothing
    timer = core.QTimer(widget)
    timer.timeout.connect(view.refresh)
    timer.start(REFRESH_MS)
    view.refresh()
    return widget


def _table(widgets: Any, heads: Tuple[str, ...]) -> Any:  # noqa: ANN401 - of either binding
    table = widgets.QTableWidget(0, len(heads))
    table.setHorizontalHeaderLabels(list(heads))
    table.verticalHeader().setVisible(False)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().resizeSection(0, FIRST_COLUMN_PX)
    table.setSelectionBehavior(widgets.QAbstractItemView.SelectRows)
    table.setEditTriggers(widgets.QAbstractItemView.NoEditTriggers)
    return table


class View:
    """Fills the panel's widgets and does what its buttons say; anyone who asks the worker does so in a thread."""

    def __init__(self, worker: Any, node_table: Any, job_table: Any, widgets: Any) -> None:  # noqa: ANN401
        self._worker, self._nodes, self._jobs, self._widgets = worker, node_table, job_table, widgets
        self._asking: Optional[threading.Thread] = None
        self._answer: Answer = ("", [])

    def refresh(self) -> None:
        """Shows how things stand: the script's nodes now, the worker by its last answer."""
        self._fill(self._nodes, node_rows())
        if self._asking is not None and self._asking.is_alive():
            return
        told, rows = self._answer
        if told:
            self._worker.setText(told)
        self._fill(self._jobs, rows)
        self._asking = threading.Thread(target=self._ask, name="lp-nuke-panel", daemon=True)
        self._asking.start()

    def render(self) -> None:
        """Renders the chosen nodes."""
        for name in self._chosen():
            self._act(lambda name=name: rendering.render(node_state.find(name)))

    def cancel(self) -> None:
        """Stops the chosen nodes' jobs."""
        for name in self._chosen():
            self._act(lambda name=name: rendering.cancel(node_state.find(name)))

    def start(self) -> None:
        """Starts the worker."""
        threading.Thread(target=_start, name="lp-nuke-start", daemon=True).start()

    def _ask(self) -> None:
        self._answer = ask_worker()

    def _act(self, action: Any) -> None:  # noqa: ANN401 - a function
        try:
            action()
        except LpError as error:
            nuke.message(str(error))
        self.refresh()

    def _chosen(self) -> List[str]:
        rows = sorted({item.row() for item in self._nodes.selectedItems()})
        return [self._nodes.item(row, 0).text() for row in rows]

    def _fill(self, table: Any, rows: Any) -> None:  # noqa: ANN401 - a QTableWidget, rows of texts
        table.setRowCount(len(rows))
        for y, row in enumerate(rows):
            for x, text in enumerate(row):
                item = table.item(y, x)
                if item is None:
                    item = self._widgets.QTableWidgetItem()
                    table.setItem(y, x, item)
                if item.text() != text:
                    item.setText(text)


def _start() -> None:
    try:
        Client.connect()
    except LpError as error:
        nuke.executeInMainThread(nuke.message, (str(error),))
