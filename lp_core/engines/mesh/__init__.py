"""The mesh engine: moves the photograph itself with a 478-point face mesh."""
