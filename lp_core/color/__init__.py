"""Transfer curves, named spaces and alpha."""
