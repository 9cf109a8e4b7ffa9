"""Speech drives the face: from sound to mouth, head and eyes."""
