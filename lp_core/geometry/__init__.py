"""Points, matrices, triangles and warps; pure functions."""
