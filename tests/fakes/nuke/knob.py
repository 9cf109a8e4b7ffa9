"""Knobs: values as Nuke hands them to Python, curves with straight lines between keys."""

import re

from .checked import Closed, call
from .things import Undo

INTEGER, CHOICE, SWITCH, DOUBLE, XY = 3, 4, 6, 7, 12
NEUTRAL = {INTEGER: 0, SWITCH: False, DOUBLE: 0.0, XY: (0.0, 0.0)}


class Knob(Closed):
    """A knob; user knobs know their type."""

    def __init__(self, node, name, user=None):
        self._node, self._knob_name, self._user, self._keys = node, name, user, {}
        self._executed = 0
        self._expression = None  # a function of the time
        kind = user.kind if user is not None else None
        self._value = NEUTRAL.get(kind, "")
        if kind == CHOICE:
            self._value = user.marks["M"][0]

    def _set(self, value):
        kind = self._user.kind if self._user is not None else None
        if kind == CHOICE and value not in self._user.marks["M"]:
            raise AssertionError(f"{self._knob_name} has no choice {value}")
        if kind == INTEGER:
            value = int(value)
        if kind == DOUBLE:
            value = float(value)
        self._value = value

    def _from_script(self, text):
        kind = self._user.kind if self._user is not None else None
        keys = re.match(r"\{curve (.*)\}$", text)
        if keys:
            for time, value in re.findall(r"x(\S+) (\S+)", keys.group(1)):
                self._keys[float(time)] = float(value)
        elif kind == SWITCH or text in ("true", "false"):
            self._value = text == "true"
        elif kind == XY:
            self._value = tuple(float(part) for part in text.split())
        elif kind in (INTEGER, DOUBLE):
            self._set(float(text))
        elif kind is None and re.match(r"-?\d+$", text) and self._knob_name != "label":
            self._value = int(text)
        else:
            self._set(text)

    def _script(self):
        return f"{self._value} {sorted(self._keys.items())}"

    def _at(self, time):
        if self._expression is not None:
            return self._expression(time)
        if not self._keys:
            return self._value
        times = sorted(self._keys)
        if time <= times[0]:
            return self._keys[times[0]]
        for before, after in zip(times, times[1:]):
            if time <= after:
                part = (time - before) / (after - before)
                return self._keys[before] + part * (self._keys[after] - self._keys[before])
        return self._keys[times[-1]]

    @call("Knob.name")
    def name(self):
        return self._knob_name

    @call("Knob.value")
    def value(self):
        return self._at(self._node._double.current_frame)

    @call("Knob.getValueAt")
    def getValueAt(self, time):
        return self._at(time)

    @call("Knob.getEvaluatedValue")
    def getEvaluatedValue(self):
        return self._value

    @call("Knob.setValue")
    def setValue(self, value):
        if Undo.depth == 0:
            self._node._double.recorded.append(self._knob_name)
        self._set(value)
        return True

    @call("Knob.hasExpression")
    def hasExpression(self, index=-1):
        is_written = isinstance(self._value, str) and self._value.startswith("{") and self._user is None
        return self._expression is not None or is_written

    @call("Knob.isAnimated")
    def isAnimated(self):
        return bool(self._keys)

    @call("Knob.clearAnimated")
    def clearAnimated(self):
        self._keys = {}
        return True

    @call("Knob.execute")
    def execute(self):
        self._executed += 1
