"""A script's commands, read by a real tclsh, as nodes with inputs."""

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TCLSH = shutil.which("tclsh")


def record(path):
    """The commands of a script: lists whose first item is node, push, set, end_group, version or add_layer."""
    done = subprocess.run([TCLSH, str(HERE / "record.tcl"), str(path)], capture_output=True)
    if done.returncode:
        raise ValueError(f"{path}: {done.stderr.decode()}")
    return json.loads(done.stdout.decode("utf-8"))


class Read:
    """A node as the script has it."""

    def __init__(self, kind, pairs, inputs):
        self.kind, self.pairs, self.inputs, self.children = kind, pairs, inputs, []

    @property
    def values(self):
        return {name: value for name, value in self.pairs if name != "addUserKnob"}

    @property
    def user_knobs(self):
        return [UserKnob(value) for name, value in self.pairs if name == "addUserKnob"]


class UserKnob:
    """One addUserKnob."""

    def __init__(self, items):
        self.kind, self.name = int(items[0]), items[1]
        rest, self.marks, self.flags = list(items[2:]), {}, []
        while rest:
            word = rest.pop(0)
            if word[0] in "+-" and word[1:].isupper():
                self.flags.append(word)
            elif word == "R":
                self.marks["R"] = (float(rest.pop(0)), float(rest.pop(0)))
            else:
                self.marks[word] = rest.pop(0)


def nodes_of(records):
    """The nodes at the top of a script, groups with their children; raises ValueError where groups do not balance."""
    top, stack, named, outer = [], [], {}, []
    nodes = top
    for record_ in records:
        what = record_[0]
        if what == "node":
            values = {name: value for name, value in record_[2] if name != "addUserKnob"}
            count = int(values.get("inputs", "1")) if record_[1] != "Root" else 0
            inputs = [stack.pop() if stack else None for _ in range(count)]
            made = Read(record_[1], record_[2], inputs)
            nodes.append(made)
            if made.kind == "Group":
                outer.append((nodes, stack, made))
                nodes, stack = made.children, []
            elif made.kind not in ("Root", "Viewer"):
                stack.append(made)
        elif what == "end_group":
            if not outer:
                raise ValueError("end_group without a group")
            nodes, stack, made = outer.pop()
            stack.append(made)
        elif what == "set":
            named[record_[1]] = stack[-1]
        elif what == "push":
            stack.append(None if record_[1] == "0" else named[record_[1].lstrip("$")])
    if outer:
        raise ValueError("a group does not end")
    return top
