"""Still images and image sequences."""
