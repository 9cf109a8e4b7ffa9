"""A double of the module ``nuke``: a script's graph, knobs and renders, answering only calls of the signature table.

Written for Python 3.7, standard library alone; images are written by ``picture.py``, in this process where it has
OpenImageIO, else by the Python that LPFAKE_PYTHON names.
"""

from .graph import (
    EXPRESSIONS,
    HIDDEN_INPUTS,
    INPUTS,
    TO_SCRIPT,
    WRITE_NON_DEFAULT_ONLY,
    GraphDouble,
    ProgressTask,
    Undo,
)

double = GraphDouble()
"""The state; tests read and set it, code under test never does."""
_CONSTANTS = {
    "INPUTS": INPUTS,
    "HIDDEN_INPUTS": HIDDEN_INPUTS,
    "EXPRESSIONS": EXPRESSIONS,
    "TO_SCRIPT": TO_SCRIPT,
    "WRITE_NON_DEFAULT_ONLY": WRITE_NON_DEFAULT_ONLY,
    "Undo": Undo,
    "ProgressTask": ProgressTask,
}
del INPUTS, HIDDEN_INPUTS, EXPRESSIONS, TO_SCRIPT, WRITE_NON_DEFAULT_ONLY, Undo, ProgressTask


def __getattr__(name):
    return double.module_attribute(name, _CONSTANTS)
