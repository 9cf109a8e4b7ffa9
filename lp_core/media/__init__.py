"""Frames in, frames out: video, stills, sequences, audio."""
