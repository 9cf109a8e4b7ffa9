"""The triangle table is one sheet with four holes in it: around the face, the eyes and the mouth."""

from collections import Counter

import numpy as np

from lp_core.engines.mesh.topology import eye_triangles, mouth_triangles, skin_triangles, strip_triangles
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, MESH_POINTS, OVAL
from lp_core.motion.builtin import neutral_face


def edges(triangles):
    return Counter(
        frozenset((int(a), int(b))) for row in triangles for a, b in zip(row, np.roll(row, -1), strict=True)
    )


def loops(border):
    """Point sets of the closed lines that a set of edges forms."""
    neighbors = {}
    for edge in border:
        a, b = edge
        neighbors.setdefault(a, set()).add(b)
        neighbors.setdefault(b, set()).add(a)
    assert all(len(others) == 2 for others in neighbors.values()), "a border line branches"
    found = []
    left = set(neighbors)
    while left:
        loop, todo = set(), [next(iter(left))]
        while todo:
            point = todo.pop()
            if point not in loop:
                loop.add(point)
                todo.extend(neighbors[point])
        found.append(frozenset(loop))
        left -= loop
    return set(found)


def test_852_triangles_of_three_points_each_once():
    triangles = skin_triangles()
    assert triangles.shape == (852, 3)
    assert all(len(set(row)) == 3 for row in triangles.tolist())
    assert len({frozenset(row) for row in triangles.tolist()}) == 852


def test_they_use_all_points_of_the_mesh_and_no_iris():
    assert set(skin_triangles().ravel().tolist()) == set(range(MESH_POINTS))


def test_an_edge_has_one_triangle_or_two():
    assert set(edges(skin_triangles()).values()) == {1, 2}


def test_the_borders_are_the_oval_the_eyes_and_the_mouth():
    border = {edge for edge, count in edges(skin_triangles()).items() if count == 1}
    wanted = {
        frozenset(OVAL.tolist()),
        frozenset([*LIPS_INNER_UPPER.tolist(), *LIPS_INNER_LOWER.tolist()]),
        *(frozenset([*eye.upper.tolist(), *eye.lower.tolist()]) for eye in EYES),
    }
    assert loops(border) == wanted


def test_the_oval_runs_along_the_outer_border():
    border = {edge for edge, count in edges(skin_triangles()).items() if count == 1}
    around = {frozenset((int(a), int(b))) for a, b in zip(OVAL, np.roll(OVAL, -1), strict=True)}
    assert around <= border


def test_the_strips_close_the_holes():
    whole = np.concatenate([skin_triangles(), eye_triangles(), mouth_triangles()])
    border = {edge for edge, count in edges(whole).items() if count == 1}
    assert loops(border) == {frozenset(OVAL.tolist())}
    assert max(edges(whole).values()) == 2


def test_no_visible_triangle_of_a_neutral_face_is_turned_over():
    face, triangles = neutral_face(), skin_triangles()
    a, b, c = (face[triangles[:, corner]] for corner in range(3))
    towards_camera = np.cross(b - a, c - a)[:, 2]
    assert (np.sign(towards_camera) == np.sign(np.median(towards_camera))).mean() > 0.95


def test_a_strip_between_lines_that_share_their_ends():
    strip = strip_triangles(np.array([0, 1, 2]), np.array([0, 3, 2]))
    assert {frozenset(row) for row in strip.tolist()} == {frozenset((0, 1, 3)), frozenset((1, 2, 3))}
    assert len(strip) == 2
