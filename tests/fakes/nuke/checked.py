"""Holds every call against the signature table, and remembers which were made."""

import functools
import inspect
import threading

from .signatures import SIGNATURES

CALLS = set()
"""Names of the calls made so far."""


class NotInTable(AttributeError):
    """A call that no document describes."""


def signature(name):
    """The call's parameters; NotInTable where the table lacks it."""
    if name not in SIGNATURES:
        raise NotInTable(f"{name} is not in tests/fakes/nuke/signatures.py")
    text = SIGNATURES[name][0] or ""
    names, star = [], False
    before = [] if "/" not in text else text.split("/")[0].rstrip(", ").split(", ")
    kind = inspect.Parameter
    for part in [part for part in text.replace("/", "").split(", ") if part.strip(", ")]:
        part = part.strip(", ")
        if part.startswith("**"):
            names.append(kind(part[2:], kind.VAR_KEYWORD))
            star = True
            continue
        word, _, default = part.partition("=")
        how = kind.POSITIONAL_ONLY if part in before else kind.POSITIONAL_OR_KEYWORD
        names.append(kind(word, how, default=default if default else kind.empty))
    assert names or star or not text.strip("/ ,"), name
    return inspect.Signature(names)


def call(name, from_any_thread=False):
    """A decorator: arguments are bound as the table says; nodes are touched in the main thread alone."""
    told = signature(name)

    def decorate(function):
        @functools.wraps(function)
        def checked(self, *args, **kwargs):
            told.bind(*args, **kwargs)
            if not from_any_thread and threading.current_thread() is not threading.main_thread():
                raise AssertionError(f"{name} was called outside the main thread")
            CALLS.add(name)
            return function(self, *args, **kwargs)

        return checked

    return decorate


class Closed:
    """A thing of Nuke's whose calls are those of the table and no others."""

    def __getattr__(self, name):
        raise NotInTable(f"{type(self).__name__}.{name} is not in tests/fakes/nuke/signatures.py")
