"""Motion of the 478 landmarks that the mesh engine follows."""
