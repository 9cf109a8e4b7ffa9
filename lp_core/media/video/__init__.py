"""Video files: headers, reading, writing, audio, joining."""
