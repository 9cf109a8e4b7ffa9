"""Live streams: a driving camera, video or stored motion, drawn as it arrives."""
