"""Every call into Nuke that the double answers: parameters and the document that lists them. Nothing else exists.

Sources: NSTUB = sisoe24/nuke-python-stubs, path within stubs/; TN = package types-nuke 13.2.8.0, nuke-stubs/_nuke.pyi;
FDN = Foundry's documentation, by the page's title; CFN, DMN, DCN: public repositories, keys of the hosts' reference.
"/" as in Python: what stands before it is given by position, because Nuke 17 documents its bindings again and other
names would do.
"""

NODE = "NSTUB nuke/classes/Node.py"
GROUP = "NSTUB nuke/classes/Group.py"
KNOB = "NSTUB nuke/classes/Knob.py"
MODULE = "NSTUB nuke/__init__.py"

SIGNATURES = {
    # module
    "nuke.GUI": (None, 'FDN "Python API Reference for Nuke 17.0v2", nuke.GUI; used so by CFN src/run.py'),
    "nuke.env": (None, "NSTUB nuke/classes/GlobalsEnvironment.py; not a Mapping from 16 on: DMN host_flavor"),
    "nuke.nodes": (None, "NSTUB nuke/classes/Nodes.py; DMN preview.py makes its Write so"),
    "nuke.INPUTS": (None, "NSTUB nuke/__init__.py, constants; Node.dependencies names them"),
    "nuke.HIDDEN_INPUTS": (None, "NSTUB nuke/__init__.py, constants; Node.dependencies names them"),
    "nuke.EXPRESSIONS": (None, "NSTUB nuke/__init__.py, constants; Node.dependencies names them"),
    "nuke.TO_SCRIPT": (None, "NSTUB nuke/classes/Node.py, writeKnobs"),
    "nuke.WRITE_NON_DEFAULT_ONLY": (None, "NSTUB nuke/classes/Node.py, writeKnobs"),
    "nuke.addBeforeRender": ("call, args=(), kwargs={}, nodeClass=Write, /", "TN nuke-stubs/callbacks.pyi"),
    "nuke.allNodes": ("filter=None, group=None, recurseGroups=False, /", MODULE),
    "nuke.createNode": ("node, args=None, inpanel=None, /", MODULE),
    "nuke.delete": ("n, /", MODULE),
    "nuke.execute": ("nameOrNode, start=None, end=None, incr=None, views=None, continueOnError=False, /", MODULE),
    "nuke.executeInMainThread": ("call, args=(), kwargs={}, /", "NSTUB nuke/nuke_internal/executeInMain.py"),
    "nuke.filename": ("node, i=None, /", "TN nuke-stubs/_nuke.pyi"),
    "nuke.frame": ("f=None, /", MODULE),
    "nuke.getInput": ('prompt, default="", /', "TN nuke-stubs/_nuke.pyi"),
    "nuke.menu": ("name, /", MODULE),
    "nuke.message": ("prompt, /", MODULE),
    "nuke.pluginAddPath": ("args, addToSysPath=True, /", "NSTUB nuke/nuke_internal/overrides.py"),
    "nuke.root": ("", MODULE),
    "nuke.scriptOpen": ("file, /", "TN nuke-stubs/_nuke.pyi"),
    "nuke.thisKnob": ("", MODULE),
    "nuke.thisNode": ("", MODULE),
    "nuke.toNode": ("s, /", MODULE),
    "nuke.views": ("", MODULE),
    "nuke.ProgressTask": ("name, /", 'FDN 17.1 "nuke.ProgressTask"; NSTUB nuke/classes/ProgressTask.py'),
    "nuke.Undo": ("", "NSTUB nuke/classes/Undo.py"),
    "nukescripts.panels.registerWidgetAsPanel": ("widget, name, id, create=False, /", "NSTUB nukescripts/panels.py"),
    # classes
    "ProgressTask.setProgress": ("i, /", "NSTUB nuke/classes/ProgressTask.py"),
    "ProgressTask.setMessage": ("s, /", "NSTUB nuke/classes/ProgressTask.py"),
    "ProgressTask.isCancelled": ("", "NSTUB nuke/classes/ProgressTask.py"),
    "Undo.disable": ("", "NSTUB nuke/classes/Undo.py"),
    "Undo.enable": ("", "NSTUB nuke/classes/Undo.py"),
    "Menu.addMenu": ("name, icon=None, tooltip=None, index=None", "NSTUB nuke/classes/Menu.py"),
    "Menu.addCommand": (
        "name, command=None, shortcut=None, icon=None, tooltip=None, index=None, readonly=False",
        "NSTUB nuke/classes/Menu.py",
    ),
    "FrameRange.first": ("", "NSTUB nuke/classes/FrameRange.py"),
    "FrameRange.last": ("", "NSTUB nuke/classes/FrameRange.py"),
    "env.get": ("key, default=None, /", "NSTUB nuke/classes/GlobalsEnvironment.py; 17: DMN host_flavor"),
    "Nodes.Write": ("**knobs", "NSTUB nuke/classes/Nodes.py"),
    "Node.Class": ("", NODE),
    "Node.__getitem__": ("key, /", NODE),
    "Node.dependencies": ("what=0, /", NODE),
    "Node.frameRange": ("", NODE),
    "Node.fullName": ("", NODE),
    "Node.height": ("", NODE),
    "Node.input": ("i, /", NODE),
    "Node.knob": ("p, follow_link=None, /", NODE),
    "Node.name": ("", NODE),
    "Node.opHashes": ("", "NSTUB nuke/classes/Node.py; TN nuke-stubs/_nuke.pyi"),
    "Node.parent": ("", "TN nuke-stubs/_nuke.pyi, class Node"),
    "Node.setInput": ("i, node, /", NODE),
    "Node.width": ("", NODE),
    "Node.writeKnobs": ("i, /", NODE),
    "Group.__enter__": ("", GROUP),
    "Group.__exit__": ("kind, error, trace, /", GROUP),
    "Group.node": ("s, /", GROUP),
    "Group.nodes": ("", GROUP),
    "Knob.clearAnimated": ("", KNOB),
    "Knob.execute": ("", "NSTUB nuke/classes/Script_Knob.py"),
    "Knob.getEvaluatedValue": ("", "NSTUB nuke/classes/File_Knob.py; DCN ocio.py calls it on the Root's knobs"),
    "Knob.getValueAt": ("time, /", KNOB),
    "Knob.hasExpression": ("index=-1, /", KNOB),
    "Knob.isAnimated": ("", KNOB),
    "Knob.name": ("", KNOB),
    "Knob.setValue": ("value, /", KNOB),
    "Knob.value": ("", KNOB),
}  # fmt: skip

REFERENCE = 'FDN "Nuke Reference Guide", the node\'s page; names as in the scripts of NST'
KNOBS = {
    "*": "name xpos ypos label tile_color note_font disable selected",
    "Root": "project_directory "
    "name fps proxy first_frame last_frame colorManagement customOCIOConfigPath OCIOConfigPath workingSpaceLUT "
    "OCIO_config OCIOConfig",
    "Group": "help knobChanged",
    "LiveGroup": "",
    "Input": "number",
    "Output": "",
    "Read": "file file_type first last origfirst origlast origset frame_mode frame raw colorspace premultiplied "
    "on_error localizationPolicy reload before after",
    "Write": "file file_type channels raw datatype compression create_directories",
    "Reformat": "type box_width box_height box_pixel_aspect box_fixed resize filter pbb",
    "Multiply": "channels value",
    "STMap": "channels uv filter",
    "Copy": "from0 to0 from1 to1 from2 to2 from3 to3",
    "Switch": "which",
    "Dot": "",
    "NoOp": "",
    "TimeOffset": "time_offset",
}
"""Class -> its built-in knobs that scripts and code may name; REFERENCE is the source."""
