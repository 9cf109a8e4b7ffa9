"""Voices: text to speech with the times of its phones."""
