"""UIManager as scripts see it: elements, events, a loop that plays what a test plans; None on the free edition."""

from fakes.resolve_api import Api

ELEMENTS = {
    "VGroup", "HGroup", "Label", "LineEdit", "Button", "CheckBox", "ComboBox", "Slider", "SpinBox", "Tree", "TextEdit",
    "TabBar", "Stack", "Timer",
}  # fmt: skip
PROPERTIES = {"Text", "Value", "Checked", "CurrentIndex", "Enabled"}


class Element:
    def __init__(self, kind, arguments):
        self.__dict__["kind"] = kind
        self.__dict__["about"], self.__dict__["children"] = {}, []
        for argument in arguments:
            if isinstance(argument, dict):
                self.about.update(argument)
            else:
                self.children.extend(argument)
        self.__dict__["choices"], self.__dict__["tabs"], self.__dict__["is_running"] = [], [], False

    def __getattr__(self, name):
        if name in PROPERTIES:
            return self.about.get(name, 0 if name in ("Value", "CurrentIndex") else "")
        raise AssertionError(f"the element {self.kind} has no {name}")

    def __setattr__(self, name, value):
        assert name in PROPERTIES, f"the element {self.kind} has no {name}"
        self.about[name] = value

    def AddItems(self, choices):
        assert self.kind == "ComboBox"
        self.choices.extend(choices)

    def AddTab(self, title):
        assert self.kind == "TabBar"
        self.tabs.append(title)

    def Start(self):
        assert self.kind == "Timer"
        self.__dict__["is_running"] = True

    def Stop(self):
        self.__dict__["is_running"] = False

    def all(self):
        yield self
        for child in self.children:
            yield from child.all()


class UIManager:
    def __getattr__(self, name):
        assert name in ELEMENTS, f"UIManager has no {name}"
        return lambda *arguments: Element(name, arguments)


class Handlers:
    """``window.On.Name.Event = function``; names may be written as attributes or in brackets."""

    def __init__(self):
        self.__dict__["found"] = {}

    def __getattr__(self, name):
        return self.found.setdefault(name, Handlers())

    __getitem__ = __getattr__

    def __setattr__(self, name, value):
        self.found[name] = value

    def call(self, *names, event=None):
        found = self
        for name in names:
            found = found.found[name]
        found(event or {})


class Window:
    def __init__(self, about, children):
        self.about, self.root, self.On = about, Element("VGroup", [children]), Handlers()
        self.is_shown = False

    def GetItems(self):
        return {element.about["ID"]: element for element in self.root.all() if "ID" in element.about}

    def Show(self):
        self.is_shown = True

    def Hide(self):
        self.is_shown = False


class Dispatcher:
    def __init__(self, bmd, ui):
        assert isinstance(ui, UIManager)
        self.bmd, self.On, self.is_left = bmd, Handlers(), False

    def AddWindow(self, about, children):
        self.bmd.windows.append(Window(about, children))
        return self.bmd.windows[-1]

    def ExitLoop(self):
        self.is_left = True

    def RunLoop(self):
        """Plays the user: the next planned step, again and again, until the loop is left."""
        self.is_left, window = False, self.bmd.windows[-1]
        for _ in range(100000):
            self.bmd.user(self, window)
            if self.is_left:
                return
        raise AssertionError("the loop was never left")


class Bmd:
    """The module ``bmd``; ``user(dispatcher, window)`` is called as long as a loop runs."""

    def __init__(self, user):
        self.user, self.windows = user, []

    def UIDispatcher(self, ui):
        return Dispatcher(self, ui)


class Fusion(Api):
    def __init__(self, host, files=()):
        super().__init__(host)
        self.files = list(files)

    @property
    def UIManager(self):
        self.host.calls.append("Fusion.UIManager")
        if self.host.version[:2] < (19, 1) or self.host.only_in_studio():
            return UIManager()
        return None

    def RequestFile(self):
        self.host.calls.append("Fusion.RequestFile")
        return self.files.pop(0) if self.files else None

    def RequestDir(self):
        self.host.calls.append("Fusion.RequestDir")
        return self.files.pop(0) if self.files else None
