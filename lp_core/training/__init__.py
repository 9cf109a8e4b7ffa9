"""Trains the networks of the LivePortrait engine: data, training, adapting, stitching, evaluation, export."""
