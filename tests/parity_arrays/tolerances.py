"""Largest absolute difference from a recording, by array; the first pattern that matches counts.

'rest' bounds 99.9 % of the numbers of an image. Source: three to five times what independent implementations differ by.
"""

LIVEPORTRAIT = (
    (r"^F\.", 2e-5),
    (r"^M\.stage", 1e-4),
    (r"^M\.(stem|pooled)", 1e-5),
    (r"^M\.raw\.(pitch|yaw|roll)", 1e-5),
    (r"^M\.raw\.", 3e-6),
    (r"^M\.refined\.(pitch|yaw|roll)", 2e-4),
    (r"^M\.refined\.", 3e-6),
    (r"^M\.", 5e-6),
    (r"^W\..*deformation", 5e-6),
    (r"^W\..*occlusion", 5e-5),
    (r"^W\..*\.(mean|std)$", 5e-5),
    (r"^W\.", 2e-4),
    (r"^G\.b\.out", 2e-5),
    (r"^G\.", 1e-4),
    (r"^S\.stitched", 5e-6),
    (r"^S\.", 1e-6),
    (r"^E\.x_d", 5e-6),
    (r"^E\.", 4e-4),
    (r"^modes\.(x_|edit\.x_)", 5e-6),
    (r"^smooth\.out", 1e-6),
    ("rest", 1e-4),
)
PERFORMRECAST = (
    (r"^F\.(patch|embedded)", 1e-6),
    (r"^F\.block", 6e-5),
    (r"^F\.tokens", 1e-5),
    (r"^F\.", 2e-5),
    (r"^M\.pooled|^M\.raw\.(pitch|yaw|roll)", 1e-5),
    (r"^M\.raw\.", 3e-6),
    (r"^M\.degrees", 2e-4),
    (r"^M\.(R|x)$|^modes\.", 8e-6),
    (r"^smooth\.out", 1e-6),
    (r"^geom\.", 0.1),
    (r"^W\..*\.deformation\.sub", 1e-5),
    (r"^W\..*\.(occlusion|mean|std)$", 5e-5),
    (r"^W\.", 3e-4),
    (r"^E\..*\.(mean|std)$", 5e-6),
    (r"^E\.", 6e-4),
    ("rest", 2e-4),
)
