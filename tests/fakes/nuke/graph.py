"""Nodes, knobs and what the module does with them."""

import queue
from pathlib import Path

from . import picture
from .checked import CALLS, Closed, NotInTable, call
from .knob import Knob
from .script import nodes_of, record
from .signatures import KNOBS, SIGNATURES
from .things import Env17, FrameRange, Menu, ProgressTask, Undo

EXPRESSIONS, INPUTS, HIDDEN_INPUTS = 1, 2, 4
TO_SCRIPT, WRITE_NON_DEFAULT_ONLY = 1, 16
ROOT_VALUES = {
    "project_directory": "",
    "name": "", "fps": 24.0, "proxy": False, "first_frame": 1, "last_frame": 100, "colorManagement": "Nuke",
    "customOCIOConfigPath": "", "OCIOConfigPath": "", "workingSpaceLUT": "linear",
}  # fmt: skip
READ_VALUES = {"frame_mode": "expression", "frame": "", "raw": False, "colorspace": "default (linear)",
               "premultiplied": False, "first": 1, "last": 1}  # fmt: skip


class Node(Closed):
    """A node; ``_`` names are the double's own."""

    def __init__(self, double, kind, group=None):
        self._double, self._kind, self._group, self._inputs, self._knobs = double, kind, group, [], {}
        self._links = []  # nodes that its expressions refer to
        names = "{} {}".format(KNOBS["*"], KNOBS[kind]).split()
        for name in names:
            self._knobs[name] = Knob(self, name)
        defaults = {"Root": ROOT_VALUES, "Read": READ_VALUES}.get(kind, {})
        for name, value in defaults.items():
            if name in self._knobs:
                self._knobs[name]._set(value)
        self._knobs["disable"]._set(False)

    def _name(self):
        return self._knobs["name"]._value

    def _full(self):
        return self._name() if self._group is None else self._group._full() + "." + self._name()

    @call("Node.Class")
    def Class(self):
        return self._kind

    @call("Node.name")
    def name(self):
        return self._name()

    @call("Node.fullName")
    def fullName(self):
        return self._full()

    @call("Node.parent")
    def parent(self):
        return self._group or self._double.root_node

    @call("Node.input")
    def input(self, i):
        return self._inputs[i] if i < len(self._inputs) else None

    @call("Node.setInput")
    def setInput(self, i, node):
        self._connect(i, node)
        return True

    def _connect(self, i, node):
        self._inputs += [None] * (i + 1 - len(self._inputs))
        self._inputs[i] = node

    @call("Node.dependencies")
    def dependencies(self, what=0):
        linked = self._links if what & EXPRESSIONS else []
        return [node for node in self._inputs if node is not None] + linked

    @call("Node.opHashes")
    def opHashes(self):
        """Of all that feeds it, at the current frame: Dots and NoOps have none."""
        if self._kind in ("Dot", "NoOp"):
            return []
        words = [
            self._kind,
            sorted((name, str(knob._at(self._double.current_frame))) for name, knob in self._knobs.items()),
        ]
        return [hash(str([words, [node.opHashes() for node in self._inputs if node is not None]]))]

    @call("Node.__getitem__")
    def __getitem__(self, key):
        if key not in self._knobs:
            raise NameError(f"knob {key} does not exist")  # as Nuke says it
        return self._knobs[key]

    @call("Node.knob")
    def knob(self, p, follow_link=None):
        return self._knobs.get(p)

    @call("Node.writeKnobs")
    def writeKnobs(self, i):
        assert i == TO_SCRIPT | WRITE_NON_DEFAULT_ONLY
        return "\n".join(f"{name} {knob._script()}" for name, knob in sorted(self._knobs.items()))

    @call("Node.width")
    def width(self):
        return picture.size(self)[0]

    @call("Node.height")
    def height(self):
        return picture.size(self)[1]

    @call("Node.frameRange")
    def frameRange(self):
        reading = picture.reading(self)
        return FrameRange(int(reading._knobs["first"]._value), int(reading._knobs["last"]._value))


class Group(Node):
    """A group with nodes inside."""

    def __init__(self, double, kind="Group", group=None):
        Node.__init__(self, double, kind, group)
        self._children = []

    @call("Group.node")
    def node(self, s):
        return next((child for child in self._children if child._name() == s), None)

    @call("Group.nodes")
    def nodes(self):
        return list(self._children)

    @call("Group.__enter__")
    def __enter__(self):
        self._double.inside.append(self)
        return self

    @call("Group.__exit__")
    def __exit__(self, kind, error, trace):
        self._double.inside.pop()


class Nodes(Closed):
    """nuke.nodes."""

    def __init__(self, double):
        self._double = double

    @call("Nodes.Write")
    def Write(self, **knobs):
        node = self._double.make("Write", self._double.inside[-1] if self._double.inside else None)
        for i, source in enumerate(knobs.pop("inputs", [])):
            node._connect(i, source)
        for name, value in knobs.items():
            node._knobs[name]._set(value)  # a KeyError here is a misspelt knob
        return node


class GraphDouble:
    """The whole of Nuke that a test sees."""

    def __init__(self):
        self.reset()

    def reset(self, style="17", gui=True, folders=()):
        """A new session with an empty script.

        Args:
            style: "13" or "17".
            gui: whether there is a window.
            folders: the plugin path.
        """
        self.style, self.gui, self.folders = style, gui, list(folders)
        self.nodes, self.inside, self.messages, self.executed, self.menus = [], [], [], [], []
        self.inputs = []  # answers of the user to dialogs
        self.recorded = []  # knobs set by Python that a step of undo would set back
        self.view_names, self.filters = ["main"], []
        self.before_render = []  # (function, class of node)
        self.jobs, self.current_frame, self.this_node, self.this_knob, self.cancels = (
            queue.Queue(),
            1,
            None,
            None,
            0,
        )
        self.root_node = Node(self, "Root")
        wrong = "OCIO_config" if style == "13" else "OCIOConfig"
        del self.root_node._knobs[wrong]
        ProgressTask.made, ProgressTask.cancel_at, Undo.depth = [], None, 0
        CALLS.clear()

    def module_attribute(self, name, constants):
        """What ``nuke.name`` is."""
        if name.startswith("__"):
            raise AttributeError(name)
        if "nuke." + name not in SIGNATURES:
            raise NotInTable(f"nuke.{name} is not in tests/fakes/nuke/signatures.py")
        if name in constants:
            return constants[name]
        if name == "GUI":
            return self.gui
        if name == "nodes":
            return Nodes(self)
        if name == "env":
            values = {"NukeVersionMajor": int(self.style), "gui": self.gui, "nc": False, "indie": False}
            return values if self.style == "13" else Env17(values)
        return getattr(self, name)

    def make(self, kind, group=None, name=None):
        """A new node in a group or at the top."""
        node = (Group if kind in ("Group", "LiveGroup") else Node)(self, kind, group)
        siblings = self.nodes if group is None else group._children
        siblings.append(node)
        node._knobs["name"]._set(name or kind + str(len(siblings)))
        return node

    def read_script(self, path):
        """Adds a script's nodes; returns those at the top."""
        return self._add(nodes_of(record(path)), None)

    def _add(self, reads, group):
        made = {}
        for read in reads:
            node = self.root_node if read.kind == "Root" else self.make(read.kind, group)
            made[id(read)] = node
            for user in read.user_knobs:
                node._knobs[user.name] = Knob(node, user.name, user)
            for name, value in read.values.items():
                if name != "inputs":
                    node._knobs[name]._from_script(value)
            for i, source in enumerate(read.inputs):
                if source is not None:
                    node._connect(i, made[id(source)])
            if read.children:
                self._add(read.children, node)
        return list(made.values())

    def paste(self, node):
        """A copy of a group with all its knobs and inner nodes, connected as the first, under a free name."""
        made = self.make("Group")
        made._inputs = list(node._inputs)
        for source, target in [(node, made)] + [(child, None) for child in node._children]:
            if target is None:
                target = self.make(source._kind, made, source._name())
            for name, knob in source._knobs.items():
                target._knobs[name] = Knob(target, name, knob._user)
                target._knobs[name]._keys = dict(knob._keys)
                target._knobs[name]._value = knob._value
        made._knobs["name"]._set("{}{}".format(node._name().rstrip("0123456789"), len(self.nodes)))
        inner = dict(zip(map(id, node._children), made._children))
        for source, target in zip(node._children, made._children):
            target._inputs = [inner.get(id(other)) for other in source._inputs]
        return made

    def run_main_thread(self, until, timeout_s=60):
        """Does what threads have asked the main thread for, until a function says so."""
        while not until():
            function, args, kwargs = self.jobs.get(timeout=timeout_s)
            function(*args, **kwargs)

    @call("nuke.allNodes")
    def allNodes(self, filter=None, group=None, recurseGroups=False):
        at_top = self.nodes if group in (None, self.root_node) else group._children
        return [node for node in self._below(at_top, recurseGroups) if filter in (None, node._kind)]

    def _below(self, nodes, is_deep=True):
        for node in nodes:
            yield node
            if is_deep:
                yield from self._below(getattr(node, "_children", ()))

    @call("nuke.addBeforeRender")
    def addBeforeRender(self, call, args=(), kwargs=None, nodeClass="Write"):
        self.before_render.append((call, nodeClass))

    @call("nuke.createNode")
    def createNode(self, node, args=None, inpanel=None):
        named = [Path(folder) / (node + ".gizmo") for folder in self.folders]
        path = next(path for path in named if path.exists())
        made = self.read_script(path)[0]
        taken = {other._name() for other in self.nodes if other is not made}
        number = next(n for n in range(1, 1000) if f"{node}{n}" not in taken)
        made._knobs["name"]._set(f"{node}{number}")
        return made

    @call("nuke.delete")
    def delete(self, n):
        (self.nodes if n._group is None else n._group._children).remove(n)

    @call("nuke.toNode")
    def toNode(self, s):
        return next((node for node in self._below(self.nodes) if node._full() == s), None)

    @call("nuke.root")
    def root(self):
        return self.root_node

    @call("nuke.views")
    def views(self):
        return list(self.view_names)

    @call("nuke.filename")
    def filename(self, node, i=None):
        found = node._knobs["file"]._value
        for change in self.filters:
            found = change(found)
        return found or None

    @call("nuke.frame")
    def frame(self, f=None):
        return self.current_frame

    @call("nuke.thisNode")
    def thisNode(self):
        return self.this_node

    @call("nuke.thisKnob")
    def thisKnob(self):
        return self.this_knob

    @call("nuke.message")
    def message(self, prompt):
        assert self.gui, "a dialog without a window"
        self.messages.append(prompt)

    @call("nuke.getInput")
    def getInput(self, prompt, default=""):
        assert self.gui, "a dialog without a window"
        return self.inputs.pop(0)

    @call("nuke.menu")
    def menu(self, name):
        assert name in ("Nuke", "Nodes", "Pane")
        return Menu(self.menus)

    @call("nuke.pluginAddPath")
    def pluginAddPath(self, args, addToSysPath=True):
        self.folders.insert(0, args)

    @call("nuke.scriptOpen")
    def scriptOpen(self, file):
        self.read_script(file)
        self.root_node._knobs["name"]._set(file)

    @call("nuke.executeInMainThread", from_any_thread=True)
    def executeInMainThread(self, call, args=(), kwargs=None):
        self.jobs.put((call, args if isinstance(args, tuple) else (args,), kwargs or {}))

    @call("nuke.execute")
    def execute(self, nameOrNode, start=None, end=None, incr=None, views=None, continueOnError=False):
        assert Undo.depth > 0, "a render that undo would record"
        assert len(views) == 1 and views[0] in self.view_names, "without views every view is rendered"
        node = nameOrNode
        here, self.this_node = self.this_node, node
        try:
            for function, kind in self.before_render:
                if kind == node._kind:
                    function()  # what it raises ends the render
        finally:
            self.this_node = here
        for number in range(start, end + 1, incr):
            if self.cancels and len(self.executed) >= max(self.cancels, 0):
                picture.cut_off(node, number)
                raise RuntimeError("Cancelled")
            picture.write(node, number, views[0])
            self.executed.append((Path(node._knobs["file"]._value).name, number))
