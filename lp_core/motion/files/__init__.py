"""Motion files: ``.lpmotion`` and templates of the published pipeline."""
