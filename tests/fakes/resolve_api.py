"""What every object of Resolve's double is: recorded, and silent where Resolve is."""

import functools
import itertools

IDS = itertools.count(1)


def api(method):
    """A call of the API: recorded, and silent while a modal of Resolve's own is open."""

    @functools.wraps(method)
    def call(self, *arguments):
        self.host.calls.append(f"{type(self).__name__}.{method.__name__}")
        if self.host.modal:
            return None
        return method(self, *arguments)

    return call


class Api:
    """An object of the API; asked for an unknown name it gives something, as Resolve does, which fails when called."""

    def __init__(self, host):
        self.host = host
        self.uid = f"id-{next(IDS)}"

    def __getattr__(self, name):
        if name.startswith("__") or name in ("host", "uid"):
            raise AttributeError(name)

        def unknown(*arguments):
            raise AssertionError(f"Resolve has no {type(self).__name__}.{name}{arguments}")

        return unknown
