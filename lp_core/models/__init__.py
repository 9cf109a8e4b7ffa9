"""Model files: what exists, where it is, whether it is whole."""
