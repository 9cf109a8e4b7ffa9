"""Small things of Nuke's that are not nodes."""

from .checked import CALLS, Closed, call


class FrameRange(Closed):
    def __init__(self, first, last):
        self._first, self._last = first, last

    @call("FrameRange.first")
    def first(self):
        return self._first

    @call("FrameRange.last")
    def last(self):
        return self._last


class Undo(Closed):
    """Counts how deep recording is off."""

    depth = 0

    @call("Undo.disable")
    def disable(self):
        Undo.depth += 1

    @call("Undo.enable")
    def enable(self):
        Undo.depth -= 1
        assert Undo.depth >= 0


class ProgressTask(Closed):
    """Keeps what it was given; may be used from any thread."""

    made = []
    cancel_at = None

    def __init__(self, name):
        CALLS.add("nuke.ProgressTask")
        self._title, self._told, self._is_open = name, [], True
        ProgressTask.made.append(self)

    @call("ProgressTask.setProgress", from_any_thread=True)
    def setProgress(self, i):
        assert isinstance(i, int) and 0 <= i <= 100
        self._told.append(i)

    @call("ProgressTask.setMessage", from_any_thread=True)
    def setMessage(self, s):
        assert isinstance(s, str)
        self._told.append(s)

    @call("ProgressTask.isCancelled", from_any_thread=True)
    def isCancelled(self):
        return ProgressTask.cancel_at is not None and len(self._told) >= ProgressTask.cancel_at


class Menu(Closed):
    """Keeps what was added."""

    def __init__(self, rows):
        self._rows = rows

    @call("Menu.addMenu")
    def addMenu(self, name, icon=None, tooltip=None, index=None):
        self._rows.append((name, None, icon))
        return Menu(self._rows)

    @call("Menu.addCommand")
    def addCommand(
        self, name, command=None, shortcut=None, icon=None, tooltip=None, index=None, readonly=False
    ):
        self._rows.append((name, command, icon))


class Env17(Closed):
    """From 16 on: can be asked, but neither iterated nor taken for a dict."""

    def __init__(self, values):
        self._values = values

    @call("env.get")
    def get(self, key, default=None):
        return self._values.get(key, default)
