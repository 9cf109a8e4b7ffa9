"""Tiles cover the image, windows stay in it, repeats go."""

from hypothesis import given
from hypothesis import strategies as st

from lp_core.faces.base import FaceBox
from lp_core.faces.small_faces import FaceDetection, distinct, overlap, tile_levels, window_around

LENGTH = st.integers(1, 5000)
EDGE = st.floats(-1e4, 1e4)


@given(LENGTH, LENGTH, st.floats(0, 1), st.floats(0, 1))
def test_every_small_face_lies_whole_in_a_tile_of_every_level(width, height, u, v):
    for level in tile_levels(width, height):
        side = max(max(t.right - t.left, t.bottom - t.top) for t in level)
        half_w, half_h = min(side // 2 - 1, width), min(side // 2 - 1, height)
        left, top = u * (width - half_w), v * (height - half_h)
        assert any(
            t.left <= left and t.top <= top and left + half_w <= t.right and top + half_h <= t.bottom
            for t in level
        )


@given(LENGTH, LENGTH)
def test_tiles_are_whole_pixels_of_the_picture(width, height):
    for level in tile_levels(width, height):
        for tile in level:
            assert 0 <= tile.left < tile.right <= width
            assert 0 <= tile.top < tile.bottom <= height
            assert all(isinstance(edge, int) for edge in (tile.left, tile.top, tile.right, tile.bottom))


def test_number_of_looks_is_bounded():
    assert [len(level) for level in tile_levels(3840, 2160)] == [6, 28, 120]
    assert tile_levels(319, 240) == []


@given(EDGE, EDGE, st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.1, 5), LENGTH, LENGTH)
def test_window_is_never_empty_and_never_leaves(left, top, w, h, factor, width, height):
    window = window_around(FaceBox(left, top, left + w, top + h), factor, width, height)
    assert 0 <= window.left < window.right <= width
    assert 0 <= window.top < window.bottom <= height


def test_window_has_the_asked_size_around_the_middle():
    assert window_around(FaceBox(100, 100, 140, 120), 2, 1000, 1000) == FaceBox(80, 70, 160, 150)


def test_overlap_is_intersection_over_union():
    assert overlap(FaceBox(0, 0, 2, 2), FaceBox(1, 0, 3, 2)) == 1 / 3
    assert overlap(FaceBox(0, 0, 2, 2), FaceBox(2, 0, 3, 2)) == 0
    assert overlap(FaceBox(0, 0, 2, 2), FaceBox(0, 0, 2, 2)) == 1


def test_best_of_repeated_detections_is_kept():
    good, same, other = (
        FaceDetection(FaceBox(0, 0, 10, 10), 0.9),
        FaceDetection(FaceBox(1, 1, 11, 11), 0.8),
        FaceDetection(FaceBox(20, 0, 30, 10), 0.6),
    )
    assert distinct([other, same, good]) == [good, other]
