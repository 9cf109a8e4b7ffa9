"""A tiny ONNX net in the place of the 203-point landmark model: a drawn face around the middle of what is red.

Its size says how large the largest red value was: ``RADIUS`` for 1.0, so that wrong normalisation shows.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RADIUS = 0.25


def layout():
    """(203, 2) a face in a circle of radius 1, upright: two eyes, outer and inner lips, the rest its outline."""
    parts = [
        (24, -0.4, -0.3, 0.15),
        (24, 0.4, -0.3, 0.15),
        (36, 0, 0.5, 0.3),
        (24, 0, 0.5, 0.2),
        (95, 0, 0, 1.0),
    ]
    return np.concatenate(
        [
            np.stack([x + r * np.cos(a), y + r * np.sin(a)], axis=1)
            for n, x, y, r in parts
            for a in [np.pi + 2 * np.pi * np.arange(n) / n]
        ]
    )


def write_model(path, points=203, outputs=3, name="input", size=224):
    """Writes it; other arguments make models that are not the published kind."""
    place = (np.arange(size, dtype=np.float32) / size).reshape(-1)
    constants = {
        "zero": np.array([0], np.int64),
        "x": np.broadcast_to(place, (1, 1, size, size)).copy(),
        "y": np.broadcast_to(place[:, None], (1, 1, size, size)).copy(),
        "axes": np.array([1, 2, 3], np.int64),
        "face": (RADIUS * layout()[np.arange(points) % 203]).astype(np.float32),
        "flat": np.array([1, 2 * points], np.int64),
        "row": np.array([1, 2], np.int64),
    }
    nodes = [
        helper.make_node("Gather", [name, "zero"], ["red"], axis=1),
        helper.make_node("ReduceSum", ["red", "axes"], ["mass"], keepdims=0),
        helper.make_node("ReduceMax", ["red"], ["most"], axes=[1, 2, 3], keepdims=0),
    ]
    for axis in "xy":
        nodes += [
            helper.make_node("Mul", ["red", axis], [f"weighed_{axis}"]),
            helper.make_node("ReduceSum", [f"weighed_{axis}", "axes"], [f"moment_{axis}"], keepdims=0),
            helper.make_node("Div", [f"moment_{axis}", "mass"], [f"middle_{axis}"]),
        ]
    nodes += [
        helper.make_node("Concat", ["middle_x", "middle_y"], ["both"], axis=0),
        helper.make_node("Reshape", ["both", "row"], ["middle"]),
        helper.make_node("Mul", ["face", "most"], ["sized"]),
        helper.make_node("Add", ["sized", "middle"], ["placed"]),
        helper.make_node("Reshape", ["placed", "flat"], ["points"]),
        helper.make_node("Identity", ["mass"], ["first"]),
        helper.make_node("Identity", ["most"], ["second"]),
    ]
    shapes = {"first": [1], "second": [1], "points": [1, 2 * points]}
    graph = helper.make_graph(
        nodes,
        "face",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, size, size])],
        [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, shapes[key])
            for key in list(shapes)[3 - outputs :]
        ],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path
