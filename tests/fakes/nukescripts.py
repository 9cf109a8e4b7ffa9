"""A double of the module ``nukescripts``, as far as the host's code uses it."""

from types import SimpleNamespace

registered = []
"""What was registered as panels."""


def _register(widget, name, id, create=False):  # noqa: A002 - its own word
    registered.append((widget, name, id))


panels = SimpleNamespace(registerWidgetAsPanel=_register)
