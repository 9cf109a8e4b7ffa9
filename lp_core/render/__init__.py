"""One streaming pipeline from decoded frames to a finished video."""
