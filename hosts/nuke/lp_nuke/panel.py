"""A dockable panel: the worker, its jobs, and the LivePortrait nodes of the script. Qt is imported on use only."""

from typing import Any, List, Tuple

import nuke

from lp_core.errors import LpError
from lp_core.link.client import Client

from . import nodes
from . import render as rendering
from .follow import words

NAME = "LP Suite"
ID = "lpsuite.panel"
REFRESH_MS = 1000
SHOWN_JOBS = 20


def qt() -> Tuple[Any, Any]:
    """(QtCore, QtWidgets) of the binding that this Nuke has: PySide6 from 16 on, PySide2 before.

    Raises:
        ImportError: it has neither.
    """
    try:
        from PySide6 import QtCore, QtWidgets
    except ImportError:
        from PySide2 import QtCore, QtWidgets
    return QtCore, QtWidgets


def register() -> None:
    """Adds the panel to Nuke's list of panels."""
    import nukescripts

    nukescripts.panels.registerWidgetAsPanel(__name__ + ".make", NAME, ID)


def job_rows(client: Any) -> List[Tuple[str, str, str]]:  # noqa: ANN401 - a Client
    """(output, state, how far or what went wrong) of the newest jobs."""
    rows = []
    for job in client.jobs(limit=SHOWN_JOBS):
        told = "" if job.progress is None or job.has_ended else words(job.progress)
        rows.append((job.output, job.state, told if job.error is None else job.error.message))
    return rows


def node_rows() -> List[Tuple[str, str]]:
    """(name, status) of the LivePortrait nodes at the top of the script."""
    groups = [node for node in nuke.allNodes("Group") if node.knob("lp_version") is not None]
    return sorted((node.fullName(), str(node["status"].value())) for node in groups)


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
    table.setSelectionBehavior(widgets.QAbstractItemView.SelectRows)
    table.setEditTriggers(widgets.QAbstractItemView.NoEditTriggers)
    return table


class View:
    """Fills the panel's widgets and does what its buttons say."""

    def __init__(self, worker: Any, node_table: Any, job_table: Any, widgets: Any) -> None:  # noqa: ANN401
        self._worker, self._nodes, self._jobs, self._widgets = worker, node_table, job_table, widgets

    def refresh(self) -> None:
        """Shows how things stand now."""
        self._fill(self._nodes, node_rows())
        try:
            client = Client.running()
            rows = [] if client is None else job_rows(client)
        except LpError as error:
            self._worker.setText(str(error))
            return
        told = "No worker runs; a render starts one." if client is None else f"Worker at {client.address.url}"
        self._worker.setText(told)
        self._fill(self._jobs, rows)

    def render(self) -> None:
        """Renders the chosen nodes."""
        for name in self._chosen():
            self._act(lambda name=name: rendering.render(nodes.find(name)))

    def cancel(self) -> None:
        """Stops the chosen nodes' jobs."""
        for name in self._chosen():
            self._act(lambda name=name: rendering.cancel(nodes.find(name)))

    def start(self) -> None:
        """Starts the worker."""
        self._act(Client.connect)

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
