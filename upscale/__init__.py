"""Upscaling of finished frames: the optional last stage."""
