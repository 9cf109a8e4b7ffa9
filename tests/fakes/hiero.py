"""Hiero's timeline as far as marks need it: clips with tags, the context menu's event, undo.

Names after the published OTIO exporter of Hiero (apetrynet/hiero-otio, MIT) and Foundry's Hiero Python guide.
"""

import contextlib
from types import SimpleNamespace


class Tag:
    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name

    def note(self):
        return ""


class TrackItem:
    MediaType = SimpleNamespace(kVideo="video", kAudio="audio")

    def __init__(self, name, kind="video"):
        self._name, self._kind, self._tags, self.undone = name, kind, [], []

    def name(self):
        return self._name

    def mediaType(self):
        return self._kind

    def tags(self):
        return tuple(self._tags)

    def addTag(self, tag):
        self._tags.append(tag)

    def removeTag(self, tag):
        self._tags.remove(tag)

    def project(self):
        @contextlib.contextmanager
        def undo(words):
            self.undone.append(words)
            yield

        return SimpleNamespace(beginUndo=undo)


class Menu:
    def __init__(self):
        self.entries = {}

    def addAction(self, words, act):
        self.entries[words] = act


class Events:
    def __init__(self):
        self.heard = {}

    def registerInterest(self, kind, hear):
        self.heard[kind] = hear


def module():
    """The module ``hiero.core``, freshly made."""
    return SimpleNamespace(Tag=Tag, TrackItem=TrackItem, events=Events())


def event(*items):
    """A right click on a timeline with these clips selected."""
    return SimpleNamespace(sender=SimpleNamespace(selection=lambda: items), menu=Menu())
