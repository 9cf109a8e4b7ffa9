"""The error tree: codes are unique and the drawing in the module's head is the truth."""

import re

import pytest

from lp_core import errors

CLASSES = [
    item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, errors.LpError)
]


def drawn():
    """(depth, class name, exit code, wire code) of every line of the drawing."""
    lines = re.findall(r"^    ([| +-]*)(\w+) +(\d+)   (\w+)$", errors.__doc__, re.MULTILINE)
    return [(len(branch) // 4, name, int(code), word) for branch, name, code, word in lines]


def test_the_drawing_names_every_class_with_its_codes():
    assert {name: (code, word) for _, name, code, word in drawn()} == {
        item.__name__: (item.exit_code, item.wire_code) for item in CLASSES
    }


def test_the_drawing_shows_who_derives_from_whom():
    above = []
    for depth, name, _, _ in drawn():
        del above[depth:]
        if above:
            assert getattr(errors, name).__bases__[0].__name__ == above[-1]
        above.append(name)


@pytest.mark.parametrize("code", ["exit_code", "wire_code"])
def test_codes_are_each_classes_own(code):
    codes = [vars(item)[code] for item in CLASSES]
    assert len(set(codes)) == len(codes)


def test_exit_codes_fit_a_process_and_say_failure():
    assert all(0 < item.exit_code < 256 for item in CLASSES)


@pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.__name__)
def test_every_class_says_what_it_is(item):
    assert item.__doc__.endswith(".")
    assert str(item("One sentence.")) == "One sentence."
