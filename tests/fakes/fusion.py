"""A Fusion composition as scripts see it: tools, connections, Savers that write real EXR, Loaders."""

from pathlib import Path

from fakes.resolve_api import Api, api

KINDS = {
    "Loader": {"Clip", "GlobalIn", "GlobalOut", "PostMultiplyByAlpha"},
    "Saver": {"Clip", "OutputFormat", "OpenEXRFormat.Depth", "Input"},
    "MediaOut": {"Input"},
    "Merge": {"Background", "Foreground", "EffectMask"},
    "Texture": {"Input", "Texture", "EffectMask"},
    "Custom": {"Image1", "Image2", *(f"{name}Expression" for name in ("Red", "Green", "Blue", "Alpha"))},
}


class Output(Api):
    def __init__(self, tool):
        super().__init__(tool.host)
        self.tool, self.readers = tool, []

    @api
    def GetConnectedInputs(self):
        return {float(index): reader for index, reader in enumerate(self.readers, 1)}


class Input(Api):
    def __init__(self, host):
        super().__init__(host)
        self.output = None

    @api
    def GetConnectedOutput(self):
        return self.output

    @api
    def ConnectTo(self, output):
        if self.output is not None:
            self.output.readers.remove(self)
        self.output = output
        output.readers.append(self)
        return True


class Tool(Api):
    def __init__(self, comp, kind, name):
        super().__init__(comp.host)
        self.comp, self.kind, self.Name = comp, kind, name
        self.values, self.inputs = {}, {}
        self.Output = Output(self)

    @api
    def SetAttrs(self, attrs):
        assert set(attrs) <= {"TOOLS_Name"}
        self.Name = attrs["TOOLS_Name"]

    @api
    def SetInput(self, name, value):
        is_channel = self.kind == "Loader" and name.startswith("Clip1.OpenEXRFormat.")
        assert name in KINDS[self.kind] or is_channel, f"{self.kind} has no input {name}"
        assert self.comp.locks == 0, "a value that is set while the composition is locked is not rendered"
        if self.kind == "Loader" and name == "Clip":
            assert Path(value).is_file(), value
            self.values = {"GlobalIn": 0, "GlobalOut": 0}  # setting a clip resets the rest
        if name == "GlobalIn" and value > self.values["GlobalOut"]:
            return  # Fusion does not take a first frame after the last
        if name.rpartition(".")[2] not in self.comp.forgets:
            self.values[name] = value

    @api
    def GetInput(self, name, frame=None):
        return self.values.get(name)

    @api
    def ConnectInput(self, name, source):
        assert name in KINDS[self.kind], f"{self.kind} has no input {name}"
        output = source if isinstance(source, Output) else source.Output
        self.inputs.setdefault(name, Input(self.host)).ConnectTo(output)
        return True

    @api
    def Delete(self):
        self.comp.tools.remove(self)
        for found in self.inputs.values():
            found.output.readers.remove(found)


class Picture(Tool):
    """MediaIn: gives real images by frame."""

    def __init__(self, comp, name, pictures):
        super().__init__(comp, "MediaIn", name)
        self.pictures = pictures


def comp_of_clip(host, pictures, rate, shown=0):
    """The composition that Resolve makes for a clip: its media's frames from 0, MediaIn connected to MediaOut."""
    made = Comp(host, shown, len(pictures) - 1, rate)
    made.attrs.update(COMPN_GlobalStart=0.0, COMPN_GlobalEnd=float(len(pictures) - 1))
    media_in, media_out = Picture(made, "MediaIn1", pictures), Tool(made, "MediaOut", "MediaOut1")
    media_out.ConnectInput("Input", media_in)
    made.tools = [media_in, media_out]
    return made


class Macro(Api):
    """The group, with its published inputs; ``curves`` holds what moves: name -> function of the frame."""

    def __init__(self, comp, name, values):
        super().__init__(comp.host)
        self.Name, self.values, self.curves = name, values, {}
        self.MainInput1, self.MainInput2, self.MainOutput1 = Input(comp.host), Input(comp.host), Output(self)

    @api
    def GetInput(self, name, frame=None):
        assert name in self.values, f"the macro publishes no {name}"
        return self.curves[name](frame) if name in self.curves else self.values[name]


class Comp(Api):
    def __init__(self, host, first, last, rate, file=""):
        super().__init__(host)
        self.attrs = {
            "COMPN_RenderStart": float(first),
            "COMPN_RenderEnd": float(last),
            "COMPS_FileName": file,
        }
        self.rate, self.tools, self.data, self.locks, self.undo = rate, [], {}, 0, []
        self.ActiveTool = None
        self.lacks, self.forgets = set(), set()
        """Kinds of tools that this Fusion has not, and channels that its Loaders do not keep."""

    @api
    def GetAttrs(self):
        return dict(self.attrs)

    @api
    def GetData(self, name):
        return self.data.get(name)

    @api
    def GetPrefs(self, name):
        return {"Comp.FrameFormat.Rate": self.rate}.get(name)

    @api
    def FindTool(self, name):
        return next((tool for tool in self.tools if tool.Name == name), None)

    @api
    def AddTool(self, kind, x, y):
        assert kind in KINDS, kind
        if kind in self.lacks:
            return None
        self.tools.append(Tool(self, kind, f"{kind}{len(self.tools)}"))
        return self.tools[-1]

    @api
    def Render(self, options):
        saver = options["Tool"]
        first, last = options["Start"], options["End"]
        assert saver.values["OutputFormat"] == "OpenEXRFormat"
        pictures = saver.inputs["Input"].output.tool.pictures
        path = Path(saver.values["Clip"])
        pattern = path.with_name(path.name.replace(".0000.", ".%04d."))
        from fakes.plates import write_plate  # not in every Python that this runs in

        write_plate(pattern, pictures[first : last + 1], str(self.rate), "01:00:00:00", first=first)
        return True

    @api
    def Lock(self):
        self.locks += 1

    @api
    def Unlock(self):
        self.locks -= 1

    @api
    def StartUndo(self, name):
        self.undo.append(name)

    @api
    def EndUndo(self, keep):
        assert self.undo.pop()
