"""A speech driver that is compatible with the published weights of JoyVASA: sound to LivePortrait motion."""
